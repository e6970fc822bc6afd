"""Compute event time at one moment: the events so far, the watermark, and which windows are open. Pure: no I/O.

A window covers [k * slide, k * slide + size) of event time and closes when the watermark reaches its end less 1 ms, as
in Flink (documentation of Flink 1.20, "Timely stream processing").
"""

from dataclasses import dataclass

import pandas as pd

from lab.streams.records import Events, Output

WINDOWS_SHOWN = 8  # the newest ones
OPEN, CLOSED = "open", "closed"
COLUMNS = ["window_start", "window_end", "state", "reviews", "above", "written"]
_MS = pd.Timedelta(milliseconds=1)


@dataclass(frozen=True)
class WindowRules:
    """Describe lengths of the windows and the watermark's delay in seconds.

    A reviewer is written above the threshold.
    """

    window_seconds: int = 60
    slide_seconds: int = 30
    threshold: int = 1
    watermark_delay_seconds: int = 5


@dataclass(frozen=True)
class LiveState:
    """Describe one moment. All times are event time, UTC without offset.

    `points`: DataFrame[shard, event_time, marker (bool)], the events from the first shown window on. `windows`:
    DataFrame[window_start, window_end, state, reviews, above, written] of the newest windows that hold a review:
    distinct reviews in it, reviewers above the threshold, and how many of those the application has written.
    `watermark` is NaT while there is none; `source` says whose it is. `newest` is the newest review. `late`: Flink's
    count of late rows, None where it is not known.
    """

    points: pd.DataFrame
    windows: pd.DataFrame
    watermark: pd.Timestamp
    source: str
    newest: pd.Timestamp
    late: int | None
    shards: tuple[str, ...]
    rules: WindowRules
    reviews: int

    @property
    def settled(self) -> bool:
        """Return every window shown is closed and everything that must be written is written."""
        windows = self.windows
        return bool((windows["state"] == CLOSED).all() and (windows["written"] >= windows["above"]).all())


def stream_watermark(events: Events, delay_seconds: int) -> pd.Timestamp:
    """Compute the watermark of the stream: the smallest newest event time of the open shards, less the delay.

    NaT while an open shard has no event.
    """
    rows = pd.concat([part[["shard", "event_time"]] for part in (events.table, events.markers)])
    newest = rows.groupby("shard")["event_time"].max()
    if not events.open_shards or not set(events.open_shards) <= set(newest.index):
        return pd.NaT
    return newest[list(events.open_shards)].min() - pd.Timedelta(seconds=delay_seconds)


def window_state(window_end: pd.Timestamp, watermark: pd.Timestamp) -> str:
    """Return CLOSED once the watermark has reached the window's end less 1 ms, else OPEN."""
    return CLOSED if watermark is not pd.NaT and watermark >= window_end - _MS else OPEN


def live_state(
    events: Events,
    output: Output,
    watermark: pd.Timestamp,
    source: str,
    late: int | None,
    rules: WindowRules,
    shown: int = WINDOWS_SHOWN,
) -> LiveState:
    """Return the moment that these records and this watermark are."""
    table, markers = events.table, events.markers
    shards = tuple(sorted({*events.open_shards, *events.closed_shards}))
    newest = table["event_time"].max()
    windows = _windows(table, output, watermark, rules, shown)
    points = pd.concat(
        [
            table[["shard", "event_time"]].assign(marker=False),
            markers[["shard", "event_time"]].assign(marker=True),
        ],
        ignore_index=True,
    )
    if len(windows):
        points = points[points["event_time"] >= windows["window_start"].iloc[0]].reset_index(drop=True)
    return LiveState(points, windows, watermark, source, newest, late, shards, rules, len(table))


def _windows(
    table: pd.DataFrame, output: Output, watermark: pd.Timestamp, rules: WindowRules, shown: int
) -> pd.DataFrame:
    if table.empty:
        return pd.DataFrame(columns=COLUMNS)
    size, slide = pd.Timedelta(seconds=rules.window_seconds), pd.Timedelta(seconds=rules.slide_seconds)
    last = table["event_time"].max().floor(slide)
    recent = table[table["event_time"] >= last - (shown - 1) * slide]
    written = output.table["window_end"].value_counts()
    rows = []
    for back in range(shown - 1, -1, -1):
        start = last - back * slide
        inside = recent[(recent["event_time"] >= start) & (recent["event_time"] < start + size)]
        counts = inside.dropna(subset=["reviewer"]).groupby("reviewer")["review_id"].nunique()
        if len(counts):
            above = int((counts > rules.threshold).sum())
            found = int(written.get(start + size, 0))
            rows.append((start, start + size, window_state(start + size, watermark), int(counts.sum()), above, found))
    return pd.DataFrame(rows, columns=COLUMNS)
