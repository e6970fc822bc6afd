"""The reference against a slow and obvious one, by hand-made cases and by whatever hypothesis finds."""

import json
from collections import defaultdict

import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from lab.core.errors import BadParameter
from lab.streams.records import Events
from lab.validation.reference import AUTO_WATERMARK_MS, windows
from tests.support.account import SHARED

START = pd.Timestamp("2026-01-01")


def shard(number):
    return f"shardId-{number:012d}"


def frame(rows):
    """rows: (shard number, event seconds since START, reviewer, review_id, arrival ms); order = order of the list."""
    table = pd.DataFrame(rows, columns=["shard", "event_time", "reviewer", "review_id", "arrival"])
    return table.assign(
        shard=[shard(number) for number in table["shard"]],
        order=table.groupby("shard").cumcount(),
        event_time=START + pd.to_timedelta((table["event_time"].astype(float) * 1000).round(), unit="ms"),
        arrival=pd.to_datetime(table["arrival"].astype("int64"), unit="ms", utc=True),
        reviewer=table["reviewer"].astype(object),
        review_id=table["review_id"].astype(object),
    )


def events(rows, open_shards=None, closed_shards=()):
    table = frame(rows)
    named = [shard(number) for number in open_shards] if open_shards is not None else sorted(set(table["shard"]))
    closed = tuple(shard(number) for number in closed_shards)
    unreadable = pd.DataFrame(columns=["shard", "sequence_number", "reason"])
    return Events(table, table.iloc[:0], unreadable, tuple(named), closed)


def short(table):
    """{(reviewer, window start in seconds): count}"""
    seconds = (table["window_start"] - START).dt.total_seconds()
    return dict(zip(zip(table["reviewer"], seconds, strict=True), table["movie_count"], strict=True))


MARKER = (0, 600, None, "end-marker-0", 10**6)


def test_two_reviews_in_overlapping_windows():
    ann = [(0, 10, "ann", "r1", 0), (0, 40, "ann", "r2", 1)]
    rows = [*ann, (0, 59.999, "bob", "r3", 2), (0, 60, "bob", "r4", 3), MARKER]
    reference = windows(events(rows), threshold=0)
    assert short(reference.windows) == {
        ("ann", -30): 1, ("ann", 0): 2, ("ann", 30): 1, ("bob", 0): 1, ("bob", 30): 2, ("bob", 60): 1,
    }  # fmt: skip
    assert short(windows(events(rows)).windows) == {("ann", 0): 2, ("bob", 30): 2}
    first = reference.windows.iloc[0]
    assert first.tolist() == ["ann", START - pd.Timedelta("30s"), START + pd.Timedelta("30s"), 1]
    assert reference.windows.dtypes.astype(str).to_dict() == {
        "reviewer": "object", "window_start": "datetime64[ns]", "window_end": "datetime64[ns]", "movie_count": "int64",
    }  # fmt: skip
    assert reference.sentence == (
        "6 rows (a reviewer in a closed window) with more than 0 reviews, 0 in windows still open, 0 late (review, "
        "window) pairs, 0 rows that depend on timing."
    )


def test_a_review_id_counts_once_in_a_window_and_again_in_another():
    rows = [(0, 5, "ann", "r1", 0), (0, 20, "ann", "r1", 1), (0, 70, "ann", "r1", 2), (0, 71, "bob", "r1", 3), MARKER]
    assert short(windows(events(rows), threshold=0).windows) == {
        ("ann", -30): 1, ("ann", 0): 1, ("ann", 30): 1, ("ann", 60): 1, ("bob", 30): 1, ("bob", 60): 1,
    }  # fmt: skip


def test_no_reviewer_or_no_review_id_counts_nowhere_but_moves_the_watermark():
    rows = [(0, 5, "ann", None, 0), (0, 6, None, "r1", 1), (0, 7, "ann", "r2", 2), (0, 8, "ann", "r3", 3)]
    assert short(windows(events(rows)).open_windows) == {("ann", -30): 2, ("ann", 0): 2}
    assert short(windows(events([*rows, (0, 64.998, None, None, 4)])).open_windows) == {("ann", 0): 2}
    closed = windows(events([*rows, (0, 64.999, None, None, 4)]))
    assert len(closed.open_windows) == 0 and closed.watermark == START + pd.Timedelta("59.999s")


def test_the_slowest_shard_holds_the_windows_open():
    rows = [(0, 5, "ann", "r1", 0), (0, 6, "ann", "r2", 1), (0, 600, None, "m", 2), (1, 40, "bob", "r3", 3)]
    reference = windows(events(rows))
    assert short(reference.windows) == {("ann", -30): 2} and short(reference.open_windows) == {("ann", 0): 2}
    assert reference.holding == (shard(1),) and reference.watermark == START + pd.Timedelta("35s")
    silent = windows(events(rows[:3], open_shards=[0, 1]))
    assert len(silent.windows) == 0 and silent.watermark is pd.NaT and silent.holding == (shard(1),)
    ended = windows(events(rows, open_shards=[0], closed_shards=[1]))
    assert short(ended.windows) == {("ann", -30): 2, ("ann", 0): 2}


def test_end_markers_come_from_their_own_table():
    table = frame([(0, 5, "ann", "r1", 0), (0, 6, "ann", "r2", 1), (0, 600, None, "end-marker-0", 2)])
    unreadable = pd.DataFrame(columns=["shard", "sequence_number", "reason"])
    split = Events(table[:2], table[2:], unreadable, (shard(0),))
    pd.testing.assert_frame_equal(windows(split).windows, windows(table).windows)
    assert len(windows(split).windows) == 2


def test_a_late_row_still_counts_in_windows_that_have_not_fired():
    # The watermark is at 65 s when a review of 50 s comes: window [0, 60) has fired, [30, 90) has not.
    rows = [(0, 40, "ann", "r1", 0), (0, 70, None, "m", 1), (0, 50, "ann", "r2", 2), MARKER]
    reference = windows(events(rows), threshold=0)
    assert short(reference.windows) == {("ann", 0): 1, ("ann", 30): 2}
    late = reference.late_pairs
    assert late[["shard", "order", "review_id"]].values.tolist() == [[shard(0), 2, "r2"]]
    assert late["window_end"].tolist() == [START + pd.Timedelta("60s")]
    assert len(reference.uncertain) == 0  # one shard, and the watermark is more than 200 ms past the window


def test_late_by_less_than_the_watermark_interval_is_uncertain():
    rows = [(0, 40, "ann", "r1", 0), (0, 65.1, None, "m", 1), (0, 50, "ann", "r2", 2), MARKER]
    reference = windows(events(rows), threshold=0)
    assert reference.uncertain[["reviewer", "movie_count", "fewest", "most"]].values.tolist() == [["ann", 1, 1, 2]]
    assert len(windows(events(rows), threshold=1).uncertain) == 1
    assert len(windows(events(rows), threshold=2).uncertain) == 0


def test_a_row_is_never_late_because_of_itself():
    rows = [(0, 59.999, "ann", "r1", 0), (0, 59.999, "ann", "r2", 1)]
    reference = windows(events(rows), threshold=0, watermark_delay_seconds=0)
    assert short(reference.windows) == {("ann", 0): 1} and short(reference.open_windows) == {("ann", 30): 2}
    assert reference.late_pairs["review_id"].tolist() == ["r2"]
    assert reference.uncertain[["fewest", "most"]].values.tolist() == [[1, 2]]


def test_with_a_second_shard_behind_the_row_is_in_time_by_arrival_but_uncertain():
    rows = [(0, 40, "ann", "r1", 0), (0, 70, None, "m", 1), (1, 1, None, "n", 2), (0, 50, "ann", "r2", 3),
            (1, 600, None, "m", 9), MARKER]  # fmt: skip
    reference = windows(events(rows), threshold=0)
    assert short(reference.windows)[("ann", 0)] == 2 and len(reference.late_pairs) == 0
    assert reference.uncertain[["reviewer", "movie_count", "fewest", "most"]].values.tolist() == [["ann", 2, 1, 2]]


def test_nothing_at_all():
    reference = windows(events([], open_shards=[0]))
    for table in (reference.windows, reference.open_windows, reference.late_pairs, reference.uncertain):
        assert len(table) == 0
    assert list(reference.windows.columns) == ["reviewer", "window_start", "window_end", "movie_count"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"slide_seconds": 40}, "window .60 s. that is a whole multiple of the slide"),
        ({"slide_seconds": 0}, "whole multiple"),
        ({"slide_seconds": 120}, "whole multiple"),
        ({"window_seconds": 0}, "window_seconds = 0"),
        ({"threshold": -1}, "use 0 or more"),
        ({"watermark_delay_seconds": -5}, "0 or more"),
    ],
)
def test_lengths_that_cannot_be(arguments, says):
    with pytest.raises(BadParameter, match=says):
        windows(events([MARKER]), **arguments)


# The slow and obvious way.


def covering(time, size, slide):
    """Starts of the windows that cover a moment, in ms."""
    last = time // slide * slide
    return [last - step * slide for step in range(size // slide)]


def by_arrival(rows):
    """Rows in the order of arrival, kept in the order of each shard."""
    latest, keyed = defaultdict(int), []
    for index, row in enumerate(rows):
        latest[row[0]] = max(latest[row[0]], row[4])
        keyed.append((latest[row[0]], row[0], index, row))
    return [row for *_, row in sorted(keyed, key=lambda entry: entry[:3])]


def slow(rows, shards, size, slide, delay, sequence, lag=lambda reached: reached):
    """Counts per (reviewer, start), late pairs, and the final watermark, row by row; times in ms since START."""
    reached, sent = dict.fromkeys(shards), dict.fromkeys(shards)
    counted, late = defaultdict(set), []
    for number, time, reviewer, review_id, _ in sequence:
        time = round(time * 1000)
        overall = None if None in sent.values() else min(sent.values())
        for start in covering(time, size, slide):
            if reviewer is None or review_id is None:
                continue
            if overall is not None and overall - delay >= start + size - 1:
                late.append((review_id, start))
            else:
                counted[reviewer, start].add(review_id)
        reached[number] = time if reached[number] is None else max(reached[number], time)
        now = lag(reached[number])
        sent[number] = now if sent[number] is None else max(sent[number], now)
    final = None if None in reached.values() else min(reached.values()) - delay
    return {key: len(ids) for key, ids in counted.items()}, late, final


def in_ms(table, column="movie_count"):
    starts = ((table["window_start"] - START) / pd.Timedelta("1ms")).astype("int64")
    return dict(zip(zip(table["reviewer"], starts, strict=True), table[column], strict=True))


tenths, millis = st.integers(-2_000, 3_000), st.integers(-100, 200_000)
moments = tenths.map(lambda tenth: tenth / 10) | millis.map(lambda ms: ms / 1000)
lengths = st.sampled_from([(60, 30), (30, 30), (60, 10), (20, 5), (90, 30)])


@st.composite
def inputs(draw, ordered):
    shards = draw(st.integers(1, 3))
    size = draw(st.integers(0, 25))
    times = [draw(moments) for _ in range(size)]
    arrivals = sorted(draw(st.integers(0, 30)) for _ in range(size))
    if ordered:
        times.sort()
    rows = [
        (
            draw(st.integers(0, shards - 1)),
            time,
            draw(st.sampled_from(["ann", "bob", None])),
            draw(st.sampled_from(["r1", "r2", "r3", "r4", "r5", None])),
            arrival,
        )
        for time, arrival in zip(times, arrivals, strict=True)
    ]
    return rows, list(range(shards)), draw(lengths), draw(st.integers(0, 20)), draw(st.integers(0, 3))


@settings(max_examples=100, deadline=None)
@given(inputs(ordered=True))
def test_input_in_order_has_nothing_late_and_is_counted_as_the_slow_way_does(given):
    rows, shards, (size, slide), delay, threshold = given
    reference = windows(events(rows, open_shards=shards), size, slide, threshold, delay)
    counts, late, final = slow(rows, shards, size * 1000, slide * 1000, delay * 1000, by_arrival(rows))
    assert late == [] and len(reference.late_pairs) == 0 and len(reference.uncertain) == 0
    kept = {key: count for key, count in counts.items() if count > threshold}
    closed = {key: n for key, n in kept.items() if final is not None and key[1] + size * 1000 - 1 <= final}
    assert in_ms(reference.windows) == closed
    assert {**in_ms(reference.windows), **in_ms(reference.open_windows)} == kept


@settings(max_examples=100, deadline=None)
@given(inputs(ordered=False))
def test_late_rows_by_arrival_are_counted_as_the_slow_way_does(given):
    rows, shards, (size, slide), delay, threshold = given
    reference = windows(events(rows, open_shards=shards), size, slide, threshold, delay)
    counts, late, final = slow(rows, shards, size * 1000, slide * 1000, delay * 1000, by_arrival(rows))
    kept = {key: count for key, count in counts.items() if count > threshold}
    assert {**in_ms(reference.windows), **in_ms(reference.open_windows)} == kept
    assert all(final is not None and start + size * 1000 - 1 <= final for _, start in in_ms(reference.windows))
    assert all(final is None or start + size * 1000 - 1 > final for _, start in in_ms(reference.open_windows))
    starts = ((reference.late_pairs["window_start"] - START) / pd.Timedelta("1ms")).astype("int64")
    assert sorted(zip(reference.late_pairs["review_id"], starts, strict=True)) == sorted(late)


@settings(max_examples=100, deadline=None)
@given(inputs(ordered=False), st.data())
def test_however_shards_are_interleaved_the_count_is_within_the_bounds(given, data):
    rows, shards, (size, slide), delay, _ = given
    reference = windows(events(rows, open_shards=shards), size, slide, 0, delay)
    left = {number: [row for row in rows if row[0] == number] for number in shards}
    sequence = []
    while any(left.values()):
        number = data.draw(st.sampled_from([number for number, queue in left.items() if queue]))
        sequence.append(left[number].pop(0))
    behind = data.draw(st.integers(0, AUTO_WATERMARK_MS))
    counts, _, final = slow(
        rows, shards, size * 1000, slide * 1000, delay * 1000, sequence, lag=lambda reached: reached - behind
    )
    if final is None:
        return
    fewest, most = in_ms(reference.uncertain, "fewest"), in_ms(reference.uncertain, "most")
    nominal = in_ms(reference.windows)
    for key in {*nominal, *most, *counts}:
        if key[1] + size * 1000 - 1 > final:
            continue
        count = counts.get(key, 0)
        if key in most:
            assert fewest[key] <= count <= most[key]
        else:
            assert count == nominal.get(key, 0)


@pytest.mark.skipif(not SHARED.exists(), reason="the real reviews are not beside the repository")
@pytest.mark.parametrize(("name", "shards"), [("imdb_records.json", 1), ("real_reviews.json", 4)])
def test_real_reviews_are_counted_as_the_slow_way_does(name, shards):
    reviews = json.loads((SHARED / name).read_text())
    rows = [(i % shards, i / 10, one["reviewer"], one["review_id"], i) for i, one in enumerate(reviews)]
    rows += [(number, len(reviews) / 10 + 120, None, f"end-marker-{number}", 10**6) for number in range(shards)]
    reference = windows(events(rows))
    counts, late, _ = slow(rows, list(range(shards)), 60_000, 30_000, 5_000, rows)
    assert late == [] and in_ms(reference.windows) == {key: count for key, count in counts.items() if count > 1}
    assert len(reference.windows) == {"imdb_records.json": 0, "real_reviews.json": 1124}[name]
