"""The senders against a stream that fails as told: right shard, order, limits, nothing lost."""

import json
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import shard_senders
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given, settings, strategies as st
from shard_senders import REQUEST_RECORDS, Record, ShardSenders, StreamError, open_shards

THROUGHPUT = "ProvisionedThroughputExceededException"


class FakeStream:
    """Kinesis' PutRecords for records whose data is their index, each with its shard's number as its hash key.

    ``fate(index)`` is None or the code that the record fails with, ``request(number)`` None or what the request raises.
    """

    def __init__(self, fate: Any = lambda index: None, request: Any = lambda number: None) -> None:
        self.fate, self.request = fate, request
        self.written: dict[str, list[int]] = {}
        self.requests: list[list[int]] = []
        self.under_way: dict[str, int] = {}
        self.most_under_way = 0
        self.lock = threading.Lock()

    def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        shard = f"s{Records[0]['ExplicitHashKey']}"
        with self.lock:
            self.under_way[shard] = self.under_way.get(shard, 0) + 1
            self.most_under_way = max(self.most_under_way, self.under_way[shard])
            number = len(self.requests)
            self.requests.append([int(record["Data"]) for record in Records])
        try:
            if failure := self.request(number):
                raise failure
            answer = []
            for record in Records:
                index = int(record["Data"])
                if code := self.fate(index):
                    answer.append({"ErrorCode": code})
                    continue
                with self.lock:
                    self.written.setdefault(f"s{record['ExplicitHashKey']}", []).append(index)
                answer.append({"ShardId": self.shard_of(record)})
            return {"Records": answer}
        finally:
            with self.lock:
                self.under_way[shard] -= 1

    @staticmethod
    def shard_of(record: dict[str, Any]) -> str:
        return f"s{record['ExplicitHashKey']}"


def senders_on(stream: FakeStream, shards: int = 1, delay_ms: int = 5_000, **options: Any) -> ShardSenders:
    senders = ShardSenders(stream, "reviews", delay_ms, **options)
    senders.begin([(number, f"s{number}") for number in range(shards)])
    return senders


def put(senders: ShardSenders, index: int, step_ms: int = 100, size: int = 100) -> None:
    senders.put(Record(b"%d" % index, str(index), index * step_ms, size, index % len(senders.shards)))


def put_all(senders: ShardSenders, count: int, step_ms: int = 100, size: int = 100) -> None:
    for index in range(count):
        put(senders, index, step_ms, size)
        while not senders.has_room(1):
            pass
    while not senders.flush(1):
        pass
    senders.halt()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_senders, "BACKOFF", 0.0001)
    monkeypatch.setattr(shard_senders, "BACKOFF_MOST", 0.001)


@pytest.mark.parametrize("shards", [1, 4, 150])
def test_a_healthy_stream_gets_everything_in_order(shards: int) -> None:
    stream = FakeStream()
    senders = senders_on(stream, shards)
    put_all(senders, 9_000)
    assert {shard: len(indexes) for shard, indexes in stream.written.items()} == {
        f"s{number}": 9_000 // shards for number in range(shards)
    }
    assert dict(senders.per_shard) == {shard: len(indexes) for shard, indexes in stream.written.items()}
    assert all(indexes == sorted(indexes) for indexes in stream.written.values())
    assert stream.most_under_way == 1
    assert max(map(len, stream.requests)) <= REQUEST_RECORDS
    assert sum(written for written, _ in senders.series.values()) == 9_000


def spread(indexes: list[int], step_ms: int) -> int:
    """By how much event time the written records were out of order."""
    newest, worst = 0, 0
    for index in indexes:
        newest = max(newest, index)
        worst = max(worst, (newest - index) * step_ms)
    return worst


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), share=st.sampled_from([0.05, 0.3, 0.6]), shards=st.sampled_from([1, 3]))
def test_failing_records_arrive_once_and_within_the_watermark_delay(seed: int, share: float, shards: int) -> None:
    chance, lock = random.Random(seed), threading.Lock()

    def fate(index: int) -> str | None:
        with lock:
            return "InternalFailure" if chance.random() < share else None

    stream = FakeStream(fate)
    senders = senders_on(stream, shards, strict=True)
    put_all(senders, 900)
    assert sorted(index for indexes in stream.written.values() for index in indexes) == list(range(900))
    assert all(spread(indexes, 100) < 5_000 for indexes in stream.written.values())
    assert senders.disorder_ms < 5_000
    assert senders.retries > 0


def spans(stream: FakeStream) -> list[int]:
    return [(request[-1] - request[0]) * 100 for request in stream.requests]


def test_a_request_spans_the_watermark_delay_at_first_and_four_times_more_after_each_whole_one() -> None:
    stream = FakeStream()
    put_all(senders_on(stream), 3_000)
    assert spans(stream)[:2] == [4_900, 19_900]  # the rest of the 250 that were handed over
    assert max(spans(stream)) > 40_000


def test_from_the_first_overtaken_record_on_a_request_spans_less_than_the_delay() -> None:
    stream = FakeStream()
    stream.fate = lambda index: "InternalFailure" if len(stream.requests) == 6 and index % 100 == 0 else None
    put_all(senders_on(stream), 3_000)
    assert max(spans(stream)[:6]) > 5_000
    assert max(spans(stream)[7:]) < 5_000  # the seventh may hold what failed of the sixth
    assert sorted(stream.written["s0"]) == list(range(3_000))


def test_strict_order_never_spreads() -> None:
    stream = FakeStream()
    put_all(senders_on(stream, strict=True), 3_000)
    assert max(spans(stream)) < 5_000


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 1 << 20), min_size=1, max_size=60))
def test_no_request_is_over_either_limit(sizes: list[int]) -> None:
    stream = FakeStream()
    senders = senders_on(stream)
    for index, size in enumerate(sizes):
        put(senders, index, 0, size)
        while not senders.has_room(1):
            pass
    while not senders.flush(1):
        pass
    assert stream.written["s0"] == list(range(len(sizes)))
    assert all(len(request) <= 500 and sum(sizes[at] for at in request) <= 5 << 20 for request in stream.requests)


@pytest.mark.parametrize(("size", "count"), [(100, 1_500), (2_000, 600)])
def test_a_limited_sender_keeps_to_records_and_bytes_a_second(size: int, count: int) -> None:
    stream, began = FakeStream(), time.monotonic()
    put_all(senders_on(stream, limited=True), count, size=size)
    last = max(len(stream.requests[-1]) / 1000, len(stream.requests[-1]) * size / 1e6)
    assert time.monotonic() - began > max(count / 1000, count * size / 1e6) - last - 0.01
    assert max(len(request) * max(1000, size) for request in stream.requests) <= 250_000


def client_error(code: str, status: int = 400) -> ClientError:
    said = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "PutRecords")


@pytest.mark.parametrize(
    "failure", [EndpointConnectionError(endpoint_url="x"), client_error("Odd", 503), client_error(THROUGHPUT)]
)
def test_a_request_that_breaks_is_sent_again_whole_and_before_anything_later(failure: Exception) -> None:
    stream = FakeStream(request=lambda number: failure if number % 3 == 1 else None)
    senders = senders_on(stream)
    put_all(senders, 2_000)
    assert stream.written["s0"] == list(range(2_000))
    assert senders.retries == sum(map(len, stream.requests)) - 2_000


@pytest.mark.parametrize(
    ("code", "said"),
    [("ResourceNotFoundException", "no stream 'reviews'"), ("AccessDeniedException", "PutRecords"), ("Odd", "refused")],
)
def test_what_does_not_pass_ends_with_a_sentence(code: str, said: str) -> None:
    stream = FakeStream(request=lambda number: client_error(code))
    with pytest.raises(StreamError, match=said):
        put_all(senders_on(stream), 10)


def test_throttling_slows_a_sender_down_to_the_shards_limit() -> None:
    class Bucket(FakeStream):
        """1,000 records a second from its first request on, as a shard: the rest of a request is throttled."""

        throttled, began = 0, 0.0

        def put_records(self, **request: Any) -> dict[str, Any]:
            self.began = self.began or time.monotonic()
            allowed = 1_000 * (time.monotonic() - self.began) + 20 - len(self.written.get("s0", []))
            left = iter(range(int(max(0, allowed))))
            self.fate = lambda index: None if next(left, None) is not None else THROUGHPUT
            answer = super().put_records(**request)
            self.throttled += sum("ErrorCode" in result for result in answer["Records"])
            return answer

    stream = Bucket()
    senders = senders_on(stream)
    put_all(senders, 2_500)
    assert stream.written["s0"] == list(range(2_500))  # throttling cuts a request's end off: order stays
    assert senders.throttled == stream.throttled > 0
    assert stream.throttled < 1_500  # hammering would be throttled many times over


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


def test_a_halted_sender_leaves_what_is_not_written() -> None:
    stream = FakeStream(fate=lambda index: "InternalFailure" if index >= 30 else None)
    senders = senders_on(stream)
    for index in range(100):
        put(senders, index)
    assert senders.flush(0.05) is False
    wait_until(lambda: len(stream.written.get("s0", [])) == 30)
    senders.halt()
    assert senders.flush(0.0) is False
    assert stream.written["s0"] == list(range(30))


@pytest.mark.parametrize(("size", "most"), [(100, 2 * REQUEST_RECORDS), (400_000, 8)])
def test_a_sender_that_gets_nowhere_holds_two_requests_and_no_more(size: int, most: int) -> None:
    gate = threading.Event()
    stream = FakeStream(request=lambda number: gate.wait(60) and None)
    senders, count = senders_on(stream), 0
    while senders.has_room(0.0):
        put(senders, count, 0, size)
        count += 1
        assert count <= most
    assert senders.has_room(0.01) is False
    gate.set()
    assert senders.has_room(60) is True
    while not senders.flush(1):
        pass
    assert stream.written["s0"] == list(range(count))


def test_a_stream_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_senders, "GIVE_UP_SECONDS", 0.05)
    senders = senders_on(FakeStream(request=lambda number: EndpointConnectionError(endpoint_url="x")))
    with pytest.raises(StreamError, match=r"s0.*EndpointConnectionError.*goes on where it stopped"):
        put_all(senders, 10)


def test_a_refusal_before_sending_stops_the_sender() -> None:
    def refuse() -> None:
        raise StreamError("no more")

    stream = FakeStream()
    with pytest.raises(StreamError, match="no more"):
        put_all(senders_on(stream, may_send=refuse), 10)
    assert stream.written == {}


def test_a_record_in_another_shard_is_noticed_and_others_can_be_sent_to() -> None:
    stream = FakeStream()
    stream.shard_of = lambda record: "s7" if record["ExplicitHashKey"] == "0" else "s8"  # type: ignore[method-assign]
    senders = senders_on(stream)
    put(senders, 0)
    assert senders.flush(5) and senders.stale
    senders.begin([(0, "s7"), (1, "s8")])
    assert not senders.stale
    put(senders, 1)
    assert senders.flush(5) and not senders.stale
    assert dict(senders.per_shard) == {"s0": 0, "s7": 1, "s8": 1}


@pytest.mark.parametrize("shards", [1, 2, 8])
def test_a_real_stream_puts_each_key_where_its_sender_says(make_world: Callable[..., Any], shards: int) -> None:
    world = make_world(shards=shards)
    kinesis = world.client("kinesis")
    senders = ShardSenders(kinesis, world.stream, 0)
    senders.begin(open_shards(kinesis, world.stream))
    for key in [*(f"rw{number:07d}" for number in range(60)), "\u6620\u753b", "x" * 256]:
        senders.put(Record(json.dumps({"reviewer": key}).encode(), key, 0, 300))
    assert senders.flush(20)
    assert not senders.stale
    assert {shard: len(records) for shard, records in world.records().items()} == dict(senders.per_shard)
    assert all(senders.per_shard.values())


class Listing:
    """Kinesis' ListShards, in pages of one."""

    def __init__(self, *starts: int, closed: tuple[int, ...] = ()) -> None:
        self.shards = [
            {
                "ShardId": f"shard-{number}",
                "HashKeyRange": {"StartingHashKey": str(start), "EndingHashKey": "not looked at"},
                "SequenceNumberRange": {"StartingSequenceNumber": "1"}
                | ({"EndingSequenceNumber": "2"} if number in closed else {}),
            }
            for number, start in enumerate(starts)
        ]

    def list_shards(self, **question: Any) -> dict[str, Any]:
        at = int(question.get("NextToken", 0))
        assert ("StreamName" in question) == (at == 0)  # AWS refuses both together
        more = {"NextToken": str(at + 1)} if at + 1 < len(self.shards) else {}
        return {"Shards": self.shards[at : at + 1], **more}


def test_closed_shards_get_nothing_and_the_order_is_that_of_the_hash_keys() -> None:
    assert open_shards(Listing(0, 1 << 127, 0, closed=(0,)), "reviews") == [(0, "shard-2"), (1 << 127, "shard-1")]


def test_a_stream_without_open_shards_is_refused() -> None:
    with pytest.raises(StreamError, match="no open shard"):
        open_shards(Listing(0, closed=(0,)), "reviews")
