import time
from typing import Any

import pytest

from localaws.errors import ApiError
from localaws.kinesis.listing import Listing
from localaws.kinesis.records import Records
from localaws.kinesis.reshard import Resharding
from localaws.kinesis.shards import MAX_HASH_KEY, open_shards
from tests.localaws.kinesis_backend import FakeBackend, entry, shard

HALF = (MAX_HASH_KEY + 1) // 2


class Kinesis:
    def __init__(self, shards: int = 1, mode: str = "PROVISIONED") -> None:
        self.backend = FakeBackend(shards, mode)
        self.records = Records(self.backend, None)
        self.resharding = Resharding(self.backend)
        self.listing = Listing(self.backend)

    def split(self, number: int, at: int = HALF) -> None:
        self.resharding.split_shard({"StreamName": "s", "ShardToSplit": shard(number), "NewStartingHashKey": str(at)})

    def merge(self, first: int, second: int) -> None:
        self.resharding.merge_shards(
            {"StreamName": "s", "ShardToMerge": shard(first), "AdjacentShardToMerge": shard(second)}
        )

    def listed(self, **more: Any) -> list[int]:
        answer = self.listing.list_shards({"StreamName": "s", **more})
        return [int(one["ShardId"][-12:]) for one in answer["Shards"]]

    def put(self, data: bytes, at: int = 0) -> str:
        return self.records.put_record({"StreamName": "s", **entry(data, ExplicitHashKey=str(at))})["ShardId"]

    def read_to_the_end(self, number: int) -> tuple[list[bytes], dict[str, Any]]:
        asked = {"StreamName": "s", "ShardId": shard(number), "ShardIteratorType": "TRIM_HORIZON"}
        token, data = self.records.get_shard_iterator(asked)["ShardIterator"], []
        while token:
            answer, _ = self.records.get_records({"ShardIterator": token, "Limit": 2})
            data += [one["Data"] for one in answer["Records"]]
            token = answer.get("NextShardIterator")
        return data, answer


def refusal(call: Any) -> ApiError:
    with pytest.raises(ApiError) as refused:
        call()
    return refused.value


def test_a_split_closes_the_parent_which_stays_readable_to_its_end() -> None:
    kinesis = Kinesis()
    for n in range(5):
        kinesis.put(b"%d" % n)
    kinesis.split(0)
    assert kinesis.put(b"low", 0) == shard(1)
    assert kinesis.put(b"high", HALF) == shard(2)
    data, last = kinesis.read_to_the_end(0)
    assert data == [b"%d" % n for n in range(5)]
    assert [child["ShardId"] for child in last["ChildShards"]] == [shard(1), shard(2)]
    assert [child["ParentShards"] for child in last["ChildShards"]] == [[shard(0)]] * 2
    assert last["MillisBehindLatest"] == 0


def test_a_reader_at_the_tip_of_the_parent_learns_of_its_end() -> None:
    kinesis = Kinesis()
    asked = {"StreamName": "s", "ShardId": shard(0), "ShardIteratorType": "LATEST"}
    token = kinesis.records.get_shard_iterator(asked)["ShardIterator"]
    kinesis.put(b"before")
    kinesis.split(0)
    answer, _ = kinesis.records.get_records({"ShardIterator": token})
    assert [one["Data"] for one in answer["Records"]] == [b"before"]
    assert "NextShardIterator" not in answer


def test_parents_and_children_in_list_shards() -> None:
    kinesis = Kinesis(shards=2)
    kinesis.merge(0, 1)
    parent, other, child = kinesis.listing.list_shards({"StreamName": "s"})["Shards"]
    assert (child["ParentShardId"], child["AdjacentParentShardId"]) == (shard(0), shard(1))
    assert child["HashKeyRange"] == {"StartingHashKey": "0", "EndingHashKey": str(MAX_HASH_KEY)}
    assert "EndingSequenceNumber" not in child["SequenceNumberRange"]
    for closed in (parent, other):
        numbers = closed["SequenceNumberRange"]
        assert numbers["StartingSequenceNumber"] < numbers["EndingSequenceNumber"]
    summary = kinesis.listing.describe_stream_summary({"StreamName": "s"})["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == 1
    assert len(kinesis.listing.describe_stream({"StreamName": "s"})["StreamDescription"]["Shards"]) == 3


def test_shard_filters() -> None:
    kinesis = Kinesis()
    kinesis.split(0)
    opened = kinesis.backend.s["shards"][shard(1)]["opened_at"]
    kinesis.backend.s["CreationTimestamp"] -= 100
    filters = {
        ("AT_LATEST",): [1, 2],
        ("AT_TRIM_HORIZON",): [0],
        ("FROM_TRIM_HORIZON",): [0, 1, 2],
        ("AT_TIMESTAMP", opened - 50): [0],
        ("AT_TIMESTAMP", opened + 1): [1, 2],
        ("FROM_TIMESTAMP", opened - 50): [0, 1, 2],
        ("FROM_TIMESTAMP", opened + 1): [1, 2],
    }
    for (kind, *moment), numbers in filters.items():
        given = {"Type": kind, **({"Timestamp": moment[0]} if moment else {})}
        assert kinesis.listed(ShardFilter=given) == numbers, kind
    assert kinesis.listed(ShardFilter={"Type": "AFTER_SHARD_ID", "ShardId": shard(1)}) == [2]
    assert kinesis.listed(ExclusiveStartShardId=shard(0)) == [1, 2]
    assert refusal(lambda: kinesis.listed(ShardFilter={"Type": "AT_TIMESTAMP"})).code == "InvalidArgumentException"


def test_pages_of_shards() -> None:
    kinesis = Kinesis(shards=5)
    answer = kinesis.listing.list_shards({"StreamName": "s", "MaxResults": 2})
    seen = [len(answer["Shards"])]
    while "NextToken" in answer:
        answer = kinesis.listing.list_shards({"NextToken": answer["NextToken"], "MaxResults": 2})
        seen.append(len(answer["Shards"]))
    assert seen == [2, 2, 1]
    assert refusal(lambda: kinesis.listing.list_shards({"NextToken": "x"})).code == "InvalidArgumentException"


@pytest.mark.parametrize(("shards", "target"), [(1, 2), (2, 4), (4, 2), (3, 5), (5, 3), (4, 4), (7, 13), (13, 7)])
def test_update_shard_count_leaves_uniform_shards_and_loses_no_record(shards: int, target: int) -> None:
    kinesis = Kinesis(shards)
    keys = [n * (MAX_HASH_KEY // 97) for n in range(97)]
    for key in keys:
        kinesis.put(b"%d" % key, key)
    answer = kinesis.resharding.update_shard_count(
        {"StreamName": "s", "TargetShardCount": target, "ScalingType": "UNIFORM_SCALING"}
    )
    assert (answer["CurrentShardCount"], answer["TargetShardCount"]) == (shards, target)
    stream = kinesis.backend.s
    ranges = [
        (int(stream["shards"][sid]["starting_hash_key"]), int(stream["shards"][sid]["ending_hash_key"]))
        for sid in open_shards(stream)
    ]
    size = (MAX_HASH_KEY + 1) // target
    assert [start for start, _ in ranges] == [n * size for n in range(target)]
    assert [end for _, end in ranges] == [*((n + 1) * size - 1 for n in range(target - 1)), MAX_HASH_KEY]
    closed = [sid for sid in stream["shards"] if sid not in open_shards(stream)]
    everything = [data for sid in closed for data in kinesis.read_to_the_end(int(sid[-12:]))[0]]
    everything += [one["Data"] for sid in open_shards(stream) for one in stream["shards"][sid]["records"]]
    assert sorted(everything) == sorted(b"%d" % key for key in keys)


def test_closed_shards_go_after_the_retention_period() -> None:
    kinesis = Kinesis()
    kinesis.split(0)
    kinesis.backend.s["shards"][shard(0)]["closed_at"] -= 24 * 3600 + 1
    assert kinesis.listed() == [1, 2]
    kinesis.split(1, HALF // 2)
    assert kinesis.listed() == [1, 2, 3, 4]


def test_what_is_refused() -> None:
    kinesis = Kinesis(shards=4)
    assert refusal(lambda: kinesis.merge(0, 2)).code == "InvalidArgumentException"
    assert refusal(lambda: kinesis.split(0, HALF)).code == "InvalidArgumentException"
    assert refusal(lambda: kinesis.split(9)).code == "ResourceNotFoundException"
    kinesis.merge(0, 1)
    assert "is closed" in str(refusal(lambda: kinesis.split(0, 5)))
    for target in (1, 7):
        asked = {"StreamName": "s", "TargetShardCount": target, "ScalingType": "UNIFORM_SCALING"}
        refused = refusal(lambda asked=asked: kinesis.resharding.update_shard_count(asked))
        assert refused.code == "InvalidArgumentException"
        assert f"Current open shard count: 3 Target shard count: {target}" in str(refused)


def test_on_demand_streams_scale_alone_until_they_are_provisioned() -> None:
    kinesis = Kinesis(mode="ON_DEMAND")
    asked = {"StreamName": "s", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING"}
    assert refusal(lambda: kinesis.resharding.update_shard_count(asked)).code == "ValidationException"
    assert kinesis.listing.describe_limits({}) == {
        "ShardLimit": 20_000,
        "OpenShardCount": 0,
        "OnDemandStreamCount": 1,
        "OnDemandStreamCountLimit": 50,
    }
    kinesis.listing.update_stream_mode({"StreamName": "s", "StreamModeDetails": {"StreamMode": "PROVISIONED"}})
    kinesis.resharding.update_shard_count(asked)
    assert kinesis.listing.describe_limits({})["OpenShardCount"] == 2


def test_scaling_ten_thousand_shards_looks_at_each_a_few_times() -> None:
    """Not a measurement: a search through all shards for each of them would take minutes here."""
    kinesis = Kinesis(shards=9_000)
    began = time.process_time()
    kinesis.resharding.update_shard_count({"StreamName": "s", "TargetShardCount": 10_000})
    assert time.process_time() - began < 10
    assert len(open_shards(kinesis.backend.s)) == 10_000


def test_quotas_of_the_region() -> None:
    kinesis = Kinesis(shards=3)
    refused = refusal(lambda: kinesis.listing.create_stream({"StreamName": "t", "ShardCount": 10**9}))
    assert refused.code == "LimitExceededException"
    assert "Limit: 20000" in str(refused)
    kinesis.listing.create_stream({"StreamName": "t", "ShardCount": 19_997})
    assert kinesis.listing.describe_limits({})["OpenShardCount"] == 19_997
