"""What a benchmark reports: rows with a value, what it is compared with, and the bound it is held against."""

import argparse
import json
import statistics
from collections.abc import Callable, Sequence
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


def ratio_row(
    name: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    beside: str,
    bound: float | None = None,
    *,
    unit: str = "times",
    at_least: bool = False,
) -> Row:
    """Ours over theirs: turn by turn where both have as many turns, else over the median of theirs."""
    middle = statistics.median(theirs)
    paired = theirs if len(theirs) == len(ours) else [middle] * len(ours)
    made = row(name, [one / other for one, other in zip(ours, paired, strict=True)], unit, bound, at_least=at_least)
    return {**made, "versus": beside, "ratio": made["value"]}


def fact(name: str, value: float | str, unit: str = "") -> Row:
    """Something about the machine or a version, in the shape of every row."""
    nothing = dict.fromkeys(("ratio", "bound", "met"))
    return {"name": name, "value": value, "unit": unit, "versus": "", **nothing, "at_least": False, "n": 1,
            "spread": [value, value]}  # fmt: skip


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
    """The rows as JSON."""
    path.write_text(json.dumps(list(rows), indent=1) + "\n")


def arguments(doc: str | None) -> argparse.ArgumentParser:
    """The options every part has."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller, with one turn")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the rows as JSON")
    return parser


def report(rows: Sequence[Row], out: Path | None) -> int:
    """Print the table, and write the rows where asked; the exit code."""
    print(table(rows), flush=True)
    if out:
        write(rows, out)
    return 0


def run_part(doc: str | None, measure: Callable[[bool], list[Row]]) -> int:
    """The command line of a part that knows no option but --quick and --out."""
    options = arguments(doc).parse_args()
    return report(measure(options.quick), options.out)
