"""Draw the run as a film: what arrived when, with one subtask a shard and with one in all."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lab.charts.style import LATE, REVIEW, SMALL, WATERMARK, colors, plain
from lab.charts.window_player import newest_lines, scene
from lab.charts.window_steps import Event, Steps, steps
from lab.core.cell_outputs import Moving
from lab.core.picture import WIDTH, Picture
from lab.streams.records import Events, Output
from lab.validation.subtasks import read_by_subtasks

MOST_RECORDS = 8_000  # the first ones; more would not be seen, and every one is in the page
REVIEWERS = 8
COLUMNS = ["subtasks", "late reviews", "late (review, window) pairs", "dropped: late for every window"]
LINES = ("-", "--", ":", "-.")


def run_film(
    events: Events,
    output: Output,
    window_seconds: int = 60,
    slide_seconds: int = 30,
    threshold: int = 1,
    watermark_delay_seconds: int = 5,
) -> Picture:
    """Play what happened: reviews by event time and arrival, a watermark a shard, windows as Flink wrote them.

    `output` holds the windows Flink has written. The slider *subtasks* shows the same records as one subtask would have
    read them: a model (`lab.validation.subtasks`), not Flink's own count.
    """
    seconds = (window_seconds, slide_seconds, watermark_delay_seconds)
    rows = pd.concat([events.table.assign(marker=False), events.markers.assign(marker=True)], ignore_index=True)
    if events.table.empty:
        table = pd.DataFrame(columns=COLUMNS)
        return Picture(
            _empty(), "An empty picture: no review has arrived since the application started.", table, "Film"
        )
    whole, shards = len(rows), sorted(rows["shard"].unique())
    # The begin of a window at or before the first review, counted from the epoch as Flink counts.
    start = events.table["event_time"].min().floor(pd.Timedelta(seconds=slide_seconds))
    first = rows["arrival"].min()
    rows = rows.sort_values(["arrival", "shard", "order"], ignore_index=True).head(MOST_RECORDS)
    written = output.table["window_start"].value_counts()
    by_subtasks, found, scenes = {}, {}, {}
    for subtasks in sorted({len(shards), 1}, reverse=True):
        read = read_by_subtasks(rows, subtasks)
        happened = (read["event_time"] - start) // pd.Timedelta(milliseconds=1)
        came = (read["read"] - first) // pd.Timedelta(milliseconds=1)
        one = [Event(*values) for values in zip(happened, came, read["subtask"], read["marker"], strict=True)]
        result = steps(one, window_seconds * 1000, slide_seconds * 1000, watermark_delay_seconds * 1000, subtasks)
        made = scene(one, result, seconds, str(subtasks))
        made["windows"] = [[at, closes, int(written.get(start + pd.Timedelta(milliseconds=at), 0))]
                           for at, closes in made["windows"]]  # fmt: skip
        by_subtasks[subtasks], found[subtasks], scenes[str(subtasks)] = one, result, made
    last = max(event.event_time for event in by_subtasks[1] if not event.marker)
    moving = {
        "start": start.value // 1_000_000,
        "from": 0,
        "to": last + slide_seconds * 1000,
        "until": max(1, *(event.arrival for one in by_subtasks.values() for event in one)),
        "now": max(event.arrival for event in by_subtasks[1]) // 2,
        "up": "arrival: when it was read",
        "sets": {
            str(count): [[e.event_time, e.arrival] for e in one if not e.marker] for count, one in by_subtasks.items()
        },
        "lines": {str(count): newest_lines(one, _names(shards, count)) for count, one in by_subtasks.items()},
        "choices": [
            {"name": "subtasks", "label": "subtasks", "values": [str(count) for count in by_subtasks], "at": 0}
        ],
        "scenes": scenes,
        "threshold": threshold,
        "reviewers": _reviewers(rows, start, first, seconds),
        "colors": colors(),
    }
    in_all = window_seconds // slide_seconds
    table = pd.DataFrame(
        [
            (count, sum(pairs > 0 for pairs in one.late), one.late_pairs, one.late.count(in_all))
            for count, one in found.items()
        ],
        columns=COLUMNS,
    )
    part = f" (the first {MOST_RECORDS:,} of {whole:,} records)" if whole > MOST_RECORDS else ""
    said = "; ".join(
        f"with {row[1]} subtask{'s' * (row[1] > 1)} {row[2]:,} reviews are late, {row[4]:,} of them for every window"
        for row in table.itertuples()
    )
    alt = f"Event time across, arrival up, a watermark a subtask{part}. Read from {len(shards)} shards, {said}."
    return Picture(
        _still(by_subtasks, found, seconds),
        alt,
        table,
        f"The same records read{part}",
        moving=Moving("windows", moving),
    )


def _names(shards: list[str], subtasks: int) -> dict[int, str]:
    if subtasks == 1 and len(shards) > 1:
        return {0: "watermark of the one subtask"}
    return {number: f"watermark of {shard}" for number, shard in enumerate(shards)}


def _reviewers(
    rows: pd.DataFrame, start: pd.Timestamp, first: pd.Timestamp, seconds: tuple[int, int, int]
) -> list[dict[str, Any]]:
    """List the reviewers with the most reviews in a window: name, largest count, and each review's times."""
    reviews = rows[~rows["marker"]].dropna(subset=["reviewer"]).drop_duplicates(["reviewer", "review_id"])
    slide = pd.Timedelta(seconds=seconds[1])
    last = reviews["event_time"].dt.floor(slide)
    covers = pd.concat([reviews.assign(window=last - step * slide) for step in range(seconds[0] // seconds[1])])
    most = (
        covers.groupby(["reviewer", "window"])
        .size()
        .groupby("reviewer")
        .max()
        .sort_values(ascending=False, kind="stable")
    )
    ms, found = pd.Timedelta(milliseconds=1), []
    for name, count in most.head(REVIEWERS).items():
        mine = reviews[reviews["reviewer"] == name]
        at = [[int((row.event_time - start) / ms), int((row.arrival - first) / ms)] for row in mine.itertuples()]
        found.append({"name": name, "most": int(count), "at": at})
    return found


def _still(by_subtasks: dict[int, list[Event]], found: dict[int, Steps], seconds: tuple[int, int, int]) -> Figure:
    figure = Figure(figsize=(WIDTH, 3.9), layout="constrained")
    panels = figure.subplots(1, len(by_subtasks), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (count, events) in zip(panels, by_subtasks.items(), strict=True):
        _panel(axes, events, found[count], count, seconds[2])
        late = sum(pairs > 0 for pairs in found[count].late)
        axes.set_title(f"{count} subtask{'s' * (count != 1)}: {late:,} late reviews", loc="left", fontsize=10)
        axes.set_xlabel("event time, s")
        plain(axes, "both")
    panels[0].set_ylabel("arrival, s")
    panels[0].legend(loc="upper left", fontsize=SMALL, framealpha=0.9)
    last = max(event.event_time for event in by_subtasks[1] if not event.marker)
    panels[0].set_xlim(0, last / 1000 + seconds[1])
    return figure


def _panel(axes: Axes, events: list[Event], found: Steps, count: int, delay: int) -> None:
    for wanted, look, name in ((False, REVIEW, "review"), (True, LATE, "late review")):
        points = [event for event, late in zip(events, found.late, strict=True)
                  if bool(late) == wanted and not event.marker]  # fmt: skip
        axes.plot([event.event_time / 1000 for event in points], [event.arrival / 1000 for event in points],
                  look.marker, color=look.color, markersize=2 + 2 * wanted, linestyle="", label=name)  # fmt: skip
    for subtask, line in enumerate(newest_lines(events, dict.fromkeys(range(count), ""))):
        arrival, newest = np.reshape(line["points"], (-1, 2)).T / 1000
        axes.plot(newest - delay, arrival, drawstyle="steps-pre", color=WATERMARK.color, lw=1.6,
                  linestyle=LINES[subtask % 4], label="" if subtask else "watermark")  # fmt: skip


def _empty() -> Figure:
    figure = Figure(figsize=(WIDTH, 1.2), layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    axes.text(0, 0.5, "no review has arrived since the application started")
    return figure
