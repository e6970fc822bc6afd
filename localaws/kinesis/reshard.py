"""Answer SplitShard, MergeShards and UpdateShardCount: parents close and stay readable, children take over."""

from typing import Any

from localaws.errors import ApiError
from localaws.kinesis.backend import Backend, require_shard, require_stream
from localaws.kinesis.errors import invalid, over_limit
from localaws.kinesis.shards import (
    MAX_HASH_KEY,
    Shard,
    Stream,
    add_shard,
    close_shard,
    expire,
    is_open,
    next_sequence_number,
    open_shards,
)

MAX_SHARDS = 10_000


class Resharding:
    """Answer the operations that change a stream's shards; a change is complete when it is answered."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def split_shard(self, data: dict[str, Any]) -> dict[str, Any]:
        stream = require_stream(self._backend, data)
        shard_id = data["ShardToSplit"]
        start, end = _range(self._open(stream, shard_id))
        wanted = data["NewStartingHashKey"]
        if not start < int(wanted) <= end:
            raise invalid(
                f"NewStartingHashKey {wanted} used in SplitShard() on shard {shard_id} in stream "
                f"{stream['StreamName']} under account {self._backend.account} is not both greater than one plus the "
                "shard's StartingHashKey and less than the shard's EndingHashKey."
            )
        self._split(stream, shard_id, int(wanted))
        return {}

    def merge_shards(self, data: dict[str, Any]) -> dict[str, Any]:
        stream = require_stream(self._backend, data)
        first, second = data["ShardToMerge"], data["AdjacentShardToMerge"]
        ranges = sorted((_range(self._open(stream, first)), _range(self._open(stream, second))))
        if ranges[0][1] + 1 != ranges[1][0]:
            raise invalid(
                f"Shards {first} and {second} in stream {stream['StreamName']} under account {self._backend.account} "
                "are not an adjacent pair of shards eligible for merging"
            )
        self._merge(stream, first, second)
        return {}

    def update_shard_count(self, data: dict[str, Any]) -> dict[str, Any]:
        stream = require_stream(self._backend, data)
        if stream["StreamModeDetails"]["StreamMode"] == "ON_DEMAND":
            raise ApiError(
                "ValidationException",
                f"The stream {stream['StreamName']} is in on-demand mode, which scales its shards by itself.",
            )
        current, target = len(open_shards(stream)), data["TargetShardCount"]
        counts = f"Current open shard count: {current} Target shard count: {target}"
        if target > 2 * current:
            raise invalid(f"UpdateShardCount cannot scale up over double your current open shard count. {counts}")
        if 2 * target < current:
            raise invalid(f"UpdateShardCount cannot scale down below half your current open shard count. {counts}")
        if target > MAX_SHARDS:
            raise over_limit(f"UpdateShardCount scales a stream to at most {MAX_SHARDS} shards.")
        self._scale(stream, target)
        return {
            "StreamName": stream["StreamName"],
            "StreamARN": stream["StreamARN"],
            "CurrentShardCount": current,
            "TargetShardCount": target,
        }

    def _scale(self, stream: Stream, target: int) -> None:
        """Make uniform shards by splits and merges, which leave short-lived shards between, as on AWS."""
        expire(stream)
        size = (MAX_HASH_KEY + 1) // target
        starts = [number * size for number in range(target)]
        pieces: list[str] = []
        todo = starts[::-1]
        for shard_id in open_shards(stream):
            start, end = _range(stream["shards"][shard_id])
            while todo and todo[-1] <= end:
                wanted = todo.pop()
                if wanted != start:
                    first, shard_id = self._split(stream, shard_id, wanted)
                    pieces.append(first)
                    start = wanted
            pieces.append(shard_id)
        merged = pieces[0]
        for shard_id in pieces[1:]:
            start = _range(stream["shards"][shard_id])[0]
            begins = start % size == 0 and start // size < target
            merged = shard_id if begins else self._merge(stream, merged, shard_id)

    def _split(self, stream: Stream, shard_id: str, at: int) -> list[str]:
        start, end = _range(stream["shards"][shard_id])
        close_shard(stream, shard_id, next_sequence_number())
        ranges = ((start, at - 1), (at, end))
        return [add_shard(stream, first, last, next_sequence_number(), (shard_id,)) for first, last in ranges]

    def _merge(self, stream: Stream, first: str, second: str) -> str:
        ranges = [_range(stream["shards"][sid]) for sid in (first, second)]
        for shard_id in (first, second):
            close_shard(stream, shard_id, next_sequence_number())
        start, end = min(ranges)[0], max(ranges)[1]
        return add_shard(stream, start, end, next_sequence_number(), (first, second))

    def _open(self, stream: Stream, shard_id: str) -> Shard:
        shard = require_shard(self._backend, stream, shard_id)
        if not is_open(shard):
            raise invalid(
                f"Shard {shard_id} in stream {stream['StreamName']} under account {self._backend.account} is closed; "
                "only an open shard can be split or merged."
            )
        return shard


def _range(shard: Shard) -> tuple[int, int]:
    return int(shard["starting_hash_key"]), int(shard["ending_hash_key"])
