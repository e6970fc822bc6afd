"""Decode raw records to tables: the reviews that went in, the windows that came out. Pure: no I/O.

Nothing is dropped in silence: what cannot be read is listed with its reason, and a window that was written twice with
different counts keeps both rows.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from lab.streams.aggregated import MAGIC, unpacked

END_MARKER = "end-marker-"
# The one grammar of event_time, as sliding-windows.py has it: UTC without offset, a space for the T and up to nine
# decimals as one likes, days of the calendar of 1970 to 2099.
EVENT_TIME = re.compile(
    "((19[7-9]|20[0-9])[0-9]-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    "|02-(0[1-9]|1[0-9]|2[0-8]))|(19([79][26]|8[048])|20([02468][048]|[13579][26]))-02-29)"
    "[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?"
)
EVENT_COLUMNS = ["shard", "order", "sequence_number", "arrival", "review_id", "reviewer", "movie", "rating"]
WINDOW_COLUMNS = ["reviewer", "movie_count", "window_start", "window_end"]
UNREADABLE_COLUMNS = ["shard", "sequence_number", "reason"]


@dataclass(frozen=True)
class Events:
    """Describe the records of `reviews`, decoded.

    `table` holds the reviews: DataFrame[shard, order, sequence_number, arrival (UTC), review_id, reviewer, movie,
    rating, event_time (datetime64[ns], UTC without offset)]; `order` counts the records of a shard as they were read.
    `markers` holds the end markers (same columns): never counted, but their event_time moves the watermark.
    `unreadable` says which records could not be decoded: DataFrame[shard, sequence_number, reason].
    `open_shards` and `closed_shards` name all shards of the stream, those without records too.
    """

    table: pd.DataFrame
    markers: pd.DataFrame
    unreadable: pd.DataFrame
    open_shards: tuple[str, ...] = ()
    closed_shards: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Return what was read, in one sentence."""
        return (
            f"{len(self.table):,} reviews, {len(self.markers):,} end markers and {len(self.unreadable):,} unreadable "
            f"records on {len(self.open_shards) + len(self.closed_shards)} shards."
        )


@dataclass(frozen=True)
class Output:
    """Describe the records of `suspicious_activity`, decoded.

    `table` is a DataFrame[reviewer, movie_count (int), window_start, window_end (UTC without offset)], by window end
    and reviewer, without the copies a sink that writes at least once may add: `duplicates` counts those removed. A
    window written with different contents keeps all its rows; they are listed in `conflicts` too. `unreadable` as in
    Events.
    """

    table: pd.DataFrame
    duplicates: int = 0
    conflicts: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=WINDOW_COLUMNS))
    unreadable: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=UNREADABLE_COLUMNS))

    @property
    def sentence(self) -> str:
        """Return what was read, in one sentence."""
        return (
            f"{len(self.table):,} rows, {self.duplicates:,} copies removed, {len(self.conflicts):,} in conflict, "
            f"{len(self.unreadable):,} records unreadable."
        )


@dataclass(frozen=True)
class Groups:
    """Hold the records of `suspicious_groups`, decoded.

    `table` is a DataFrame[movie, reviewers (int), window_start, window_end (UTC without offset)], each row once, by
    window end and movie. `unreadable` as in Events.
    """

    table: pd.DataFrame
    unreadable: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=UNREADABLE_COLUMNS))

    @property
    def sentence(self) -> str:
        """Return what was read, in one sentence."""
        return (
            f"{len(self.table):,} groups of {self.table['movie'].nunique():,} movies, {len(self.unreadable):,} records "
            "unreadable."
        )


def read_reviews(raw: pd.DataFrame | Iterable[pd.DataFrame]) -> Events:
    """Decode what `read_stream` (or, table by table, `stream_batches`) read from `reviews`."""
    tables, unreadable, open_shards, closed_shards = [], [], set(), set()
    seen: dict[str, int] = {}
    one_copy: dict[str, str] = {}
    for batch in [raw] if isinstance(raw, pd.DataFrame) else raw:
        open_shards.update(batch.attrs.get("open_shards", ()))
        closed_shards.update(batch.attrs.get("closed_shards", ()))
        good, bad = _decode_reviews(batch, seen, one_copy)
        tables.append(good)
        unreadable.append(bad)
    table = joined(tables).sort_values(["shard", "order"], ignore_index=True)
    open_shards |= set(table["shard"]) - closed_shards
    is_marker = table["reviewer"].isna() & table["review_id"].astype(object).str.startswith(END_MARKER).eq(True)
    return Events(
        table[~is_marker].reset_index(drop=True),
        table[is_marker].reset_index(drop=True),
        joined(unreadable),
        tuple(sorted(open_shards)),
        tuple(sorted(closed_shards)),
    )


def read_windows(raw: pd.DataFrame) -> Output:
    """Decode what `read_stream` read from `suspicious_activity`, and remove copies by (reviewer, window end)."""
    table, unreadable = _counts(raw, "reviewer", "movie_count")
    distinct = table.drop_duplicates(WINDOW_COLUMNS).sort_values(["window_end", "reviewer"], ignore_index=True)
    conflicts = distinct[distinct.duplicated(["reviewer", "window_end"], keep=False)]
    return Output(distinct, len(table) - len(distinct), conflicts, unreadable)


def read_groups(raw: pd.DataFrame) -> Groups:
    """Decode what `read_stream` read from `suspicious_groups`, and remove copies."""
    table, unreadable = _counts(raw, "movie", "reviewers")
    return Groups(table.drop_duplicates().sort_values(["window_end", "movie"], ignore_index=True), unreadable)


def read_attempts(raw: pd.DataFrame) -> pd.DataFrame:
    """Decode what `read_stream` read from `exercises`: DataFrame[attempt, review_id, number, shard, partition_key].

    Oldest first. A record of exercise 1 has a review_id, one of exercise 3 a number. Without an attempt it is left out.
    """
    values = [_object(data)[0] for data in raw["data"]]
    kinds = {"attempt": str, "review_id": str, "number": int}
    fields = {
        key: [value[key] if isinstance(value.get(key), kind) else None for value in values]
        for key, kind in kinds.items()
    }
    table = raw[["arrival", "shard", "partition_key"]].assign(**fields).sort_values("arrival", kind="stable")
    is_text = [isinstance(attempt, str) for attempt in table["attempt"]]
    return table.loc[is_text, [*fields, "shard", "partition_key"]].reset_index(drop=True)


def _counts(raw: pd.DataFrame, who: str, count: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of an output of the application, and which of its records cannot be read."""
    columns = [who, count, "window_start", "window_end"]
    rows, reasons = [], []
    for data in raw["data"]:
        value, reason = _object(data)
        if not reason:
            reason = _window_fault(value, who, count)
        rows.append([value.get(key) for key in (who, count, "window_start", "event_time")])
        reasons.append(reason)
    table = pd.DataFrame(rows, columns=columns, index=raw.index, dtype=object)
    faults = pd.Series(reasons, index=raw.index, dtype=object)
    for column, key in (("window_start", "window_start"), ("window_end", "event_time")):
        table[column], fault = _times(table[column], key)
        faults = faults.where(faults != "", fault)
    unreadable = raw.loc[faults != "", ["shard", "sequence_number"]].assign(reason=faults[faults != ""])
    return table[faults == ""].astype({count: "int64"}), unreadable.reset_index(drop=True)


def _decode_reviews(
    batch: pd.DataFrame, seen: dict[str, int], one_copy: dict[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    fields: dict[str, list[Any]] = {key: [] for key in ("review_id", "reviewer", "movie", "rating", "event_time")}
    batch = _unpacked(batch)
    reasons = []
    appends = [(key, values.append) for key, values in fields.items()]
    for data in batch["data"]:
        value, reason = _object(data)
        get = value.get
        for key, append in appends:
            append(_text(get(key), one_copy))
        reasons.append(reason)
    order = batch.groupby("shard", sort=False).cumcount() + batch["shard"].map(seen).fillna(0).astype("int64")
    for shard, count in batch["shard"].value_counts().items():
        seen[shard] = seen.get(shard, 0) + count
    table = batch[["shard", "sequence_number", "arrival"]].copy()
    table.attrs = {}
    for key, values in fields.items():
        table[key] = pd.Series(values, index=batch.index, dtype=object)
    table["order"] = order.astype("int64")
    faults = pd.Series(reasons, index=batch.index, dtype=object)
    table["event_time"], fault = _times(table["event_time"], "event_time")
    faults = faults.where(faults != "", fault)
    good = faults == ""
    unreadable = table.loc[~good, ["shard", "sequence_number"]].assign(reason=faults[~good])
    return table.loc[good, [*EVENT_COLUMNS, "event_time"]], unreadable


def _unpacked(batch: pd.DataFrame) -> pd.DataFrame:
    """Return the batch with a row for each user record of those that a producer library aggregated."""
    if not any(data.startswith(MAGIC) for data in batch["data"]):
        return batch
    attrs, batch = batch.attrs, batch.assign(data=[unpacked(data) for data in batch["data"]])
    rows = batch.explode("data", ignore_index=True)
    rows.attrs = attrs
    return rows[rows["data"].notna()].reset_index(drop=True)


def _object(data: bytes) -> tuple[dict[str, Any], str]:
    """Return the JSON object in a record and no reason, or an empty one and why not."""
    try:
        value = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        return {}, "not UTF-8 text"
    except RecursionError:
        return {}, "JSON nested too deeply"
    except ValueError:
        return {}, "not JSON"
    return (value, "") if isinstance(value, dict) else ({}, "JSON, but not an object")


def _text(value: Any, one_copy: dict[str, str]) -> str | None:
    """Return the value as Flink's STRING column sees it: other JSON values as their text, lone surrogates as '?'.

    Equal strings become one object (`one_copy`): names and titles repeat, and a million copies would fill the memory.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    known = one_copy.get(value)
    if known is None:
        known = one_copy[value] = value.encode("utf-8", "replace").decode("utf-8")
    return known


def _times(values: pd.Series, key: str) -> tuple[pd.Series, pd.Series]:
    """Parse texts of the grammar EVENT_TIME as datetime64[ns] floored to the millisecond.

    Returns a reason too, "" where it works.
    """
    written = [isinstance(value, str) and EVENT_TIME.fullmatch(value) is not None for value in values]
    times = pd.to_datetime(values.where(written), format="ISO8601")
    reasons = pd.Series("", index=values.index, dtype=object)
    wrong = times.isna()
    reasons[wrong] = [
        f"no {key}" if value is None else f"{key} is {str(value)[:40]!r}, not YYYY-MM-DDTHH:MM:SS of 1970 to 2099"
        for value in values[wrong]
    ]
    return times.dt.floor("ms"), reasons


def _window_fault(value: dict[str, Any], who: str, count: str) -> str:
    if not isinstance(value.get(who), str):
        return f"no {who}"
    number = value.get(count)
    if not isinstance(number, int) or isinstance(number, bool):
        return f"{count} is {str(number)[:40]!r}"
    return ""


def joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Join tables of the same columns, of which some may be empty: pandas would take an empty one's types too."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled or tables[:1], ignore_index=True)
