"""Partition keys to shards as Kinesis does it."""

import pytest
from producer_errors import StreamError
from shard_map import open_shards


def listed(*starts: int, closed: tuple[int, ...] = ()) -> list[dict]:
    return [
        {
            "ShardId": f"shardId-{number:012d}",
            "HashKeyRange": {"StartingHashKey": str(start), "EndingHashKey": "not looked at"},
            "SequenceNumberRange": {"StartingSequenceNumber": "1"}
            | ({"EndingSequenceNumber": "2"} if number in closed else {}),
        }
        for number, start in enumerate(starts)
    ]


@pytest.mark.parametrize("shards", [1, 2, 4, 8])
def test_the_stream_puts_each_key_where_the_map_says(make_world, shards):
    world = make_world(shards=shards)
    kinesis = world.client("kinesis")
    shard_map = open_shards(kinesis.list_shards(StreamName=world.stream)["Shards"], world.stream)
    keys = [f"rw{number:07d}" for number in range(60)] + ["\u6620\u753b", "x" * 256]
    answer = kinesis.put_records(StreamName=world.stream, Records=[{"Data": b"x", "PartitionKey": key} for key in keys])
    expected = [record["ShardId"] for record in answer["Records"]]
    assert [shard_map.shards[shard_map.position(key)].shard_id for key in keys] == expected
    assert len(set(expected)) == shards


def test_closed_shards_get_nothing():
    half = 1 << 127
    shard_map = open_shards(listed(0, 0, half, closed=(0,)), "reviews")
    assert [shard.shard_id[-1] for shard in shard_map.shards] == ["1", "2"]
    assert shard_map.shards[1].starting_hash_key == half


def test_a_stream_without_open_shards_is_refused():
    with pytest.raises(StreamError, match="no open shard"):
        open_shards(listed(0, closed=(0,)), "reviews")
