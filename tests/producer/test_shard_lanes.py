"""The lanes against a stream that fails as told: order, limits, nothing lost."""

import random
import threading
import time
from typing import Any

import pytest
import shard_lanes
from hypothesis import given, settings
from hypothesis import strategies as st
from kinesis_sink import RequestFailed
from lane_governor import REQUEST_BYTES, REQUEST_RECORDS, LaneGovernor
from producer_errors import StreamError
from run_tally import RunTally
from shard_lanes import ShardLanes
from shard_map import Shard, ShardMap


class FakeStream:
    """Takes entries of the form b"<shard>:<index>"; ``fate(entry)`` is None or the code it fails with."""

    def __init__(self, fate=lambda entry: None, request=lambda number: None) -> None:
        self.fate, self.request = fate, request
        self.written: dict[str, list[int]] = {}
        self.sizes: list[int] = []
        self.under_way: dict[str, int] = {}
        self.most_under_way = 0
        self.lock = threading.Lock()

    def send(self, entries: list[bytes]) -> list[dict[str, Any]]:
        shard = entries[0].split(b":")[0].decode()
        with self.lock:
            self.under_way[shard] = self.under_way.get(shard, 0) + 1
            self.most_under_way = max(self.most_under_way, self.under_way[shard])
            number = len(self.sizes)
            self.sizes.append(len(entries))
        try:
            if failure := self.request(number):
                raise failure
            answer = []
            for entry in entries:
                to, index = entry.decode().split(":")[:2]
                if code := self.fate(entry):
                    answer.append({"ErrorCode": code})
                    continue
                with self.lock:
                    self.written.setdefault(to, []).append(int(index))
                answer.append({"ShardId": to})
            return answer
        finally:
            with self.lock:
                self.under_way[shard] -= 1


def lanes_on(stream: FakeStream, shards: int = 1, delay_ms: int = 5_000, **options: Any) -> ShardLanes:
    shard_map = ShardMap([Shard(f"s{number}", number) for number in range(shards)])
    return ShardLanes(stream, shard_map, RunTally(time.monotonic), lambda: LaneGovernor(delay_ms, **options))


def put_all(lanes: ShardLanes, count: int, step_ms: int = 100, size: int = 100) -> None:
    shards = len(lanes.ids)
    for index in range(count):
        wire = b"s%d:%d" % (index % shards, index)
        room = lanes.put(index % shards, index, index * step_ms, size, wire)
        while not room:
            room = lanes.wait_for_room(1)
    finish(lanes)


def finish(lanes: ShardLanes) -> None:
    lanes.flush()
    while not lanes.wait_until_empty(1):
        if lanes.failure:
            raise lanes.failure
    lanes.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(shard_lanes, "_BACKOFF", 0.0001)
    monkeypatch.setattr(shard_lanes, "_BACKOFF_MOST", 0.001)


@pytest.mark.parametrize("shards", [1, 4])
def test_a_healthy_stream_gets_everything_in_order(shards):
    stream = FakeStream()
    put_all(lanes_on(stream, shards), 10_000)
    assert {shard: len(indexes) for shard, indexes in stream.written.items()} == {
        f"s{number}": 10_000 // shards for number in range(shards)
    }
    assert all(indexes == sorted(indexes) for indexes in stream.written.values())
    assert stream.most_under_way == 1
    assert max(stream.sizes) == REQUEST_RECORDS


def spread(indexes: list[int], step_ms: int) -> int:
    """By how much event time the written records were out of order."""
    newest, worst = 0, 0
    for index in indexes:
        newest = max(newest, index)
        worst = max(worst, (newest - index) * step_ms)
    return worst


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), share=st.sampled_from([0.05, 0.3, 0.6]), shards=st.sampled_from([1, 3]))
def test_failing_records_arrive_once_and_within_the_watermark_delay(seed, share, shards):
    chance, lock = random.Random(seed), threading.Lock()

    def fate(entry: bytes) -> str | None:
        with lock:
            return "InternalFailure" if chance.random() < share else None

    stream = FakeStream(fate)
    lanes = lanes_on(stream, shards, strict=True)
    put_all(lanes, 900)
    assert sorted(index for indexes in stream.written.values() for index in indexes) == list(range(900))
    assert all(spread(indexes, 100) < 5_000 for indexes in stream.written.values())
    assert lanes._tally.disorder_ms < 5_000
    assert lanes._tally.retries > 0


def test_from_the_first_failure_on_a_request_spans_less_than_the_delay():
    stream = FakeStream()
    stream.fate = lambda entry: "InternalFailure" if len(stream.sizes) == 6 and entry.endswith(b"00") else None
    lanes = lanes_on(stream)
    put_all(lanes, 3_000)
    after = stream.sizes[6:]
    assert max(stream.sizes[:6]) == 500
    assert max(after[:10]) <= 50
    assert sorted(stream.written["s0"]) == list(range(3_000))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 1 << 20), min_size=1, max_size=60), st.booleans())
def test_no_request_is_over_either_limit(sizes, limited):
    taken: list[tuple[int, int]] = []

    class Measuring(FakeStream):
        def send(self, entries):
            taken.append((len(entries), sum(sizes[int(entry.split(b":")[1])] for entry in entries)))
            return super().send(entries)

    stream = Measuring()
    governor = LaneGovernor(5_000, limited=limited)
    governor.wait = lambda now: 0.0
    shard_map = ShardMap([Shard("s0", 0)])
    lanes = ShardLanes(stream, shard_map, RunTally(time.monotonic), lambda: governor)
    for index, size in enumerate(sizes):
        lanes.put(0, index, 0, size, b"s0:%d" % index)
    finish(lanes)
    assert stream.written["s0"] == list(range(len(sizes)))
    most = 250_000 if limited else REQUEST_BYTES
    assert all(count <= REQUEST_RECORDS and (size <= most or count == 1) for count, size in taken)


def test_a_request_that_breaks_is_sent_again_whole_and_before_anything_later():
    def request(number: int) -> RequestFailed | None:
        return RequestFailed("ConnectionClosedError") if number % 3 == 1 else None

    stream = FakeStream(request=request)
    lanes = lanes_on(stream)
    put_all(lanes, 2_000)
    assert stream.written["s0"] == list(range(2_000))
    assert lanes._tally.retries == sum(stream.sizes) - 2_000


def test_throttling_slows_the_lane_down_to_the_shards_limit():
    began = time.monotonic()

    class Bucket(FakeStream):
        """1,000 records a second, as a shard: the rest of a request is throttled."""

        def __init__(self) -> None:
            super().__init__()
            self.throttled = 0

        def send(self, entries):
            allowed = 1_000 * (time.monotonic() - began) + 500 - len(self.written.get("s0", []))
            left = iter(range(int(max(0, allowed))))
            self.fate = lambda entry: None if next(left, None) is not None else "ProvisionedThroughputExceededException"
            answer = super().send(entries)
            self.throttled += sum("ErrorCode" in result for result in answer)
            return answer

    stream = Bucket()
    lanes = lanes_on(stream)
    put_all(lanes, 2_500)
    assert stream.written["s0"] == list(range(2_500))  # throttling cuts a request's end off: order stays
    assert lanes._tally.throttled == stream.throttled
    assert stream.throttled < 1_500  # hammering would be throttled many times over
    assert lanes.share() is not None


def test_the_oldest_unwritten_record_is_known_at_any_time():
    gate = threading.Event()

    class Gated(FakeStream):
        def send(self, entries):
            if entries[0].startswith(b"s1"):
                gate.wait(60)
            return super().send(entries)

    stream = Gated()
    lanes = lanes_on(stream, 2)
    for index in range(400):
        lanes.put(index % 2, index, 0, 10, b"s%d:%d" % (index % 2, index))
    lanes.flush()
    deadline = time.monotonic() + 60
    while len(stream.written.get("s0", [])) < 200 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert lanes.oldest() == 1
    gate.set()
    finish(lanes)
    assert lanes.oldest() is None


def test_a_halted_lane_leaves_what_is_not_written_and_says_where():
    stream = FakeStream(fate=lambda entry: "InternalFailure" if int(entry.split(b":")[1]) >= 30 else None)
    lanes = lanes_on(stream)
    for index in range(100):
        lanes.put(0, index, index * 100, 10, b"s0:%d" % index)
    lanes.flush()
    assert lanes.wait_until_empty(0.05) is False
    lanes.halt(5)
    assert lanes.oldest() == 30
    assert stream.written["s0"] == list(range(30))


def test_the_memory_budget_makes_the_putting_thread_wait(monkeypatch):
    monkeypatch.setattr(shard_lanes, "BUDGET", 5_000)
    gate = threading.Event()
    stream = FakeStream(request=lambda number: gate.wait(60) and None)
    lanes = lanes_on(stream)
    held, index = True, 0
    while held:
        held = lanes.put(0, index, 0, 10, b"s0:%d:" % index + b"x" * 90)
        index += 1
    assert index == 150  # a lane hands over 50 records, then 100: 4,850 bytes are below the budget, 14,750 are not
    assert lanes.wait_for_room(0.01) is False
    gate.set()
    assert lanes.wait_for_room(60) is True
    finish(lanes)


def test_a_stream_that_takes_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(shard_lanes, "GIVE_UP_SECONDS", 0.05)
    lanes = lanes_on(FakeStream(request=lambda number: RequestFailed("EndpointConnectionError")))
    with pytest.raises(StreamError, match=r"s0.*EndpointConnectionError.*goes on where it stopped"):
        put_all(lanes, 10)


def test_a_refusal_before_sending_stops_the_lane():
    stream = FakeStream()

    def refuse() -> None:
        raise StreamError("no more")

    shard_map = ShardMap([Shard("s0", 0)])
    lanes = ShardLanes(stream, shard_map, RunTally(time.monotonic), lambda: LaneGovernor(0), refuse)
    with pytest.raises(StreamError, match="no more"):
        put_all(lanes, 10)
    assert stream.written == {}


def test_a_record_in_another_shard_is_noticed_and_the_map_can_change():
    stream = FakeStream()
    lanes = lanes_on(stream)
    lanes.put(0, 0, 0, 10, b"s7:0")
    lanes.flush()
    assert lanes.wait_until_empty(5)
    assert lanes.stale
    assert lanes.moved == {0: "s7"}
    lanes.remap(ShardMap([Shard("s7", 0), Shard("s8", 5)]))
    assert not lanes.stale
    lanes.put(1, 1, 0, 10, b"s8:1")
    finish(lanes)
    assert stream.written == {"s7": [0], "s8": [1]}


def test_many_shards_share_lanes_and_keep_their_order():
    stream = FakeStream()
    lanes = lanes_on(stream, 150)
    put_all(lanes, 3_000)
    assert len(stream.written) == 150
    assert all(indexes == sorted(indexes) for indexes in stream.written.values())
