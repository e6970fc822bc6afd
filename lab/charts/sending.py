"""The chart of what the producer says about a run: records written and sent again, second by second."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lab.core.picture import WIDTH, Picture


def sending_per_second(answers: Iterable[Mapping[str, Any]]) -> Picture:
    """Records a second that the producer put on the stream, and how many of them it had to send again.

    ``answers`` are the function's, as `invoke_until_done` returns them. Each holds ``series``: [second of the
    invocation, records written, records sent again]; the invocations are drawn one behind the other. The log's ``end``
    line holds the same, but reaches CloudWatch some time after the answer.
    """
    rows: list[tuple[int, int, int]] = []
    for answer in answers:
        begin = rows[-1][0] + 1 if rows else 0
        rows += [(begin + second, written, again) for second, written, again in answer["series"]]
    table = pd.DataFrame(rows, columns=["second", "written", "sent again"]).astype(int)
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    for axes, column, hatch in ((above, "written", "////"), (below, "sent again", "xxxx")):
        axes.bar(table["second"], table[column], width=0.9, color="white", edgecolor="black", hatch=hatch)
        axes.set_title(f"{column}: {table[column].sum():,} records", loc="left", fontsize=9, pad=3)
        axes.set_ylim(0, None if table[column].any() else 1)
        axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        axes.spines[["top", "right"]].set_visible(False)
    if len(table) > 12:
        below.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    else:
        below.set_xticks(table["second"])
    below.set_xlabel("second of the run" if rows else "nothing was sent")
    figure.supylabel("records per second", fontsize=9)
    whole = "Records per second that the producer wrote, and below it records it sent again"
    alt = f"{whole}: {table['written'].sum():,} written, {table['sent again'].sum():,} sent again, "
    alt += f"in {len(table)} second{'s' * (len(table) != 1)} with any; most in one second: "
    alt += f"{int(table['written'].max()) if rows else 0:,}."
    return Picture(figure, alt, table, "What the producer sent")
