"""The values of JSON Lines, decoded while the bytes arrive."""

import json
from collections.abc import Iterator
from typing import Any

from json_values import MAX_ELEMENT, Malformed, Segment, is_cut_off, standard_loads


class LineReader:
    """Segments of JSON Lines: one value a line, blank lines ignored.

    A raw line break cannot occur inside a JSON value on one line, so every line stands for itself and a malformed one
    costs itself only.
    """

    def __init__(self, chunks: Iterator[bytes], offset: int = 0) -> None:
        self.problem: str | None = None
        self._chunks = chunks
        self._offset = offset

    def segments(self) -> Iterator[Segment]:
        """Every line's value once, in order; where a segment with items begins, a reader can begin again."""
        buffer, skipping = b"", False
        for chunk in self._chunks:
            buffer += chunk
            if skipping:
                rest = buffer.find(b"\n") + 1
                self._offset += rest or len(buffer)
                buffer, skipping = buffer[rest:] if rest else b"", not rest
            cut = buffer.rfind(b"\n") + 1
            if cut:
                yield self._segment(buffer[:cut])
                buffer = buffer[cut:]
            if len(buffer) > MAX_ELEMENT:
                yield Segment([Malformed("element too long")], self._offset, buffer, [(0, len(buffer))])
                self._offset += len(buffer)
                buffer, skipping = b"", True
        if not skipping:
            yield self._segment(buffer, last=True)

    def _segment(self, data: bytes, last: bool = False) -> Segment:
        items: list[Any] = []
        spans: list[tuple[int, int]] = []
        byte = 0
        for line in data.split(b"\n"):
            if line.strip(b" \t\r"):
                items.append(_line_value(line, cut_off=last))
                spans.append((byte, len(line)))
            byte += len(line) + 1
        offset = self._offset
        self._offset += len(data)
        return Segment(items, offset, data, spans)


def _line_value(line: bytes, cut_off: bool) -> Any:
    try:
        return standard_loads(line)
    except UnicodeDecodeError:
        return Malformed("not UTF-8")
    except json.JSONDecodeError as error:
        return Malformed("truncated" if cut_off and is_cut_off(error, len(error.doc)) else "not JSON")
    except RecursionError:
        return Malformed("nested too deeply")
