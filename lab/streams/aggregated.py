"""Take records apart that a Kinesis Producer Library packed into one, as Flink's connector does.

The format is four magic bytes, a protobuf message and its MD5 (Kinesis Producer Library, aggregation-format.md).
"""

import hashlib

MAGIC = b"\xf3\x89\x9a\xc2"
_RECORDS, _DATA = 3, 3  # field numbers: AggregatedRecord.records, Record.data
_BYTES = 2  # protobuf's wire type of what has a length
_DIGEST = 16  # bytes


def unpacked(data: bytes) -> list[bytes]:
    """Return the data of each user record in a Kinesis record.

    One that is not aggregated, or damaged, is its only one.
    """
    message, digest = data[len(MAGIC) : -_DIGEST], data[-_DIGEST:]
    if not data.startswith(MAGIC) or hashlib.md5(message, usedforsecurity=False).digest() != digest:
        return [data]
    try:
        return [dict(_fields(record)).get(_DATA, b"") for number, record in _fields(message) if number == _RECORDS]
    except (IndexError, ValueError):
        return [data]


def _fields(message: bytes) -> list[tuple[int, bytes]]:
    """Return the fields of a protobuf message that have a length: (number, content).

    Raises IndexError or ValueError.
    """
    fields, place = [], 0
    while place < len(message):
        key, place = _varint(message, place)
        value, place = _varint(message, place)
        if key & 7 == _BYTES:
            if place + value > len(message):
                raise ValueError("a field is longer than its message")
            fields.append((key >> 3, message[place : place + value]))
            place += value
        elif key & 7 != 0:
            raise ValueError(f"wire type {key & 7}")
    return fields


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        value, shift, place = value | (byte & 0x7F) << shift, shift + 7, place + 1
        if byte < 0x80:
            return value, place
