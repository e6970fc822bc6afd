"""The chart of what the producer's log says: records written and sent again, second by second."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lab.picture import WIDTH, Picture


def sending_per_second(events: Iterable[Mapping[str, Any]]) -> Picture:
    """Records a second that the newest run put on the stream, and how many of them it had to send again.

    ``events`` are those of the function's log group, as FilterLogEvents gives them. The producer's ``end`` lines hold
    ``series``: [second of the invocation, records written, records sent again]; the invocations of one run are drawn
    one behind the other.
    """
    ends = [line for line in map(_line, events) if line.get("event") == "end" and "series" in line]
    newest = [line for line in ends if (line["stream"], line["run"]) == (ends[-1]["stream"], ends[-1]["run"])]
    rows, begin = [], 0
    for line in newest:
        rows += [(begin + second, written, again) for second, written, again in line["series"]]
        begin = rows[-1][0] + 1 if rows else 0
    table = pd.DataFrame(rows, columns=["second", "written", "sent again"]).astype(int)
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    for axes, column, hatch in ((above, "written", "////"), (below, "sent again", "xxxx")):
        axes.bar(table["second"], table[column], width=0.9, color="white", edgecolor="black", hatch=hatch)
        axes.set_title(f"{column}: {table[column].sum():,} records", loc="left", fontsize=9, pad=3)
        axes.set_ylim(0, None if table[column].any() else 1)
        axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        axes.spines[["top", "right"]].set_visible(False)
    below.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    below.set_xlabel("second of the run" if rows else "the log holds no finished invocation yet: run this cell again")
    figure.supylabel("records per second", fontsize=9)
    whole = "Records per second that the producer wrote, and below it records it sent again"
    alt = f"{whole}: {table['written'].sum():,} written, {table['sent again'].sum():,} sent again, "
    alt += f"in {len(table)} second{'s' * (len(table) != 1)} with any; most in one second: "
    alt += f"{int(table['written'].max()) if rows else 0:,}."
    return Picture(figure, alt, table, "What the producer sent, by its log")


def _line(event: Mapping[str, Any]) -> dict[str, Any]:
    try:
        fields = json.loads(event["message"])
    except ValueError:
        return {}  # Lambda's own lines (START, REPORT) are no JSON
    return fields if isinstance(fields, dict) else {}
