"""PutRecord, PutRecords, GetShardIterator and GetRecords."""

import binascii
import hashlib
import time
from collections.abc import Callable
from typing import Any, Protocol

from localaws.kinesis.backend import Backend, require_stream
from localaws.kinesis.errors import (
    KinesisError,
    constraint,
    invalid,
    no_such_shard,
    no_such_stream,
    throttle_message,
    throttled,
)
from localaws.kinesis.iterators import ShardIterator, read_token
from localaws.kinesis.shards import (
    MAX_HASH_KEY,
    Record,
    Shard,
    Stream,
    children,
    expire,
    is_open,
    route,
    start_position,
)

# Limits of the API reference (before the larger records some accounts have since 2025).
MAX_RECORDS_PUT = 500
MAX_BYTES_PUT = 5 << 20
MAX_BYTES_RECORD = 1 << 20
MAX_RECORDS_GOT = 10_000
MAX_BYTES_GOT = 10 << 20
_SEQUENCE_DIGITS = 30


class Limits(Protocol):
    """Whether a shard can take one more call; see ``limits``."""

    clock: Callable[[], float]

    def admits_put(self, shard: Shard, size: int, now: float) -> bool: ...

    def admits_get(self, shard: Shard) -> bool: ...

    def admits_iterator(self, shard: Shard) -> bool: ...

    def count_read(self, shard: Shard, size: int) -> None: ...


class RecordFaults(Protocol):
    """The injected failure of one record of a PutRecords: an error code, or None; see ``faults``."""

    def record_failure(self) -> str | None: ...


class Records:
    """The operations on records; each takes the request's members and returns the answer's."""

    def __init__(self, backend: Backend, limits: Limits | None) -> None:
        self._backend = backend
        self._limits = limits

    def put_record(self, data: dict[str, Any]) -> dict[str, Any]:
        stream = require_stream(self._backend, data)
        size = _check_record(data, "")
        expire(stream)
        shard_id = route(stream, _hash_key(data))
        if self._limits and not self._limits.admits_put(stream["shards"][shard_id], size, self._limits.clock()):
            raise throttled(shard_id, stream["StreamName"], self._backend.account)
        answer = self._append(stream, shard_id, data)
        self._backend.wake_readers()
        return answer

    def put_records(self, data: dict[str, Any], faults: RecordFaults | None = None) -> dict[str, Any]:
        stream = require_stream(self._backend, data)
        entries = data.get("Records") or []
        if not 1 <= len(entries) <= MAX_RECORDS_PUT:
            raise constraint("records", f"have length between 1 and {MAX_RECORDS_PUT}")
        sizes = [_check_record(entry, f"records.{number}.member.") for number, entry in enumerate(entries, 1)]
        if sum(sizes) > MAX_BYTES_PUT:
            raise invalid(f"Records size exceeds {MAX_BYTES_PUT >> 20} MB limit")
        expire(stream)
        now = self._limits.clock() if self._limits else 0.0
        pairs = zip(entries, sizes, strict=True)
        answers = [self._put_entry(stream, entry, size, now, faults) for entry, size in pairs]
        failed = sum("ErrorCode" in answer for answer in answers)
        if failed < len(answers):
            self._backend.wake_readers()
        return {"FailedRecordCount": failed, "Records": answers, **_encryption(stream)}

    def _put_entry(
        self, stream: Stream, entry: dict[str, Any], size: int, now: float, faults: RecordFaults | None
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
        sequence_number = self._backend.next_sequence_number()
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
        return {"SequenceNumber": sequence_number, "ShardId": shard_id}

    def get_shard_iterator(self, data: dict[str, Any]) -> dict[str, Any]:
        stream = require_stream(self._backend, data)
        shard = self._shard(stream, data.get("ShardId"))
        kind, timestamp = data.get("ShardIteratorType"), data.get("Timestamp")
        if kind == "AT_TIMESTAMP" and timestamp is None:
            raise invalid("Must either specify timestamp or use another ShardIteratorType than AT_TIMESTAMP.")
        sequence_number = str(data.get("StartingSequenceNumber") or "")
        if kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER") and not sequence_number.isdecimal():
            raise invalid(
                f"StartingSequenceNumber {sequence_number} used in GetShardIterator on shard {data['ShardId']} in "
                f"stream {stream['StreamName']} under account {self._backend.account} is invalid."
            )
        if self._limits and not self._limits.admits_iterator(shard):
            raise throttled(data["ShardId"], stream["StreamName"], self._backend.account)
        expire(stream)
        position = start_position(shard, str(kind), sequence_number.zfill(_SEQUENCE_DIGITS), float(timestamp or 0))
        if position is None:
            raise constraint(
                "shardIteratorType",
                "satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, "
                "AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]",
            )
        return {"ShardIterator": _iterator(stream, data["ShardId"], position)}

    def get_records(self, data: dict[str, Any]) -> tuple[dict[str, Any], ShardIterator]:
        """The answer, its records as they are stored (Data in base64); and where the call read."""
        limit = data.get("Limit", MAX_RECORDS_GOT)
        if not 1 <= limit <= MAX_RECORDS_GOT:
            raise constraint("limit", f"have value between 1 and {MAX_RECORDS_GOT}")
        iterator = read_token(data.get("ShardIterator"))
        stream = self._backend.stream_named(iterator.stream)
        if stream is None or generation(stream) != iterator.generation:
            raise no_such_stream(iterator.stream, self._backend.account)
        shard = self._shard(stream, iterator.shard_id)
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

    def _shard(self, stream: Stream, shard_id: str | None) -> Shard:
        shard = stream["shards"].get(shard_id)
        if shard is None:
            raise no_such_shard(shard_id, stream["StreamName"], self._backend.account)
        return shard


def generation(stream: Stream) -> str:
    """Tells a stream from one of the same name that was deleted before."""
    return str(stream.get("generation", stream["CreationTimestamp"]))


def _iterator(stream: Stream, shard_id: str, position: int) -> str:
    return ShardIterator(stream["StreamName"], generation(stream), shard_id, position, time.time()).token()


def _check_record(entry: dict[str, Any], member: str) -> int:
    """The size AWS counts (data and partition key, bytes); makes Data base64 text if it came as bytes."""
    key, data = entry.get("PartitionKey"), entry.get("Data")
    if not isinstance(key, str) or not 1 <= len(key) <= 256:
        raise constraint(f"{member}partitionKey", "have length between 1 and 256")
    if isinstance(data, bytes):
        length = len(data)
        entry["Data"] = binascii.b2a_base64(data, newline=False).decode()
    elif isinstance(data, str):
        length = _decoded_length(data)
    else:
        raise constraint(f"{member}data", "not be null")
    if length > MAX_BYTES_RECORD:
        raise constraint(f"{member}data", f"have length less than or equal to {MAX_BYTES_RECORD}")
    return length + len(key.encode())


def _decoded_length(data: str) -> int:
    if len(data) % 4:
        try:
            return len(binascii.a2b_base64(data, strict_mode=True))
        except binascii.Error as error:
            raise KinesisError("SerializationException", f"Data is not base64: {error}.") from error
    return len(data) // 4 * 3 - data[-2:].count("=")


def _hash_key(entry: dict[str, Any]) -> int:
    explicit = entry.get("ExplicitHashKey")
    if not explicit:
        return int.from_bytes(hashlib.md5(entry["PartitionKey"].encode(), usedforsecurity=False).digest())
    if not str(explicit).isdecimal() or int(explicit) > MAX_HASH_KEY:
        raise invalid(
            f"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value "
            f"was {explicit}"
        )
    return int(explicit)


def _page(records: list[Record], first: int, limit: int) -> tuple[list[Record], int]:
    """At most ``limit`` records and 10 MiB, but always one; and their size in bytes."""
    page = records[first : first + limit]
    total = 0
    for count, record in enumerate(page):
        size = len(record["Data"]) * 3 // 4 + len(record["PartitionKey"])
        if count and total + size > MAX_BYTES_GOT:
            return page[:count], total
        total += size
    return page, total


def _encryption(stream: Stream) -> dict[str, str]:
    return {"EncryptionType": "KMS"} if stream.get("EncryptionType") == "KMS" else {}
