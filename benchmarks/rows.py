"""What a benchmark reports: rows with a value, what it is compared with, and the bound it is held against."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def row(
    name: str,
    values: Sequence[float],
    unit: str,
    bound: float | None = None,
    versus: Sequence[float] | None = None,
    beside: str = "",
    *,
    at_least: bool = False,
) -> Row:
    """The median of ``values``; ``ratio`` is it over the median of ``versus``, ``spread`` the least and the most.

    ``bound`` is the most the value may be, with ``at_least`` the least; ``met`` is None where there is none.
    """
    value = statistics.median(values)
    return {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "versus": beside,
        "ratio": round(value / statistics.median(versus), 3) if versus else None,
        "bound": bound,
        "at_least": at_least,
        "met": None if bound is None else (value >= bound if at_least else value <= bound),
        "n": len(values),
        "spread": [round(min(values), 3), round(max(values), 3)],
    }


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| what | value | beside | bound | met | n | spread |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for one in rows:
        met = {None: "", True: "yes", False: "NO"}[one["met"]]
        beside = f"{one['ratio']} of {one['versus']}" if one["ratio"] is not None else one["versus"]
        spread = " to ".join(map(str, one["spread"]))
        bound = "" if one["bound"] is None else f"{'at least' if one['at_least'] else 'at most'} {one['bound']}"
        lines.append(
            f"| {one['name']} | {one['value']} {one['unit']} | {beside} | {bound} | {met} | {one['n']} | {spread} |"
        )
    return "\n".join(lines)


def write(rows: Sequence[Row], path: Path) -> None:
    """The rows as JSON; Python, cores and load average stand in a row of their own."""
    machine = {"name": "machine", "python": platform.python_version(), "cores": os.cpu_count(), "load": os.getloadavg()}
    path.write_text(json.dumps([machine, *rows], indent=1) + "\n")
