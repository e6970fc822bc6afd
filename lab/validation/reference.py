"""Compute the windows that must come out from `reviews` alone: pandas and numpy, no Flink.

Rules (Flink 1.20 documentation, "Windowing table-valued functions: HOP" and "Generating watermarks"):

- A window covers [k * slide, k * slide + size) of event time, k counted from the epoch; the size is a multiple of the
  slide, so every review belongs to size / slide windows.
- A window counts the distinct review_ids of one reviewer. A record without reviewer or review_id counts nowhere.
- Every record moves the watermark of its shard to the largest event_time so far less the delay; the overall watermark
  is the smallest of the shards. A window fires when that reaches window end - 1 ms.
- A record that comes after a window fired is late for that window, and still counts in its windows that have not fired.

How the shards are interleaved cannot be seen from outside. What is certain all the same: the overall watermark is never
ahead of the record's own shard, so a record that is not late by its own shard is late for nobody. Where that does not
settle it, the order of arrival decides, and the window is listed as `uncertain` with its smallest and largest count.
This holds while the application gives every shard a watermark of its own (parallelism = open shards, uniform assigner)
and no shard is left out as idle while its records are still under way.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lab.core.errors import BadParameter
from lab.streams.records import Events
from lab.validation.distinct_counts import consecutive, count_windows

NEVER = np.iinfo(np.int64).min // 4  # a watermark before any event time, small enough to subtract from
EVER = -NEVER
AUTO_WATERMARK_MS = 200  # `pipeline.auto-watermark-interval`: how far a watermark sent on may lag behind the events
COLUMNS = ["reviewer", "window_start", "window_end", "movie_count"]


@dataclass(frozen=True)
class Reference:
    """Hold what the detection must write. All times are UTC without offset, datetime64[ns].

    `windows`: DataFrame[reviewer, window_start, window_end, movie_count], closed windows above the threshold, by end
    and reviewer. `open_windows`: the same for windows that the watermark has not closed, so not expected in the output.
    `late_pairs`: DataFrame[shard, order, review_id, reviewer, event_time, window_start, window_end], a row for each
    (record, window) that came too late, decided by the order of arrival. `uncertain`: `windows` columns plus fewest and
    most, the windows whose count depends on how the shards were interleaved. `watermark`: the overall one at the end,
    NaT while a shard has not seen any record; `holding` names the shards that hold it there.
    """

    windows: pd.DataFrame
    open_windows: pd.DataFrame
    late_pairs: pd.DataFrame
    uncertain: pd.DataFrame
    watermark: pd.Timestamp
    holding: tuple[str, ...]
    threshold: int

    @property
    def sentence(self) -> str:
        """Return what was computed, in one sentence."""
        return (
            f"{len(self.windows):,} rows (a reviewer in a closed window) with more than {self.threshold} reviews, "
            f"{len(self.open_windows):,} in windows still open, {len(self.late_pairs):,} late (review, window) pairs, "
            f"{len(self.uncertain):,} rows that depend on timing."
        )


def windows(
    events: Events | pd.DataFrame,
    window_seconds: int = 60,
    slide_seconds: int = 30,
    threshold: int = 1,
    watermark_delay_seconds: int = 5,
) -> Reference:
    """Compute the reference from the decoded records of `reviews`, as `read_reviews` returns them.

    A DataFrame of the same columns will do (shard, order, arrival, review_id, reviewer, event_time; end markers are its
    rows without reviewer); then the shards are those that occur in it. Pass only what the application can have read:
    the records after its position. Kept are windows with movie_count > threshold; 0 keeps all.
    Raises BadParameter when a length is not positive or the window is not a multiple of the slide.
    """
    size, slide, delay = _milliseconds(window_seconds, slide_seconds, watermark_delay_seconds)
    if threshold < 0:
        raise BadParameter("threshold", threshold, "a window has at least one review, so use 0 or more")
    rows, open_shards, closed_shards = _rows(events)
    shards = _Shards(rows, open_shards, closed_shards, delay)
    reviewers, names = pd.factorize(rows["reviewer"].to_numpy(dtype=object))
    reviews, _ = pd.factorize(rows["review_id"].to_numpy(dtype=object))
    counted = (reviewers >= 0) & (reviews >= 0)  # neither is missing
    time = shards.time
    last = np.floor_divide(time, slide)  # number of the last window that covers the row; a window is known by its start
    first = last - size // slide + 1
    own = _first_unfired(shards.own_watermark(), size, slide)
    final = shards.final_watermark()
    closes = _first_unfired(np.array([final]), size, slide)[0]

    arrival = most = np.full(len(rows), NEVER)
    may_be_late = counted & (own > first)
    if may_be_late.any():
        arrival = _first_unfired(shards.overall_watermark_by_arrival(), size, slide)
        if len(open_shards) + len(closed_shards) == 1:
            most = _first_unfired(shards.own_watermark() - AUTO_WATERMARK_MS, size, slide)

    def table(first_counted: np.ndarray, threshold: int, among: np.ndarray) -> pd.DataFrame:
        start = np.maximum(first, first_counted)
        reviewer, window, count = count_windows(reviewers, reviews, start, last + 1, among, threshold)
        return _table(names[reviewer], window, count, size, slide)

    kept = table(arrival, threshold, counted)
    is_closed = _number(kept["window_start"], slide) < closes
    touched = counted & np.isin(reviewers, np.unique(reviewers[may_be_late]))
    fewest, nominal, at_most = (table(limit, 0, touched) for limit in (own, arrival, most))
    uncertain = _uncertain(fewest, nominal, at_most, threshold)
    return Reference(
        kept[is_closed].reset_index(drop=True),
        kept[~is_closed].reset_index(drop=True),
        _late_pairs(rows, counted, first, np.minimum(arrival, last + 1), size, slide),
        uncertain[_number(uncertain["window_start"], slide) < closes].reset_index(drop=True),
        pd.Timestamp(final, unit="ms") if NEVER < final < EVER else pd.NaT,
        shards.holding(),
        threshold,
    )


class _Shards:
    """Hold the rows as milliseconds by shard, and the watermarks that follow from them."""

    def __init__(self, rows: pd.DataFrame, open_shards: list[str], closed_shards: list[str], delay: int) -> None:
        self.delay = delay
        self.names = [*open_shards, *closed_shards]
        self.closed = set(closed_shards)
        self.time = _epoch_ms(rows["event_time"])
        shard = rows["shard"].to_numpy(dtype=object)
        order = rows["order"].to_numpy()
        self.at = {}  # shard -> the places of its rows, in the order they were read
        for name in self.names:
            places = np.flatnonzero(shard == name)
            self.at[name] = places[np.argsort(order[places], kind="stable")]
        self._arrival = rows["arrival"]

    def own_watermark(self) -> np.ndarray:
        """Return the watermark of the row's own shard just before the row."""
        result = np.full(len(self.time), NEVER)
        for places in self.at.values():
            reached = np.maximum.accumulate(self.time[places]) - self.delay
            result[places[1:]] = reached[:-1]
        return result

    def overall_watermark_by_arrival(self) -> np.ndarray:
        """Return the smallest of the shards' watermarks just before the row, when rows are taken as they arrived."""
        arrival = _epoch_ms(self._arrival)
        number, order = np.zeros_like(arrival), np.zeros_like(arrival)
        for index, places in enumerate(self.at.values()):
            arrival[places] = np.maximum.accumulate(arrival[places])  # within a shard the order is known
            number[places], order[places] = index, np.arange(len(places))
        by_arrival = np.lexsort((order, number, arrival))
        turn = np.empty_like(by_arrival)
        turn[by_arrival] = np.arange(len(by_arrival))
        overall = np.full(len(by_arrival), EVER)
        for name, places in self.at.items():
            reached = np.full(len(by_arrival) + 1, NEVER)
            reached[turn[places] + 1] = self.time[places] - self.delay
            reached = np.maximum.accumulate(reached)
            if name in self.closed:  # a shard that has ended holds nobody up
                reached[(turn[places[-1]] + 1 if len(places) else 0) :] = EVER
            overall = np.minimum(overall, reached[:-1])
        return overall[turn]

    def final_watermark(self) -> int:
        """Return the overall watermark after the last row."""
        ends = [self._end(name) for name in self.names if name not in self.closed]
        return min(ends, default=NEVER)

    def holding(self) -> tuple[str, ...]:
        """Return the open shards whose watermark is the overall one at the end."""
        final = self.final_watermark()
        return tuple(name for name in self.names if name not in self.closed and self._end(name) == final)

    def _end(self, name: str) -> int:
        places = self.at[name]
        return int(self.time[places].max()) - self.delay if len(places) else NEVER


def _milliseconds(window_seconds: int, slide_seconds: int, watermark_delay_seconds: int) -> tuple[int, int, int]:
    if window_seconds <= 0:
        raise BadParameter("window_seconds", window_seconds, "a window is longer than nothing, such as 60")
    if slide_seconds <= 0 or window_seconds % slide_seconds:
        hint = f"HOP wants a window ({window_seconds} s) that is a whole multiple of the slide, such as 60 and 30"
        raise BadParameter("slide_seconds", slide_seconds, hint)
    if watermark_delay_seconds < 0:
        raise BadParameter("watermark_delay_seconds", watermark_delay_seconds, "a delay is 0 or more, such as 5")
    return window_seconds * 1000, slide_seconds * 1000, watermark_delay_seconds * 1000


def _rows(events: Events | pd.DataFrame) -> tuple[pd.DataFrame, list[str], list[str]]:
    columns = ["shard", "order", "arrival", "review_id", "reviewer", "event_time"]
    if isinstance(events, pd.DataFrame):
        return events[columns], sorted(events["shard"].unique()), []
    parts = [part[columns] for part in (events.table, events.markers) if len(part)]
    rows = pd.concat(parts, ignore_index=True) if parts else events.table[columns]
    return rows, list(events.open_shards), list(events.closed_shards)


def _first_unfired(watermark: np.ndarray, size: int, slide: int) -> np.ndarray:
    """Number the first window this watermark has not fired: k * slide + size - 1 > watermark."""
    return np.floor_divide(watermark - size + 1, slide) + 1


def _number(start: pd.Series, slide: int) -> np.ndarray:
    return _epoch_ms(start) // slide


def _epoch_ms(times: pd.Series) -> np.ndarray:
    if isinstance(times.dtype, pd.DatetimeTZDtype):
        times = times.dt.tz_convert(None)
    return times.to_numpy().astype("datetime64[ms]").astype("int64")


def _table(reviewer: np.ndarray, window: np.ndarray, count: np.ndarray, size: int, slide: int) -> pd.DataFrame:
    names = pd.Series(reviewer, dtype=object)
    table = pd.DataFrame({"reviewer": names, **_times(window, size, slide), "movie_count": count})
    return table.sort_values(["window_end", "reviewer"], ignore_index=True)


def _uncertain(fewest: pd.DataFrame, arrival: pd.DataFrame, most: pd.DataFrame, threshold: int) -> pd.DataFrame:
    key = COLUMNS[:3]
    table = most.rename(columns={"movie_count": "most"})
    table = table.merge(arrival, on=key, how="left").merge(
        fewest.rename(columns={"movie_count": "fewest"}), on=key, how="left"
    )
    table = table.fillna({"movie_count": 0, "fewest": 0}).astype({"movie_count": "int64", "fewest": "int64"})
    unsettled = (table["fewest"] != table["most"]) & (table["most"] > threshold)
    return table.loc[unsettled, [*COLUMNS, "fewest", "most"]]


def _late_pairs(
    rows: pd.DataFrame, counted: np.ndarray, first: np.ndarray, first_counted: np.ndarray, size: int, slide: int
) -> pd.DataFrame:
    missed = np.where(counted, np.maximum(first_counted - first, 0), 0)
    late = np.flatnonzero(missed)
    table = rows.iloc[np.repeat(late, missed[late])][["shard", "order", "review_id", "reviewer", "event_time"]]
    return table.reset_index(drop=True).assign(**_times(consecutive(first[late], missed[late]), size, slide))


def _times(window: np.ndarray, size: int, slide: int) -> dict[str, np.ndarray]:
    start = (window * slide).astype("datetime64[ms]")
    end = start + np.timedelta64(size, "ms")
    return {"window_start": start.astype("datetime64[ns]"), "window_end": end.astype("datetime64[ns]")}
