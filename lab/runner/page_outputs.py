"""Take charts and tables out of executed notebooks, safe to put on a page: no scripts or links."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bs4 import BeautifulSoup, Tag
from bs4.element import PreformattedString

from lab.core.cell_outputs import CHECK, KINDS, MOVING, TIMING, Moving

MAX_ROWS = 60
MAX_CELL = 300  # characters
_KEPT = {"table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption", "code", "b", "strong", "em", "sub", "sup",
         "br"}  # fmt: skip
_KEPT_ATTRIBUTES = {"colspan", "rowspan", "scope"}
_DROPPED_WITH_CONTENT = ["style", "script", "template", "svg", "summary"]  # a summary begins what follows it
_LOOKS = {"text-align:right": "number", "overflow-wrap:anywhere": "long"}  # what a cell's style becomes
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_DATA_PNG = "data:image/png;base64,"


@dataclass(frozen=True)
class Exhibit:
    """Describe a chart (base64 of a PNG, with alt text) or a table (clean HTML), and its heading.

    `moving` is what the chart moves by: data of the notebook, drawn by a script of the lab's own.
    """

    kind: str  # "chart" or "table"
    heading: str
    content: str
    alt: str = ""
    left_out: int = 0  # rows of a table that are only in the notebook
    moving: Moving | None = None


def exhibits(nb: Mapping[str, Any]) -> Iterator[Exhibit]:
    """Yield the charts and tables among the notebook's outputs, in order. Tables of checks are left to the caller."""
    heading = ""
    for cell in nb["cells"]:
        if cell["cell_type"] == "markdown":
            heading = next(iter(_HEADING.findall(_text(cell["source"]))[-1:]), heading)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if CHECK not in data and TIMING not in data:
                yield from _of_output(data, re.sub(r"[*`]", "", heading))


def _of_output(data: Mapping[str, Any], heading: str) -> Iterator[Exhibit]:
    html = BeautifulSoup(_text(data.get("text/html", "")), "html.parser")
    image = html.find("img")
    alt, source = (str(image.get(name, "")) for name in ("alt", "src")) if isinstance(image, Tag) else ("", "")
    picture = re.sub(r"\s", "", _text(data.get("image/png", ""))) or source.partition(_DATA_PNG)[2]
    if picture and _is_base64(picture):
        alt = alt or f"Chart under “{heading}”, without a description"
        yield Exhibit("chart", heading, picture, alt=alt, moving=_moving(data.get(MOVING)))
    for table in html.find_all("table"):
        if table.find_parent("table") is None:
            rows = table.find_all("tr")
            for row in rows[MAX_ROWS + 1 :]:  # the header is a row too
                row.extract()
            yield Exhibit("table", heading, _cleaned(table), left_out=max(0, len(rows) - MAX_ROWS - 1))


def _cleaned(table: Tag) -> str:
    """Write a table with the few elements and attributes it needs, and no cell longer than MAX_CELL."""
    for foreign in [*table.find_all(_DROPPED_WITH_CONTENT), *table.find_all(string=_is_no_text)]:
        foreign.extract()
    for cell in table.find_all(("td", "th")):
        if len(text := cell.get_text()) > MAX_CELL:
            cell.string = text[:MAX_CELL] + "…"
    for tag in [table, *table.find_all(True)]:
        style = str(tag.get("style", "")).replace(" ", "")
        kept = {name: value for name, value in tag.attrs.items() if name in _KEPT_ATTRIBUTES}
        looks = next((name for words, name in _LOOKS.items() if words in style), None)
        tag.attrs = {**kept, "class": looks} if looks else kept
        if tag.name not in _KEPT:
            tag.unwrap()
    return table.decode()


def _is_no_text(text: Any) -> bool:
    return isinstance(text, PreformattedString)  # a comment, a declaration: written as it is, not escaped


def _moving(given: Any) -> Moving | None:
    if isinstance(given, Mapping) and given.get("kind") in KINDS and isinstance(given.get("data"), Mapping):
        return Moving(given["kind"], dict(given["data"]))
    return None


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except binascii.Error:
        return False


def _text(source: Any) -> str:
    return "".join(source) if isinstance(source, list) else str(source)
