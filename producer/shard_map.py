"""Which open shard of the stream a partition key goes to."""

from bisect import bisect_right
from dataclasses import dataclass
from hashlib import md5
from typing import Any

from producer_errors import StreamError


@dataclass(frozen=True)
class Shard:
    """An open shard: its id and the first hash key of its range."""

    shard_id: str
    starting_hash_key: int


class ShardMap:
    """The open shards in the order of their hash ranges.

    Kinesis takes the MD5 of the partition key's UTF-8 form as a 128-bit integer; the ranges of the open shards cover
    all of them without gap or overlap, so the first hash keys alone decide.
    """

    def __init__(self, shards: list[Shard]) -> None:
        self.shards = sorted(shards, key=lambda shard: shard.starting_hash_key)
        self._starts = [shard.starting_hash_key for shard in self.shards]

    def position(self, partition_key: str) -> int:
        """Index into ``shards`` of the one that takes this key."""
        digest = md5(partition_key.encode("utf-8"), usedforsecurity=False).digest()
        return bisect_right(self._starts, int.from_bytes(digest, "big")) - 1


def open_shards(listed: list[dict[str, Any]], stream: str) -> ShardMap:
    """The map from ListShards' ``Shards`` (closed ones, which have an ending sequence number, are left out)."""
    shards = [
        Shard(shard["ShardId"], int(shard["HashKeyRange"]["StartingHashKey"]))
        for shard in listed
        if "EndingSequenceNumber" not in shard["SequenceNumberRange"]
    ]
    if not shards:
        raise StreamError(f"The stream '{stream}' has no open shard: wait until it is ACTIVE, then invoke again.")
    return ShardMap(shards)
