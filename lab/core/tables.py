"""Write small HTML tables: a caption, headers that screen readers understand, times as people write them."""

from html import escape
from typing import Any

import pandas as pd

ROWS = 20
LONGEST = 60  # characters of a cell
_CELL = "padding:2px 8px;border-bottom:1px solid #bbb;"


def table_html(table: pd.DataFrame, caption: str = "", rows: int = ROWS, longest: int | None = LONGEST) -> str:
    """Write the first `rows` rows as HTML under a caption; every text is escaped.

    The number of rows left out is a row of its own. A cell longer than `longest` is cut, with None never. The index is
    not shown.
    """
    head = "".join(f'<th scope="col" style="{_align(table[name])}{_CELL}">{escape(str(name))}</th>' for name in table)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="{_align(table[name])}{_CELL}">{escape(cell(value, longest))}</td>' for name, value in row
        )
        + "</tr>"
        for row in (zip(table.columns, values, strict=True) for values in table.head(rows).itertuples(index=False))
    )
    left_out = len(table) - rows
    if left_out > 0:
        body += f'<tr><td colspan="{len(table.columns)}" style="{_CELL}">and {left_out:,} more rows</td></tr>'
    if table.empty:
        body = f'<tr><td colspan="{max(len(table.columns), 1)}" style="{_CELL}">no rows</td></tr>'
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


def _align(column: pd.Series) -> str:
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return "text-align:right;" if is_number else "text-align:left;"
