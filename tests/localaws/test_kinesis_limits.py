from typing import Any

import pytest

from localaws.errors import ApiError
from localaws.kinesis.limits import StrictLimits
from localaws.kinesis.records import Records
from tests.localaws.kinesis_backend import FakeBackend, entry, shard
from tests.support.account import EmbeddedAccount


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Strict:
    """A strict stream whose clock stands still until it is told to go on."""

    def __init__(self, shards: int = 1) -> None:
        self.clock = Clock()
        self.limits = StrictLimits(self.clock)
        self.backend = FakeBackend(shards)
        self.records = Records(self.backend, self.limits)

    def put(self, count: int, size: int = 10, **more: str) -> dict[str, Any]:
        return self.records.put_records({"StreamName": "s", "Records": [entry(b"x" * size, **more)] * count})

    def taken(self, count: int, size: int = 10, **more: str) -> int:
        return count - self.put(count, size, **more)["FailedRecordCount"]

    def iterator(self) -> str:
        asked = {"StreamName": "s", "ShardId": shard(0), "ShardIteratorType": "TRIM_HORIZON"}
        return self.records.get_shard_iterator(asked)["ShardIterator"]

    def admitted(self, call: Any) -> bool:
        try:
            call()
        except ApiError as error:
            assert error.code == "ProvisionedThroughputExceededException"
            return False
        return True


def test_a_thousand_records_a_second() -> None:
    strict = Strict()
    assert [strict.taken(500) for _ in range(3)] == [500, 500, 0]
    strict.clock.now += 0.25
    assert strict.taken(500) == 250
    strict.clock.now += 60  # no more than a second's worth is saved up
    assert [strict.taken(500) for _ in range(3)] == [500, 500, 0]


def test_a_mebibyte_a_second_with_the_partition_keys() -> None:
    strict = Strict()
    assert strict.taken(6, 262_144 - 256, key="k" * 256) == 4
    strict.clock.now += 0.5
    assert strict.taken(6, 262_144 - 256, key="k" * 256) == 2


def test_the_largest_record_fits_though_its_key_comes_on_top() -> None:
    strict = Strict()
    assert strict.taken(1, 1 << 20) == 1
    assert strict.taken(1) == 0
    strict.clock.now += 1.1
    assert strict.taken(1) == 1


def test_refused_records_are_told_as_aws_does_and_a_single_one_as_an_error() -> None:
    strict = Strict()
    strict.put(500)
    answer = strict.put(500)
    assert answer["FailedRecordCount"] == 0
    refused = strict.put(2)["Records"][1]
    assert refused == {
        "ErrorCode": "ProvisionedThroughputExceededException",
        "ErrorMessage": "Rate exceeded for shard shardId-000000000000 in stream s under account 000000000000.",
    }
    with pytest.raises(ApiError, match="Rate exceeded for shard"):
        strict.records.put_record({"StreamName": "s", **entry()})
    assert strict.limits.refused["put"] == 3
    assert len(strict.backend.s["shards"][shard(0)]["records"]) == 1000


def test_each_shard_has_its_own_limits() -> None:
    strict = Strict(shards=2)
    assert [strict.taken(500, ExplicitHashKey="0") for _ in range(3)] == [500, 500, 0]
    assert strict.taken(500, ExplicitHashKey=str(1 << 127)) == 500


def test_five_get_records_a_second() -> None:
    strict = Strict()
    token = strict.iterator()
    calls = [strict.admitted(lambda: strict.records.get_records({"ShardIterator": token})) for _ in range(7)]
    assert calls == [True] * 5 + [False] * 2
    strict.clock.now += 0.2
    assert strict.admitted(lambda: strict.records.get_records({"ShardIterator": token}))
    assert not strict.admitted(lambda: strict.records.get_records({"ShardIterator": token}))


def test_five_iterators_a_second() -> None:
    strict = Strict()
    assert [strict.admitted(strict.iterator) for _ in range(6)] == [True] * 5 + [False]


def test_ten_mebibytes_close_a_shard_for_five_seconds() -> None:
    strict = Strict()
    for _ in range(40):
        strict.clock.now += 1
        assert strict.taken(4, 262_144 - 1) == 4
    token = strict.iterator()
    answer, _ = strict.records.get_records({"ShardIterator": token})
    assert len(answer["Records"]) == 40
    for wait, admitted in ((0.0, False), (4.9, False), (0.2, True)):
        strict.clock.now += wait
        call = strict.admitted(lambda: strict.records.get_records({"ShardIterator": token, "Limit": 1}))
        assert call is admitted, wait


def test_two_mebibytes_a_second_are_read_in_small_calls() -> None:
    strict = Strict()
    strict.taken(1, 1 << 20)
    token, read = strict.iterator(), 0
    for _ in range(40):  # ten seconds, four calls in each
        read += strict.admitted(lambda: strict.records.get_records({"ShardIterator": token}))
        strict.clock.now += 0.25
    assert 20 <= read <= 22


@pytest.mark.parametrize("member", [{"MaxRecordSizeInKiB": 2048}, {"WarmThroughputMiBps": 100}])
def test_a_member_that_would_be_passed_over_is_refused(account: EmbeddedAccount, member: dict[str, int]) -> None:
    kinesis = account.client("kinesis")
    with pytest.raises(kinesis.exceptions.InvalidArgumentException, match=f"does not do {next(iter(member))}"):
        kinesis.create_stream(StreamName="larger", ShardCount=1, **member)
    assert "larger" not in kinesis.list_streams()["StreamNames"]
