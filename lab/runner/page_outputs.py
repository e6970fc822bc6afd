"""The charts and tables of executed notebooks, made safe to put on a page: no scripts, styles or links of theirs."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from typing import Any

from lab.core.cell_outputs import CHECK, MOVING, TIMING
from lab.core.moving import Moving, known

MAX_ROWS = 60
MAX_CELL = 300  # characters
_KEPT = {"table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption", "code", "b", "strong", "em", "sub", "sup"}
_KEPT_ATTRIBUTES = {"colspan", "rowspan", "scope"}
_DROPPED_WITH_CONTENT = {"style", "script", "template", "svg"}
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_DATA_PNG = "data:image/png;base64,"


@dataclass(frozen=True)
class Exhibit:
    """A chart (base64 of a PNG, with its alt text) or a table (clean HTML), and the heading it stands under.

    `moving` is what the chart moves by: data of the notebook, drawn by a script of the lab's own.
    """

    kind: str  # "chart" or "table"
    heading: str
    content: str
    alt: str = ""
    left_out: int = 0  # rows of a table that are only in the notebook
    moving: Moving | None = None


def exhibits(nb: Mapping[str, Any]) -> Iterator[Exhibit]:
    """The charts and tables among the notebook's outputs, in order. Tables of checks are left to the caller."""
    heading = ""
    for cell in nb["cells"]:
        if cell["cell_type"] == "markdown":
            heading = next(iter(_HEADING.findall(_text(cell["source"]))[-1:]), heading)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if CHECK not in data and TIMING not in data:
                yield from _of_output(data, re.sub(r"[*`]", "", heading))


def _of_output(data: Mapping[str, Any], heading: str) -> Iterator[Exhibit]:
    html = _Html()
    html.feed(_text(data.get("text/html", "")))
    html.close()
    picture = re.sub(r"\s", "", _text(data.get("image/png", ""))) or html.png
    if picture and _is_base64(picture):
        alt = html.alt or f"Chart under “{heading}”, without a description"
        yield Exhibit("chart", heading, picture, alt=alt, moving=_moving(data.get(MOVING)))
    for table, left_out in html.tables:
        yield Exhibit("table", heading, table, left_out=left_out)


def _moving(given: Any) -> Moving | None:
    if isinstance(given, Mapping) and known(given.get("kind")) and isinstance(given.get("data"), Mapping):
        return Moving(given["kind"], dict(given["data"]))
    return None


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except binascii.Error:
        return False


def _text(source: Any) -> str:
    return "".join(source) if isinstance(source, list) else str(source)


class _Html(HTMLParser):
    """Finds the tables, rebuilt from the few elements they need, and the first image's alt text and PNG."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[tuple[str, int]] = []
        self.alt = self.png = ""
        self._parts: list[str] = []
        self._depth = self._rows = self._foreign = self._cell = 0
        self._past_last_row = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _DROPPED_WITH_CONTENT:
            self._foreign += 1
        elif tag == "img" and not self.alt:
            self.alt = given.get("alt", "")
            _, _, self.png = given.get("src", "").partition(_DATA_PNG)
        elif tag == "table":
            self._depth += 1
        elif tag == "tr":
            self._rows += 1
            self._past_last_row = self._rows > MAX_ROWS + 1  # the header is a row too
        elif tag in ("td", "th"):
            self._cell = 0
        if tag in _KEPT or tag == "br":
            kept = "".join(f' {n}="{escape(v)}"' for n, v in given.items() if n in _KEPT_ATTRIBUTES)
            kept += ' class="number"' if "text-align:right" in given.get("style", "").replace(" ", "") else ""
            self._emit(f"<{tag}{kept}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED_WITH_CONTENT:
            self._foreign = max(0, self._foreign - 1)
        elif tag in _KEPT:
            self._emit(f"</{tag}>")
        if tag == "tr":
            self._past_last_row = False
        elif tag == "table" and self._depth:
            self._depth -= 1
            if not self._depth:
                self.tables.append(("".join(self._parts), max(0, self._rows - MAX_ROWS - 1)))
                self._parts, self._rows = [], 0

    def handle_data(self, data: str) -> None:
        room = MAX_CELL - self._cell
        self._cell += len(data)
        if room > 0 and not self._foreign:
            self._emit(escape(data if len(data) <= room else data[:room] + "…"))

    def _emit(self, piece: str) -> None:
        if self._depth and not self._past_last_row:
            self._parts.append(piece)
