"""Draw how the keys of exercise 1 spread: a bar a shard, and whether both copies of a review met."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lab.charts.style import CLOSED_WINDOW, REVIEW, SMALL, bar, plain
from lab.core.names import EXERCISE_STREAM
from lab.core.picture import WIDTH, Picture
from lab.streams.reading import read_stream
from lab.streams.records import read_attempts

ATTEMPTS_SHOWN = 3  # the newest ones; the title of a fourth panel would run into the next one's


def key_spread(stream: str = EXERCISE_STREAM) -> Picture | None:
    """Draw the attempts at exercise 1 as the stream holds them, the newest last; None while it has none."""
    raw = read_stream(stream)
    rows = read_attempts(raw).dropna(subset=["review_id"])
    if rows.empty:
        print("No attempt is on the stream yet: fill the blank above, send, then run this cell again.")  # noqa: T201
        return None
    return spread_picture(rows, sorted({*raw.attrs["open_shards"], *rows["shard"]}))


def copies_together(rows: pd.DataFrame) -> int:
    """Return how many reviews have all their copies in one shard; `rows` of one attempt."""
    return int((rows.groupby("review_id")["shard"].nunique() == 1).sum())


def spread_picture(rows: pd.DataFrame, shards: list[str]) -> Picture:
    """Draw bars of the records on each shard, one panel an attempt, the newest one in another pattern."""
    names = list(dict.fromkeys(rows["attempt"]))
    shown = list(enumerate(names, start=1))[-ATTEMPTS_SHOWN:]
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(shown), sharey=True))
    said, table = [], pd.DataFrame({"shard": shards})
    for axes, (number, name) in zip(panels, shown, strict=True):
        mine = rows[rows["attempt"] == name]
        counts = mine["shard"].value_counts().reindex(shards).fillna(0).astype(int)
        newest = number == len(names)
        axes.bar(range(len(shards)), counts, width=0.7, **bar(CLOSED_WINDOW if newest else REVIEW))
        for place, count in enumerate(counts):
            axes.annotate(
                f"{count}", (place, count), xytext=(0, 3), textcoords="offset points", ha="center", fontsize=SMALL
            )
        reviews, met = mine["review_id"].nunique(), copies_together(mine)
        together = f"both copies together: {met} of {reviews}"
        title = f"attempt {number}" + (", the last" if newest and len(names) > 1 else "")
        axes.set_title(f"{title}\n{mine['partition_key'].nunique()} keys\n{together}", loc="left", fontsize=SMALL)
        axes.set_xticks(range(len(shards)), [f"…{shard[-3:]}" for shard in shards], fontsize=SMALL)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.margins(y=0.12)
        plain(axes)
        table[f"attempt {number}"] = counts.to_numpy()
        said.append(f"attempt {number}: {', '.join(map(str, counts))}, {together}")
    panels[0].set_ylabel("records")
    figure.supxlabel("shard", fontsize=10)
    heading = ""
    if len(shown) < len(names):
        newest_of = f"the last {len(shown)} of {len(names)} attempts"
        figure.suptitle(newest_of, x=0.01, ha="left", fontsize=10)
        heading = f", {newest_of}"
    alt = f"Bars of the records on each of {len(shards)} shards, a panel an attempt{heading}. {'; '.join(said)}."
    return Picture(figure, alt, table, f"Records on each shard{heading}")
