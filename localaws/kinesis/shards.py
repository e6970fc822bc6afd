"""Keep the shards of one stream: which are open, whose a hash key is, what has expired.

A closed shard stays, readable to its end, until the retention period has passed since it was closed. Positions are
counted from a shard's first record ever (``trimmed`` + index), so that they survive the expiry of records.
"""

import bisect
import itertools
import time
from collections.abc import Callable
from typing import Any

from localaws.kinesis.errors import invalid

Stream = dict[str, Any]
Shard = dict[str, Any]
Record = dict[str, Any]

MAX_HASH_KEY = (1 << 128) - 1
_ENDING = "ending_sequence_number"
_MILLISECOND = 0.001  # clients may round a moment up to the next one
_RECORD_OVERHEAD = 512  # bytes a stored record takes beside its data and its partition key, measured

# 56 digits that begin with 49, as AWS's have, and rise from one start of the account to the next.
_LEAST = 49 * 10**54
_sequence_numbers = itertools.count(_LEAST + time.time_ns() * 10**30)


def next_sequence_number() -> str:
    """Return a sequence number above all earlier ones, as a number and as a text."""
    return str(next(_sequence_numbers))


def check_start(sequence_number: str | None, timestamp: float | None) -> None:
    """Refuse a start that no stream has: a sequence number never given out, or a moment yet to come.

    A number of an earlier stream passes: a snapshot holds them, and its stream is made again with the account. Raises
    ApiError (InvalidArgumentException).
    """
    if sequence_number is not None and not _LEAST <= int(sequence_number) < int(next_sequence_number()):
        raise invalid(f"StartingSequenceNumber {sequence_number} is invalid because it did not come from this stream.")
    now = time.time()
    if timestamp is not None and timestamp > now + _MILLISECOND:
        raise invalid(
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: "
            f"{timestamp * 1000:.0f}, currentTimestampInMillis: {now * 1000:.0f}"
        )


def stored_size(record: Record) -> int:
    """Return the bytes of memory a record takes."""
    return len(record["Data"]) + len(record["PartitionKey"]) + _RECORD_OVERHEAD


def is_open(shard: Shard) -> bool:
    return _ENDING not in shard


def open_shards(stream: Stream) -> list[str]:
    """Return ids of the open shards, by their hash keys."""
    shards = [(int(shard["starting_hash_key"]), sid) for sid, shard in stream["shards"].items() if is_open(shard)]
    return [sid for _, sid in sorted(shards)]


def route(stream: Stream, hash_key: int) -> str:
    """Return the open shard a hash key belongs to."""
    # The open shards always partition the whole hash key range; the table is kept until they change.
    if "routes" not in stream:
        ids = open_shards(stream)
        stream["routes"] = [int(stream["shards"][sid]["starting_hash_key"]) for sid in ids], ids
    starts, ids = stream["routes"]
    return ids[bisect.bisect_right(starts, hash_key) - 1]


def add_shard(stream: Stream, start: int, end: int, sequence_number: str, parents: tuple[str, ...]) -> str:
    """Open a child of one parent (split) or two (merge) over ``start`` to ``end``; returns its id."""
    if "next_shard" not in stream:
        stream["next_shard"] = max(int(sid.rpartition("-")[2]) for sid in stream["shards"]) + 1
    number = stream["next_shard"]
    stream["next_shard"] += 1
    shard_id = f"shardId-{number:012d}"
    stream["shards"][shard_id] = {
        "records": [],
        "starting_hash_key": str(start),
        "ending_hash_key": str(end),
        "starting_sequence_number": sequence_number,
        "parent_shard_id": parents[0],
        "adjacent_parent_shard_id": parents[1] if len(parents) > 1 else None,
        "opened_at": time.time(),
    }
    stream.pop("routes", None)
    return shard_id


def close_shard(stream: Stream, shard_id: str, sequence_number: str) -> None:
    """Close a shard to new records; what it has stays readable."""
    stream["shards"][shard_id] |= {_ENDING: sequence_number, "closed_at": time.time()}
    stream.pop("routes", None)


def parents(shard: Shard) -> list[str]:
    return [sid for sid in (shard.get("parent_shard_id"), shard.get("adjacent_parent_shard_id")) if sid]


def children(stream: Stream, shard_id: str) -> list[dict[str, Any]]:
    """Return the children of a closed shard, as GetRecords names them at its end."""
    return [
        {"ShardId": sid, "ParentShards": parents(shard), "HashKeyRange": _hash_keys(shard)}
        for sid, shard in sorted(stream["shards"].items())
        if shard_id in parents(shard)
    ]


def describe(shard_id: str, shard: Shard) -> dict[str, Any]:
    """Return a shard as ListShards and DescribeStream show it."""
    sequence = {"StartingSequenceNumber": shard["starting_sequence_number"]}
    if not is_open(shard):
        sequence["EndingSequenceNumber"] = shard[_ENDING]
    described = {"ShardId": shard_id, "HashKeyRange": _hash_keys(shard), "SequenceNumberRange": sequence}
    for name, key in (("ParentShardId", "parent_shard_id"), ("AdjacentParentShardId", "adjacent_parent_shard_id")):
        if shard.get(key):
            described[name] = shard[key]
    return described


def _hash_keys(shard: Shard) -> dict[str, str]:
    return {"StartingHashKey": shard["starting_hash_key"], "EndingHashKey": shard["ending_hash_key"]}


def opened_at(stream: Stream, shard: Shard) -> float:
    """Return seconds since the epoch at which the shard was opened."""
    return float(shard.get("opened_at") or stream["CreationTimestamp"])


def expire(stream: Stream) -> None:
    """Drop what is older than the retention period: the oldest records of each shard, and long closed shards.

    Costs one comparison a shard while nothing has expired: records are kept in the order of their arrival.
    """
    horizon = time.time() - stream["RetentionPeriodHours"] * 3600
    for shard in stream["shards"].values():
        records = shard["records"]
        if records and records[0]["ApproximateArrivalTimestamp"] < horizon:
            count = bisect.bisect_left(records, horizon, key=_arrival)
            stream["stored"] = stream.get("stored", 0) - sum(map(stored_size, records[:count]))
            del records[:count]
            shard["trimmed"] = shard.get("trimmed", 0) + count
    gone = [sid for sid, shard in stream["shards"].items() if shard.get("closed_at", horizon) < horizon]
    for shard_id in gone:
        shard = stream["shards"].pop(shard_id)
        stream["stored"] = stream.get("stored", 0) - sum(map(stored_size, shard["records"]))


def start_position(shard: Shard, kind: str, sequence_number: int, timestamp: float) -> int:
    """Return the position an iterator of this type starts at."""
    records, trimmed = shard["records"], shard.get("trimmed", 0)
    searches: dict[str, Callable[[], int]] = {
        "TRIM_HORIZON": lambda: 0,
        "LATEST": lambda: len(records),
        "AT_SEQUENCE_NUMBER": lambda: bisect.bisect_left(records, sequence_number, key=_sequence),
        "AFTER_SEQUENCE_NUMBER": lambda: bisect.bisect_right(records, sequence_number, key=_sequence),
        "AT_TIMESTAMP": lambda: bisect.bisect_left(records, timestamp, key=_arrival),
    }
    return trimmed + searches[kind]()


def _arrival(record: Record) -> float:
    return record["ApproximateArrivalTimestamp"]


def _sequence(record: Record) -> int:
    return int(record["SequenceNumber"])
