"""Read requests and write answers on the wire: JSON for boto3, CBOR for the connector's Java SDK.

AWS's CBOR counts a timestamp (tag 1) in milliseconds, where the standard, and so ``cbor2``, counts in seconds.
"""

import functools
from collections.abc import Iterable
from typing import Any

import cbor2
import orjson
import pybase64

from localaws.errors import ApiError
from localaws.kinesis.shards import Record
from localaws.validation import read_json, serialization

_JSON = "application/x-amz-json-1.1"
_CBOR = "application/x-amz-cbor-1.1"
_TIMESTAMPS = ("StreamCreationTimestamp", "ConsumerCreationTimestamp")
_BYTES, _TEXT = 0x40, 0x60  # CBOR major types

Answer = tuple[int, dict[str, str], bytes]


def speaks_cbor(headers: dict[str, str]) -> bool:
    return "cbor" in headers.get("content-type", "")


def decode(body: bytes, cbor: bool) -> dict[str, Any]:
    """Return a request's members; timestamps in seconds. Raises ApiError (SerializationException)."""
    if not cbor or not body:
        return read_json(body)
    try:
        data = cbor2.loads(body, semantic_decoders={1: _seconds}, strict_hashable_types=True)
    except (ValueError, TypeError, OverflowError, MemoryError, cbor2.CBORDecodeError) as error:
        raise serialization(f"The request is not CBOR: {error}.") from error
    if not isinstance(data, dict):
        raise serialization("The request is not an object.")
    return data


def _seconds(millis: Any, immutable: bool) -> float:
    return millis / 1000


def encode(answer: dict[str, Any], cbor: bool) -> Answer:
    if not cbor:
        return 200, {"Content-Type": _JSON}, orjson.dumps(answer)
    return 200, {"Content-Type": _CBOR}, cbor2.dumps(_with_dates(answer))


def encode_records(answer: dict[str, Any], cbor: bool) -> Answer:
    """Return a GetRecords answer, whose records are as they are stored; CBOR is put together by hand."""
    if not cbor:
        records = [{**one, "Data": pybase64.b64encode(one["Data"]).decode()} for one in answer["Records"]]
        return encode({**answer, "Records": records}, cbor)
    rest = {name: value for name, value in answer.items() if name != "Records"}
    # cbor2 writes the other members as a map; adding one member to it only changes the count in its first byte.
    others = cbor2.dumps(rest)
    body = b"".join((bytes((others[0] + 1,)), others[1:], _RECORDS, *_cbor_records(answer["Records"])))
    return 200, {"Content-Type": _CBOR}, body


def encode_error(error: ApiError, cbor: bool) -> Answer:
    body = {"__type": error.code, "message": str(error)}
    headers = {"Content-Type": _CBOR if cbor else _JSON, "x-amzn-errortype": error.code}
    return error.status, headers, cbor2.dumps(body) if cbor else orjson.dumps(body)


def _with_dates(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: cbor2.CBORTag(1, int(member * 1000)) if name in _TIMESTAMPS else _with_dates(member)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_with_dates(member) for member in value]
    return value


_RECORDS = cbor2.dumps("Records")
_SEQUENCE = b"\xa4" + cbor2.dumps("SequenceNumber")  # each record is a map of four
_ARRIVAL = cbor2.dumps("ApproximateArrivalTimestamp") + b"\xc1\x1b"  # tag 1 on an integer of eight bytes
_DATA = cbor2.dumps("Data")
_KEY = cbor2.dumps("PartitionKey")


def _cbor_records(records: list[Record]) -> Iterable[bytes]:
    # A general encoder would build a map of tagged values for each record first; this is most of what a job costs us.
    head = _head
    pieces = [head(0x80, len(records))]
    add = pieces.append
    for record in records:
        sequence, key = record["SequenceNumber"].encode(), record["PartitionKey"].encode()
        arrival = round(record["ApproximateArrivalTimestamp"] * 1000).to_bytes(8)
        data = record["Data"]
        before = (_SEQUENCE, head(_TEXT, len(sequence)), sequence, _ARRIVAL, arrival, _DATA, head(_BYTES, len(data)))
        add(b"".join(before))
        add(data)
        add(b"".join((_KEY, head(_TEXT, len(key)), key)))
    return pieces


@functools.lru_cache(maxsize=8192)  # a page of records has few different lengths
def _head(major: int, length: int) -> bytes:
    """Return the first bytes of a CBOR item of this length."""
    if length < 24:
        return bytes((major | length,))
    if length < 1 << 8:
        return bytes((major | 24, length))
    if length < 1 << 16:
        return bytes((major | 25,)) + length.to_bytes(2)
    return bytes((major | 26,)) + length.to_bytes(4)
