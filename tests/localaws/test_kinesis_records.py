import hashlib
import re
import time
from typing import Any

import pytest

from localaws.errors import ApiError
from localaws.kinesis import iterators
from localaws.kinesis.records import MAX_BYTES_GOT, Records
from localaws.kinesis.shards import MAX_HASH_KEY, next_sequence_number, stored_size
from tests.localaws.kinesis_backend import FakeBackend, entry, shard


def service(shards: int = 1) -> tuple[FakeBackend, Records]:
    backend = FakeBackend(shards)
    return backend, Records(backend, None)


def iterator(records: Records, kind: str = "TRIM_HORIZON", number: int = 0, **more: Any) -> str:
    asked = {"StreamName": "s", "ShardId": shard(number), "ShardIteratorType": kind, **more}
    return records.get_shard_iterator(asked)["ShardIterator"]


def read(records: Records, token: str, **more: Any) -> dict[str, Any]:
    return records.get_records({"ShardIterator": token, **more})[0]


def put(records: Records, count: int) -> list[str]:
    return [records.put_record({"StreamName": "s", **entry(b"%d" % n)})["SequenceNumber"] for n in range(count)]


def refusal(call: Any) -> ApiError:
    with pytest.raises(ApiError) as refused:
        call()
    return refused.value


def test_a_key_goes_where_its_md5_says() -> None:
    backend, records = service(shards=4)
    keys = [f"rw{n:07d}" for n in range(200)]
    answer = records.put_records({"StreamName": "s", "Records": [entry(key=key) for key in keys]})
    assert answer["FailedRecordCount"] == 0
    for key, put_record in zip(keys, answer["Records"], strict=True):
        number = int(hashlib.md5(key.encode()).hexdigest(), 16) * 4 // (MAX_HASH_KEY + 1)
        assert put_record["ShardId"] == shard(number)
    assert backend.woken == 1


def test_explicit_hash_keys_at_the_edges_of_the_shards() -> None:
    _, records = service(shards=2)
    half = (MAX_HASH_KEY + 1) // 2
    for explicit, number in ((0, 0), (half - 1, 0), (half, 1), (MAX_HASH_KEY, 1)):
        answer = records.put_record({"StreamName": "s", **entry(ExplicitHashKey=str(explicit))})
        assert answer["ShardId"] == shard(number)
    too_large = {"StreamName": "s", **entry(ExplicitHashKey=str(MAX_HASH_KEY + 1))}
    assert refusal(lambda: records.put_record(too_large)).code == "InvalidArgumentException"


def test_reading_on_from_call_to_call() -> None:
    _, records = service()
    put(records, 5)
    first = read(records, iterator(records), Limit=2)
    second = read(records, first["NextShardIterator"], Limit=10)
    assert [one["Data"] for one in (*first["Records"], *second["Records"])] == [b"%d" % n for n in range(5)]
    assert first["MillisBehindLatest"] > 0
    assert second["MillisBehindLatest"] == 0
    assert read(records, second["NextShardIterator"])["Records"] == []


def test_every_iterator_type() -> None:
    _, records = service()
    numbers = put(records, 3)
    records._backend.s["shards"][shard(0)]["records"][0]["ApproximateArrivalTimestamp"] = time.time() - 9
    starts = {
        "TRIM_HORIZON": ({}, 3),
        "LATEST": ({}, 0),
        "AT_SEQUENCE_NUMBER": ({"StartingSequenceNumber": numbers[1]}, 2),
        "AFTER_SEQUENCE_NUMBER": ({"StartingSequenceNumber": numbers[1]}, 1),
        "AT_TIMESTAMP": ({"Timestamp": time.time() - 5}, 2),
    }
    for kind, (more, count) in starts.items():
        assert len(read(records, iterator(records, kind, **more))["Records"]) == count, kind


def test_a_start_that_no_stream_has_is_refused() -> None:
    _, records = service()
    number = put(records, 1)[0]
    earlier = str(int(number) - 10**30)  # given out before the account was started anew: a snapshot may hold it
    token = iterator(records, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=earlier)
    assert len(read(records, token)["Records"]) == 1
    for never in ("0", "5", number[:-1], number + "0", str(int(number) + 10**30), "1" * 99):
        refused = refusal(lambda never=never: iterator(records, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=never))
        assert (refused.code, "did not come from this stream" in str(refused)) == ("InvalidArgumentException", True)
    later = refusal(lambda: iterator(records, "AT_TIMESTAMP", Timestamp=time.time() + 60))
    assert later.code == "InvalidArgumentException"
    assert "cannot be greater than the currentTimestampInMillis" in str(later)


def test_an_answer_holds_at_most_ten_mebibytes() -> None:
    _, records = service()
    for _ in range(12):
        records.put_record({"StreamName": "s", **entry(b"x" * (1 << 20))})
    answer = read(records, iterator(records))
    assert len(answer["Records"]) == MAX_BYTES_GOT // ((1 << 20) + 1)
    assert len(read(records, answer["NextShardIterator"])["Records"]) == 3


def test_expired_records_are_gone_and_iterators_keep_their_place() -> None:
    backend, records = service()
    put(records, 4)
    token = read(records, iterator(records), Limit=3)["NextShardIterator"]
    stored = backend.s["shards"][shard(0)]["records"]
    for record in stored[:2]:
        record["ApproximateArrivalTimestamp"] -= 24 * 3600 + 1
    assert [one["Data"] for one in read(records, token)["Records"]] == [b"3"]
    assert [one["Data"] for one in read(records, iterator(records))["Records"]] == [b"2", b"3"]


def test_iterators_last_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    _, records = service()
    token = iterator(records)
    later = time.time() + 301
    monkeypatch.setattr(iterators.time, "time", lambda: later)
    assert refusal(lambda: read(records, token)).code == "ExpiredIteratorException"


def test_no_iterator_is_an_option_to_a_shells_command(monkeypatch: pytest.MonkeyPatch) -> None:
    _, records = service()
    for key in range(300):  # one in 64 signatures begins with the six bits of "-"
        monkeypatch.setattr(iterators, "_KEY", bytes([key % 256, key // 256]))
        assert iterator(records).startswith("AAAA")
        assert read(records, iterator(records))["Records"] == []


def test_foreign_iterators_and_those_of_an_earlier_stream() -> None:
    backend, records = service()
    assert refusal(lambda: read(records, "nonsense")).code == "InvalidArgumentException"
    token = iterator(records)
    backend.s["generation"] = "made anew"
    assert refusal(lambda: read(records, token)).code == "ResourceNotFoundException"


def test_what_put_records_refuses() -> None:
    backend, records = service()
    for given, code, word in (
        ([entry(b"x" * ((1 << 20) + 1))], "ValidationException", "1048576"),
        ([entry(b"x" * (1 << 20))] * 5, "InvalidArgumentException", "5 MB"),
    ):
        refused = refusal(lambda given=given: records.put_records({"StreamName": "s", "Records": given}))
        assert (refused.code, word in str(refused)) == (code, True)
    assert backend.s["shards"][shard(0)]["records"] == []


def test_the_memory_of_records_is_bounded_and_counted_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, records = service()
    put(records, 3)
    each = stored_size({"Data": b"0", "PartitionKey": "k"})
    assert backend.stored() == 3 * each
    monkeypatch.setattr("localaws.kinesis.records.MAX_BYTES_STORED", 3 * each + 1)
    refused = refusal(lambda: put(records, 1))
    assert refused.code == "LimitExceededException"
    assert "delete a stream" in str(refused)
    backend.s["shards"][shard(0)]["records"][0]["ApproximateArrivalTimestamp"] -= 24 * 3600 + 1
    put(records, 1)  # what has expired makes room
    assert backend.stored() == 3 * each


def test_sequence_numbers_are_decimal_and_rise_as_numbers_and_as_texts() -> None:
    _, records = service()
    numbers = put(records, 50)
    assert all(re.fullmatch(r"[1-9]\d{55}", number) for number in numbers)
    assert sorted(numbers) == numbers == sorted(numbers, key=int)


def test_what_is_not_there() -> None:
    _, records = service()
    assert str(refusal(lambda: records.put_record({"StreamName": "t", **entry()}))) == (
        "Stream t under account 000000000000 not found."
    )
    assert refusal(lambda: iterator(records, number=7)).code == "ResourceNotFoundException"
    nameless = refusal(lambda: records.put_record(entry()))
    assert (nameless.code, "StreamName or StreamARN" in str(nameless)) == ("InvalidArgumentException", True)


def test_a_long_shard_costs_no_more_than_a_short_one() -> None:
    """Not a measurement: with 200,000 records a call that looked at each of them would take minutes here."""
    backend, records = service()
    put(records, 1)
    stored = backend.s["shards"][shard(0)]["records"]
    stored.extend(dict(stored[0], SequenceNumber=next_sequence_number()) for n in range(2, 200_002))
    middle = stored[150_000]["SequenceNumber"]
    began = time.process_time()
    put(records, 1000)
    token = iterator(records, "LATEST")
    for _ in range(1000):
        token = read(records, token)["NextShardIterator"]
        iterator(records, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=middle)
    assert time.process_time() - began < 2
