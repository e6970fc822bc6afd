"""SplitShard, MergeShards and UpdateShardCount: parents are closed and stay readable, children take over."""

from typing import Any

from localaws.kinesis.backend import Backend, require_stream
from localaws.kinesis.errors import KinesisError, invalid, no_such_shard
from localaws.kinesis.shards import MAX_HASH_KEY, Shard, Stream, add_shard, close_shard, expire, is_open, open_shards

MAX_SHARDS = 10_000


class Resharding:
    """The operations that change a stream's shards; a change is complete when it is answered."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def split_shard(self, data: dict[str, Any]) -> dict[str, Any]:
        stream = require_stream(self._backend, data)
        shard_id = data.get("ShardToSplit") or ""
        start, end = _range(self._open(stream, shard_id))
        wanted = str(data.get("NewStartingHashKey") or "")
        if not wanted.isdecimal() or not start < int(wanted) <= end:
            raise invalid(
                f"NewStartingHashKey {wanted} used in SplitShard() on shard {shard_id} in stream "
                f"{stream['StreamName']} under account {self._backend.account} is not both greater than one plus the "
                "shard's StartingHashKey and less than the shard's EndingHashKey."
            )
        self._split(stream, shard_id, int(wanted))
        return {}

    def merge_shards(self, data: dict[str, Any]) -> dict[str, Any]:
        stream = require_stream(self._backend, data)
        first, second = data.get("ShardToMerge") or "", data.get("AdjacentShardToMerge") or ""
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
            raise KinesisError(
                "ValidationException",
                f"The stream {stream['StreamName']} is in on-demand mode, which scales its shards by itself.",
            )
        if data.get("ScalingType", "UNIFORM_SCALING") != "UNIFORM_SCALING":
            raise invalid("ScalingType must be UNIFORM_SCALING.")
        current, target = len(open_shards(stream)), int(data.get("TargetShardCount") or 0)
        counts = f"Current open shard count: {current} Target shard count: {target}"
        if target > 2 * current:
            raise invalid(f"UpdateShardCount cannot scale up over double your current open shard count. {counts}")
        if target < 1 or 2 * target < current:
            raise invalid(f"UpdateShardCount cannot scale down below half your current open shard count. {counts}")
        if target > MAX_SHARDS:
            raise KinesisError("LimitExceededException", f"A stream has at most {MAX_SHARDS} shards.")
        self._scale(stream, target)
        return {
            "StreamName": stream["StreamName"],
            "StreamARN": stream["StreamARN"],
            "CurrentShardCount": current,
            "TargetShardCount": target,
        }

    def _scale(self, stream: Stream, target: int) -> None:
        """Uniform shards by splits and merges, which leave short-lived shards between, as on AWS."""
        expire(stream)
        size = (MAX_HASH_KEY + 1) // target
        starts = [number * size for number in range(target)]
        for start in starts[1:]:
            holder = next(sid for sid in open_shards(stream) if _holds(stream["shards"][sid], start))
            if _range(stream["shards"][holder])[0] != start:
                self._split(stream, holder, start)
        for start, following in zip(starts, [*starts[1:], MAX_HASH_KEY + 1], strict=True):
            pieces = [sid for sid in open_shards(stream) if start <= _range(stream["shards"][sid])[0] < following]
            while len(pieces) > 1:
                pieces[:2] = [self._merge(stream, pieces[0], pieces[1])]

    def _split(self, stream: Stream, shard_id: str, at: int) -> None:
        start, end = _range(stream["shards"][shard_id])
        close_shard(stream, shard_id, self._backend.next_sequence_number())
        for first, last in ((start, at - 1), (at, end)):
            add_shard(stream, first, last, self._backend.next_sequence_number(), (shard_id,))

    def _merge(self, stream: Stream, first: str, second: str) -> str:
        ranges = [_range(stream["shards"][sid]) for sid in (first, second)]
        for shard_id in (first, second):
            close_shard(stream, shard_id, self._backend.next_sequence_number())
        start, end = min(ranges)[0], max(ranges)[1]
        return add_shard(stream, start, end, self._backend.next_sequence_number(), (first, second))

    def _open(self, stream: Stream, shard_id: str) -> Shard:
        shard = stream["shards"].get(shard_id)
        if shard is None:
            raise no_such_shard(shard_id, stream["StreamName"], self._backend.account)
        if not is_open(shard):
            raise invalid(
                f"Shard {shard_id} in stream {stream['StreamName']} under account {self._backend.account} is closed; "
                "only an open shard can be split or merged."
            )
        return shard


def _range(shard: Shard) -> tuple[int, int]:
    return int(shard["starting_hash_key"]), int(shard["ending_hash_key"])


def _holds(shard: Shard, hash_key: int) -> bool:
    start, end = _range(shard)
    return start <= hash_key <= end
