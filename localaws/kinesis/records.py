"""Answer PutRecord, PutRecords, GetShardIterator and GetRecords."""

import hashlib
import time
from typing import Any

from localaws.errors import ApiError
from localaws.kinesis.backend import Backend, require_shard, require_stream
from localaws.kinesis.errors import invalid, no_such_stream, over_limit, throttle_message, throttled
from localaws.kinesis.faults import Fate
from localaws.kinesis.iterators import ShardIterator, read_token
from localaws.kinesis.limits import StrictLimits
from localaws.kinesis.shards import (
    MAX_HASH_KEY,
    Record,
    Stream,
    check_start,
    children,
    expire,
    is_open,
    next_sequence_number,
    route,
    start_position,
    stored_size,
)

# Limits of the API reference that its model does not carry (before the larger records a stream may have since 2025).
MAX_BYTES_PUT = 5 << 20
MAX_BYTES_RECORD = 1 << 20
MAX_RECORDS_GOT = 10_000
MAX_BYTES_GOT = 10 << 20
# What the account may hold in memory, in bytes as ``stored_size`` counts them.
MAX_BYTES_STORED = 2 << 30


class Records:
    """Answer the operations on records; each takes the request's members and returns the answer's."""

    def __init__(self, backend: Backend, limits: StrictLimits | None) -> None:
        self._backend = backend
        self._limits = limits

    def put_record(self, data: dict[str, Any]) -> dict[str, Any]:
        stream = require_stream(self._backend, data)
        size = _size(data)
        self._make_room(stream, size)
        shard_id = route(stream, _hash_key(data))
        if self._limits and not self._limits.admits_put(stream["shards"][shard_id], size, self._limits.clock()):
            raise throttled(shard_id, stream["StreamName"], self._backend.account)
        answer = self._append(stream, shard_id, data)
        self._backend.wake_readers()
        return answer

    def put_records(self, data: dict[str, Any], faults: Fate | None = None) -> dict[str, Any]:
        stream = require_stream(self._backend, data)
        entries = data["Records"]
        sizes = [_size(entry) for entry in entries]
        if sum(sizes) > MAX_BYTES_PUT:
            raise invalid(f"Records size exceeds {MAX_BYTES_PUT >> 20} MB limit")
        self._make_room(stream, sum(sizes))
        now = self._limits.clock() if self._limits else 0.0
        pairs = zip(entries, sizes, strict=True)
        answers = [self._put_entry(stream, entry, size, now, faults) for entry, size in pairs]
        failed = sum("ErrorCode" in answer for answer in answers)
        if failed < len(answers):
            self._backend.wake_readers()
        encryption = {"EncryptionType": "KMS"} if stream.get("EncryptionType") == "KMS" else {}
        return {"FailedRecordCount": failed, "Records": answers, **encryption}

    def _put_entry(
        self, stream: Stream, entry: dict[str, Any], size: int, now: float, faults: Fate | None
    ) -> dict[str, Any]:
        shard_id = route(stream, _hash_key(entry))
        failure = faults.record_failure() if faults else None
        if failure is None and self._limits and not self._limits.admits_put(stream["shards"][shard_id], size, now):
            failure = "ProvisionedThroughputExceededException"
        if failure is None:
            return self._append(stream, shard_id, entry)
        message = "Internal Service Failure"
        if failure == "ProvisionedThroughputExceededException":
            message = throttle_message(shard_id, stream["StreamName"], self._backend.account)
        return {"ErrorCode": failure, "ErrorMessage": message}

    def _append(self, stream: Stream, shard_id: str, entry: dict[str, Any]) -> dict[str, Any]:
        records: list[Record] = stream["shards"][shard_id]["records"]
        sequence_number = next_sequence_number()
        arrival = round(time.time(), 3)
        if records:  # a clock set back must not undo the order that searches by time rely on
            arrival = max(arrival, records[-1]["ApproximateArrivalTimestamp"])
        records.append(
            {
                "SequenceNumber": sequence_number,
                "ApproximateArrivalTimestamp": arrival,
                "Data": entry["Data"],
                "PartitionKey": entry["PartitionKey"],
            }
        )
        stream["stored"] = stream.get("stored", 0) + stored_size(records[-1])
        return {"SequenceNumber": sequence_number, "ShardId": shard_id}

    def get_shard_iterator(self, data: dict[str, Any]) -> dict[str, Any]:
        stream = require_stream(self._backend, data)
        shard = require_shard(self._backend, stream, data["ShardId"])
        kind, timestamp = data["ShardIteratorType"], data.get("Timestamp")
        if kind == "AT_TIMESTAMP" and timestamp is None:
            raise invalid("Must either specify timestamp or use another ShardIteratorType than AT_TIMESTAMP.")
        sequence_number = data.get("StartingSequenceNumber")
        if kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER") and sequence_number is None:
            raise invalid(f"Must either specify a StartingSequenceNumber or use another ShardIteratorType than {kind}.")
        check_start(sequence_number, timestamp)
        if self._limits and not self._limits.admits_iterator(shard):
            raise throttled(data["ShardId"], stream["StreamName"], self._backend.account)
        expire(stream)
        position = start_position(shard, kind, int(sequence_number or 0), timestamp or 0.0)
        return {"ShardIterator": _iterator(stream, data["ShardId"], position)}

    def get_records(self, data: dict[str, Any]) -> tuple[dict[str, Any], ShardIterator]:
        """Return the answer, its records as they are stored; and where the call read."""
        limit = data.get("Limit", MAX_RECORDS_GOT)
        iterator = read_token(data["ShardIterator"])
        stream = self._backend.stream_named(iterator.stream)
        if stream is None or generation(stream) != iterator.generation:
            raise no_such_stream(iterator.stream, self._backend.account)
        shard = require_shard(self._backend, stream, iterator.shard_id)
        if self._limits and not self._limits.admits_get(shard):
            raise throttled(iterator.shard_id, stream["StreamName"], self._backend.account)
        expire(stream)
        records = shard["records"]
        first = max(0, iterator.position - shard.get("trimmed", 0))
        page, size = _page(records, first, limit)
        if self._limits:
            self._limits.count_read(shard, size)
        rest = first + len(page)
        answer: dict[str, Any] = {"Records": page, "MillisBehindLatest": 0}
        if rest < len(records):
            behind = time.time() - records[rest]["ApproximateArrivalTimestamp"]
            answer["MillisBehindLatest"] = max(1, int(behind * 1000))
        if rest < len(records) or is_open(shard):
            answer["NextShardIterator"] = _iterator(stream, iterator.shard_id, shard.get("trimmed", 0) + rest)
        else:
            answer["ChildShards"] = children(stream, iterator.shard_id)
        return answer, iterator

    def _make_room(self, stream: Stream, size: int) -> None:
        """Drop what has expired; raises LimitExceededException where ``size`` bytes more are too many."""
        expire(stream)
        if self._backend.stored() + size > MAX_BYTES_STORED:
            raise over_limit(
                f"The embedded account holds {MAX_BYTES_STORED >> 20} MB of records and takes no more; delete a stream "
                "that is not needed any longer."
            )


def generation(stream: Stream) -> str:
    """Tell a stream from one of the same name that was deleted before."""
    return str(stream.get("generation", stream["CreationTimestamp"]))


def _iterator(stream: Stream, shard_id: str, position: int) -> str:
    return ShardIterator(stream["StreamName"], generation(stream), shard_id, position).token()


def _size(entry: dict[str, Any]) -> int:
    """Return the size AWS counts: data and partition key, in bytes."""
    length = len(entry["Data"])
    if length > MAX_BYTES_RECORD:
        raise ApiError(
            "ValidationException",
            "1 validation error detected: Value at 'data' failed to satisfy constraint: Member must have length less "
            f"than or equal to {MAX_BYTES_RECORD}",
        )
    return length + len(entry["PartitionKey"].encode())


def _hash_key(entry: dict[str, Any]) -> int:
    explicit = entry.get("ExplicitHashKey")
    if explicit is None:
        return int.from_bytes(hashlib.md5(entry["PartitionKey"].encode(), usedforsecurity=False).digest())
    if int(explicit) > MAX_HASH_KEY:
        raise invalid(
            f"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value "
            f"was {explicit}"
        )
    return int(explicit)


def _page(records: list[Record], first: int, limit: int) -> tuple[list[Record], int]:
    """Take at most ``limit`` records and 10 MiB, but always one; returns their size in bytes, too."""
    page = records[first : first + limit]
    total = 0
    for count, record in enumerate(page):
        size = len(record["Data"]) + len(record["PartitionKey"])
        if count and total + size > MAX_BYTES_GOT:
            return page[:count], total
        total += size
    return page, total
