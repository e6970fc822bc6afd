"""Write small HTML tables: a caption, headers that screen readers understand, times as people write them."""

import re
import sys
from collections.abc import Iterable
from html import escape
from typing import Any

import pandas as pd
from bs4 import BeautifulSoup, Tag

ROWS = 20
LONGEST = 60  # characters of a cell
UNBROKEN = 24  # characters without a space; longer ones, such as sequence numbers, may be broken anywhere
_CELL = "padding:2px 8px;border-bottom:1px solid #bbb;"
_NUMBER = re.compile(r"[-+]?[\d,]{0,20}\.?\d{1,20}(e[-+]?\d+)?\s?%?")
_NOTHING = {"", "–", "...", "nan", "NaN", "None", "NaT", "<NA>"}


def table_html(table: pd.DataFrame, caption: str = "", rows: int = ROWS, longest: int | None = LONGEST) -> str:
    """Write the first `rows` rows as HTML under a caption; every text is escaped.

    The number of rows left out is a row of its own. A cell longer than `longest` is cut, with None never. The index is
    not shown.
    """
    texts = [[cell(value, longest) for value in column] for _, column in table.head(rows).items()]
    styles = [column_style(column) + _CELL for column in texts]
    named = zip(table.columns, styles, strict=True)
    head = "".join(f'<th scope="col" style="{style}">{escape(str(name))}</th>' for name, style in named)
    body = "".join(
        "<tr>"
        + "".join(f'<td style="{style}">{escape(text)}</td>' for text, style in zip(row, styles, strict=True))
        + "</tr>"
        for row in zip(*texts, strict=True)
    )
    whole = f'<tr><td colspan="{max(len(table.columns), 1)}" style="text-align:left;{_CELL}">'
    left_out = len(table) - rows
    if left_out > 0:
        body += f"{whole}and {left_out:,} more rows</td></tr>"
    if table.empty:
        body = f"{whole}no rows</td></tr>"
    title = f'<caption style="text-align:left;font-weight:bold">{escape(caption)}</caption>' if caption else ""
    return (
        f'<table style="border-collapse:collapse;font-size:0.9em">{title}'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def as_text(table: pd.DataFrame) -> str:
    """Return the table in plain text columns."""
    return table.map(cell).to_string(index=False) if len(table) else "no rows"


def cell(value: Any, longest: int | None = LONGEST) -> str:
    """Return a value as text: no trailing zeros of a time, two decimals, a dash where there is nothing."""
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value):
        return "–"
    if isinstance(value, pd.Timestamp):
        moment = value.tz_convert(None) if value.tzinfo else value
        return moment.isoformat(sep=" ", timespec="milliseconds" if moment.microsecond else "seconds")
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if hasattr(value, "__index__"):
        return f"{int(value):,}"
    text = str(value)
    return text if longest is None or len(text) <= longest else text[: longest - 1] + "…"


def column_style(texts: Iterable[str]) -> str:
    """Return the CSS of a column: numbers to the right, text to the left, long words broken."""
    said = [text for text in texts if text not in _NOTHING]
    if said and all(_NUMBER.fullmatch(text) for text in said):
        return "text-align:right;"
    is_long = any(len(word) > UNBROKEN for text in said for word in text.split())
    return "text-align:left;" + "overflow-wrap:anywhere;min-width:9em;" * is_long


def frame_html(frame: pd.DataFrame) -> str | None:
    """Return pandas' HTML of a DataFrame with each column aligned by what it holds; JupyterLab puts all to the right.

    None where pandas gives none, as its options may say.
    """
    given = frame._repr_html_()
    return None if given is None else _aligned(given)


def _aligned(given: str) -> str:
    html = BeautifulSoup(given, "html.parser")
    for table in html.find_all("table"):
        table["style"] = "font-size:0.85em"
        rows = [row for row in table.select("tbody > tr") if not row.find(("td", "th"), colspan=True)]
        columns = list(zip(*(row.find_all("td", recursive=False) for row in rows), strict=False))
        styles = [column_style(one.get_text().strip() for one in column) for column in columns]
        for row in table.find_all("tr"):
            cells, places = row.find_all("td", recursive=False), row.find_all("th", recursive=False)
            in_head = bool(styles) and not cells and not row.find("th", colspan=True)
            names = places[-len(styles) :] if in_head else []
            for one, style in zip(cells, styles, strict=False):
                _add_style(one, style)
            for one, style in zip(names, styles, strict=False):
                _add_style(one, style.partition(";")[0] + ";")
            for one in places[: len(places) - len(names)]:
                _add_style(one, "text-align:left;")
    return str(html)


def _add_style(one: Tag, style: str) -> None:
    given = str(one.get("style", ""))
    one["style"] = f"{given};{style}" if given else style


def align_frames() -> None:
    """Show DataFrames so from now on in this kernel; elsewhere than in one, do nothing."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        shell.display_formatter.formatters["text/html"].for_type(pd.DataFrame, frame_html)
