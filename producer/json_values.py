"""JSON as the producer reads and writes it: orjson or the standard library, what stands in place of a bad value, a run
of elements."""

import json
import re
from typing import Any

try:
    import orjson
except ImportError:  # no binary for this Python in the zip
    orjson = None

MAX_ELEMENT = 8 << 20  # bytes one element may have; bounds the memory, far beyond any record Kinesis takes
# A decoding error this close to the end of what has arrived may be cured by the next bytes ("tru", "\\u12", "-").
UNSURE_TAIL = 16
WHITESPACE = re.compile(r"[ \t\r\n]*")


class Malformed:
    """In place of a value: bytes that are no JSON value. ``reason`` is short and from a small set."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Odd:
    """In place of NaN, Infinity and integers beyond 4,000 digits: read, but no JSON value of any use here."""


def _whole_number(text: str) -> Any:
    return int(text) if len(text) <= 4000 else Odd()


DECODER = json.JSONDecoder(parse_constant=lambda name: Odd(), parse_int=_whole_number)


def standard_loads(data: bytes) -> Any:
    """What orjson reads, by the standard library. Raises ValueError or RecursionError."""
    return DECODER.decode(data.decode("utf-8"))


def standard_dumps(record: dict[str, Any]) -> bytes:
    """What orjson writes, by the standard library: no spaces, UTF-8. Raises UnicodeEncodeError for a lone surrogate."""
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


# By the standard library a record takes five times as long.
loads, dumps = (orjson.loads, orjson.dumps) if orjson else (standard_loads, standard_dumps)


def is_cut_off(error: json.JSONDecodeError, size: int) -> bool:
    """Whether a decoding error of a text of this size may only be there because the text ends too early."""
    return error.msg.startswith("Unterminated string") or error.pos >= size - UNSURE_TAIL


class Segment:
    """Consecutive elements. ``items``: values or Malformed; ``offset``: the first byte, in the decompressed object."""

    __slots__ = ("_lengths", "data", "items", "offset")

    def __init__(self, items: list[Any], offset: int, data: bytes, lengths: list[tuple[int, int]] | None) -> None:
        self.items, self.offset, self.data = items, offset, data
        self._lengths = lengths

    def locate(self, position: int) -> tuple[int, bytes]:
        """Byte offset and raw bytes of the element at this position of the segment (for the rejected ones)."""
        if self._lengths is None:
            try:
                self._lengths = self._find()
            except (ValueError, RecursionError):  # orjson nests deeper: the segment is as near as can be said
                self._lengths = [(0, len(self.data))] * len(self.items)
        start, size = self._lengths[position]
        return self.offset + start, self.data[start : start + size]

    def _find(self) -> list[tuple[int, int]]:
        text = self.data.decode("utf-8")
        lengths, at, byte = [], 0, 0
        for _ in self.items:
            start = WHITESPACE.match(text, at).end()
            if text[start] == ",":
                start = WHITESPACE.match(text, start + 1).end()
            end = DECODER.raw_decode(text, start)[1]
            byte += len(text[at:start].encode())
            size = len(text[start:end].encode())
            lengths.append((byte, size))
            byte, at = byte + size, end
        return lengths
