"""The elements of a JSON array, decoded while the bytes arrive.

The bytes are cut into segments: as many whole elements as a chunk holds. A segment is parsed by orjson in one go. That
the cut is right needs no parser of ours: bytes that start at an element boundary and parse as the inside of an array
end at one too, because a JSON parser's state depends only on what it has read so far.

What orjson refuses (a lone surrogate, NaN, more than a thousand levels, what is not JSON) goes through the standard
library's decoder instead, one element at a time. So a malformed element costs itself only, and both give the same
values for the same bytes, integers beyond 64 bits apart, which orjson takes for floats: neither is of use here.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import json_values
from json_values import DECODER, MAX_ELEMENT, UNSURE_TAIL, WHITESPACE, Malformed, Segment, is_cut_off

_OPENING = re.compile(rb"[ \t\r\n]*")
_SEPARATOR = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*")
_UNDECODABLE = re.compile("[\udc80-\udcff]")
_OBJECT_START = re.compile(r'\{[ \t\r\n]*"')


class ArrayReader:
    """Segments of one JSON array.

    ``offset`` is where ``chunks`` begin: 0, or just behind an element (``inside`` True) when an earlier reader stopped
    there. ``recognise`` says whether a value found behind malformed bytes can only be a whole element; without that a
    nested object would be taken for one. In the end ``problem`` is None or a sentence about the array's own end.
    """

    def __init__(
        self,
        chunks: Iterator[bytes],
        recognise: Callable[[Any], bool],
        offset: int = 0,
        inside: bool = False,
        loads: Callable[[bytes], Any] = json_values.loads,
    ) -> None:
        self.problem: str | None = None
        self._chunks = chunks
        self._recognise = recognise
        self._loads = loads
        self._buffer = b""
        self._offset = offset
        self._first = not inside
        self._eof = False
        self._closed = False
        self._skipping = False  # inside malformed bytes that are already reported

    def segments(self) -> Iterator[Segment]:
        """Every element once, in order; where a segment with items begins, a reader can begin again.

        A segment without items only gives the caller a turn while malformed bytes are being skipped.
        """
        if self._first:
            self._open()
        while not self._closed:
            if self._skipping and not self._skip():
                yield Segment([], self._offset, b"", [])
                segment = None
            else:
                segment = self._fast() or self._careful()
            if segment is not None:
                yield segment
            elif self._eof and not self._closed:
                self.problem = f"the array is not closed: the object ends at byte {self._offset + len(self._buffer):,}"
                return
            elif not self._closed:
                self._more()
        self._check_tail()

    def _more(self) -> None:
        chunk = next(self._chunks, None)
        if chunk is None:
            self._eof = True
        else:
            self._buffer += chunk

    def _consume(self, size: int) -> bytes:
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        self._offset += size
        return taken

    def _open(self) -> None:
        while not self._eof:
            at = _OPENING.match(self._buffer).end()
            if at < len(self._buffer):
                self._consume(at + 1)  # the caller has seen that it is a "["
                return
            self._more()

    def _fast(self) -> Segment | None:
        """All elements up to the last closing brace that has arrived, if they parse in one go."""
        cut = self._buffer.rfind(b"}") + 1
        lead = (_OPENING if self._first else _SEPARATOR).match(self._buffer)
        if lead is None or lead.end() >= cut:
            return None
        inside = self._buffer[lead.end() : cut]
        try:
            items = self._loads(b"[" + inside + b"]")
        except (ValueError, RecursionError):
            return None
        self._first = False
        offset = self._offset
        return Segment(items, offset, self._consume(cut), None)

    def _careful(self) -> Segment | None:
        """Element by element; None when nothing more can be said before more bytes have arrived."""
        text = self._buffer.decode("utf-8", "surrogateescape")
        items: list[Any] = []
        spans: list[tuple[int, int]] = []  # in characters
        at = 0
        while not self._skipping:
            start = WHITESPACE.match(text, at).end()
            if not self._first and text.startswith(",", start):
                start = WHITESPACE.match(text, start + 1).end()
            if start == len(text):
                break
            if text[start] == "]":
                self._closed, at = True, start + 1
                break
            value, end, sure = self._decode(text, start)
            if end is not None and text[start] not in '{["' and not self._eof and end > len(text) - UNSURE_TAIL:
                break  # the number may go on in the next chunk
            if end is not None:
                stop, self._first = end, False
                if _UNDECODABLE.search(text, start, end):
                    value = Malformed("not UTF-8")
            else:
                patient = not self._eof and len(text) - start < MAX_ELEMENT
                end = self._resume(text, start + 1)[0] if sure or not patient else None
                if end is None and patient:
                    break
                if not sure and end is None:
                    value = Malformed("truncated" if self._eof else "element too long")
                self._skipping, self._first = end is None, True
                end = len(text) if end is None else end
                stop = start + len(text[start:end].rstrip(" \t\r\n,"))
            items.append(value)
            spans.append((start, stop))
            at = end
        if items:
            return self._segment(text, at, items, spans)
        self._consume(_size(text[:at]))
        return None

    def _skip(self) -> bool:
        """Drop malformed bytes up to the next whole element; False while none has arrived."""
        text = self._buffer.decode("utf-8", "surrogateescape")
        found, undecided = self._resume(text, 0)
        oldest = 0 if self._eof else len(text) - MAX_ELEMENT
        self._consume(_size(text[: max(undecided, oldest) if found is None else found]))
        self._skipping = found is None
        return found is not None

    def _segment(self, text: str, at: int, items: list[Any], spans: list[tuple[int, int]]) -> Segment:
        lengths, byte, last = [], 0, 0
        for start, stop in spans:
            byte += _size(text[last:start])
            size = _size(text[start:stop])
            lengths.append((byte, size))
            byte, last = byte + size, stop
        offset = self._offset
        return Segment(items, offset, self._consume(_size(text[:at])), lengths)

    def _decode(self, text: str, start: int) -> tuple[Any, int | None, bool]:
        """(value, end, True), or (Malformed, None, whether more bytes cannot change that)."""
        try:
            value, end = DECODER.raw_decode(text, start)
        except json.JSONDecodeError as error:
            return Malformed("not JSON"), None, not is_cut_off(error, len(text))
        except RecursionError:
            return Malformed("nested too deeply"), None, True
        return value, end, True

    def _resume(self, text: str, start: int) -> tuple[int | None, int]:
        """Where the next whole element begins, at or after ``start``, if it has arrived; and from where on another look
        is worth while when more has."""
        undecided = None
        for candidate in _OBJECT_START.finditer(text, start):
            value, end, sure = self._decode(text, candidate.start())
            if end is not None and self._recognise(value):
                return candidate.start(), candidate.start()
            if not sure and undecided is None:
                undecided = candidate.start()
        return None, max(start, len(text) - UNSURE_TAIL) if undecided is None else undecided

    def _check_tail(self) -> None:
        while True:
            self._consume(_OPENING.match(self._buffer).end())
            if self._buffer:
                self.problem = f"something follows the closing ] at byte {self._offset:,} and was not read"
            if self._buffer or self._eof:
                return
            self._more()


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))
