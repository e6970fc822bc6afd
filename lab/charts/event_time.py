"""Draw event time: events on the shards, the watermark, windows that open and close."""

from itertools import product
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure

from lab.charts.event_time_state import CLOSED, LiveState
from lab.charts.style import CLOSED_WINDOW, GROUND, INK, OPEN_WINDOW, REVIEW, SMALL, WATERMARK, bar, plain
from lab.core.picture import WIDTH, Picture
from lab.core.tables import cell

MOST_SHARDS = 8
_MARGIN = 0.03  # of the time shown, on either side


def event_time_now(state: LiveState) -> Picture:
    """Draw the events of every shard, the newest windows below them, and the watermark through both.

    A closed window is hatched; an open one is dashed and dotted as far as events have come.
    """
    shards, windows = state.shards[:MOST_SHARDS], state.windows
    heights = [0.5 + 0.24 * len(shards), 0.6 + 0.34 * max(len(windows), 1)]
    figure = Figure(figsize=(WIDTH, 1.5 + sum(heights)), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=heights)
    _events(above, state, shards)
    _windows(below, state)
    _moments(above, below, state)
    _time_axis(below, state)
    names = {"window_start": "begins", "window_end": "ends", "above": f"reviewers above {state.rules.threshold}",
             "written": "written by Flink"}  # fmt: skip
    caption = f"Windows, watermark {_moment(state.watermark)}"
    return Picture(figure, _alt(state), windows.iloc[::-1].rename(columns=names), caption)


def _events(axes: Axes, state: LiveState, shards: tuple[str, ...]) -> None:
    points = state.points
    for place, shard in enumerate(shards):
        rows = points[points["shard"] == shard]
        reviews, markers = rows[~rows["marker"]]["event_time"], rows[rows["marker"]]["event_time"]
        axes.plot(reviews, [place] * len(reviews), "|", color=REVIEW.color, markersize=7, markeredgewidth=0.6)
        axes.plot(markers, [place] * len(markers), "D", color=INK, markerfacecolor=GROUND, markersize=6)
    axes.plot([], [], "|", color=REVIEW.color, markersize=7, label="review")
    axes.plot([], [], "D", color=INK, markerfacecolor=GROUND, markersize=6, label="end marker")
    axes.set_yticks(range(len(shards)), [f"…{shard[-3:]}" for shard in shards])
    axes.set_ylim(len(shards) - 0.4 if shards else 1, -0.6)
    axes.set_ylabel("shard")
    plain(axes)


def _windows(axes: Axes, state: LiveState) -> None:
    windows, (left, right) = state.windows, _span(state)
    for place, row in enumerate(windows.itertuples()):
        length = row.window_end - row.window_start
        where: dict[str, Any] = {"y": place, "left": row.window_start, "height": 0.66}
        if row.state == CLOSED:
            axes.barh(width=length, **where, **bar(CLOSED_WINDOW))
        else:
            filled = min(length, max(state.newest - row.window_start, pd.Timedelta(0)))
            axes.barh(width=filled, **where, **{**bar(OPEN_WINDOW), "linewidth": 0, "linestyle": "-"})
            axes.barh(width=length, **where, **{**bar(OPEN_WINDOW), "facecolor": "none", "hatch": ""})
        text = f"{row.state}: {row.reviews:,} reviews so far"
        if row.state == CLOSED:
            flagged = f"{row.above:,}" if row.written == row.above else f"{row.written:,} of {row.above:,}"
            text = f"{row.state}: {row.reviews:,} reviews, reviewers flagged: {flagged}"
        on_the_right = row.window_start + length / 2 < left + (right - left) / 2
        axes.annotate(
            text, (row.window_end if on_the_right else row.window_start, place), va="center", fontsize=SMALL,
            xytext=(6 if on_the_right else -6, 0), textcoords="offset points", zorder=4,
            ha="left" if on_the_right else "right", bbox={"facecolor": GROUND, "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip
    axes.set_yticks([])
    axes.set_ylim(max(len(windows), 1) - 0.4, -0.6)
    axes.set_ylabel("windows")
    plain(axes)
    axes.set_xlabel("event time (UTC)" if len(windows) else "no review has arrived since the application started")


def _moments(above: Axes, below: Axes, state: LiveState) -> None:
    lines = (
        (state.newest, "newest review", REVIEW.color, ":", 1.5),
        (state.watermark, "watermark", WATERMARK.color, WATERMARK.line, 2.4),
    )
    for axes, (time, name, color, style, width) in product((above, below), lines):
        if time is not pd.NaT:
            axes.axvline(time, color=color, linestyle=style, linewidth=width, label=name, zorder=3)
    late = "" if state.late is None else f", rows dropped as late: {state.late:,}"
    above.set_title(f"Watermark of {state.source}: {_moment(state.watermark)}{late}", loc="left", pad=26)
    above.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, frameon=False, fontsize=SMALL)


def _span(state: LiveState) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the time shown: the windows, the events and the watermark. A made-up minute while there is nothing."""
    moments = [*state.windows["window_start"], *state.windows["window_end"], *state.points["event_time"]]
    if state.watermark is not pd.NaT and len(state.windows) and state.watermark > state.windows["window_start"].iloc[0]:
        moments.append(state.watermark)
    if not moments:
        moments = [pd.Timestamp(0), pd.Timestamp(60, unit="s")]
    room = (max(moments) - min(moments)) * _MARGIN
    return min(moments) - room, max(moments) + room


def _time_axis(axes: Axes, state: LiveState) -> None:
    axes.set_xlim(*_span(state))
    if len(state.windows):
        axes.xaxis.set_major_locator(AutoDateLocator(minticks=4, maxticks=9))
        axes.xaxis.set_major_formatter(DateFormatter("%H:%M:%S"))
    else:
        axes.set_xticks([])


def _moment(time: pd.Timestamp) -> str:
    return "none yet" if time is pd.NaT else cell(time)


def _alt(state: LiveState) -> str:
    windows = state.windows
    if windows.empty:
        return "An empty picture of event time: no review has arrived since the application started."
    closed = int((windows["state"] == CLOSED).sum())
    written, due = int(windows["written"].sum()), int(windows["above"].sum())
    late = "" if state.late is None else f" {state.late:,} rows were dropped as late."
    return (
        f"Events of {len(state.shards)} shards over event time, the newest review at {cell(state.newest)}, the "
        f"watermark of {state.source} at {_moment(state.watermark)}; below, the newest {len(windows)} windows as bars: "
        f"{closed} closed, {len(windows) - closed} open, {written:,} of {due:,} reviewers above "
        f"{state.rules.threshold} flagged. {state.reviews:,} reviews so far.{late}"
    )
