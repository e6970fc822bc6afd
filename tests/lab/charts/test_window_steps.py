"""Event time step by step, against numbers worked out by hand and against the reference of notebook 04."""

import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from lab.charts.window_steps import NEVER, Event, Window, steps, watermarks, window_starts
from lab.core.errors import BadParameter
from lab.validation.reference import windows


def seconds(*rows):
    """rows: (event time, arrival) in seconds"""
    return [Event(int(event * 1000), int(arrival * 1000)) for event, arrival in rows]


def test_a_moment_is_in_size_by_slide_windows():
    assert list(window_starts(65_000, 60_000, 30_000)) == [30_000, 60_000]
    assert list(window_starts(60_000, 60_000, 30_000)) == [30_000, 60_000]
    assert list(window_starts(59_999, 60_000, 60_000)) == [0]


def test_by_hand():
    """12 s comes when the watermark is at 10 s (15 - 5): the window [0, 10) is closed, [5, 15) and [10, 20) are not."""
    found = steps(seconds((3, 3), (15, 15), (8, 16), (12, 17), (30, 30)), 10_000, 5_000, 5_000)
    assert found.watermark == [-2_000, 10_000, 10_000, 10_000, 25_000]
    assert found.late == [0, 0, 1, 0, 0]  # 8 s is late for [0, 10), in time for [5, 15)
    assert found.windows == [
        Window(-5_000, 5_000, 1, 1),
        Window(0, 10_000, 1, 1),
        Window(5_000, 15_000, 4, 2),
        Window(10_000, 20_000, 4, 2),
        Window(15_000, 25_000, 4, 1),
        Window(25_000, 35_000, None, 1),
        Window(30_000, 40_000, None, 1),
    ]
    assert found.late_pairs == 1


def test_a_window_closes_a_millisecond_before_its_end():
    just, early = (steps([Event(0, 0), Event(at, 1), Event(1, 2)], 10, 10, 0) for at in (9, 8))
    assert (just.late, just.windows[0].closed_by) == ([0, 0, 1], 1)
    assert (early.late, early.windows[0].closed_by) == ([0, 0, 0], None)


def test_the_slowest_subtask_holds_event_time_back():
    events = [Event(50, 0, 0), Event(90, 1, 0), Event(20, 2, 1), Event(99, 3, 1, marker=True)]
    assert watermarks(events, 5, 2) == [NEVER, NEVER, 15, 85]
    found = steps(events, 10, 10, 5, 2)
    assert found.late == [0, 0, 0, 0]
    assert [window.start for window in found.windows] == [20, 50, 90]  # a marker is in no window


def test_lengths_that_flink_refuses():
    for size, slide, delay in ((10, 3, 0), (0, 5, 0), (10, 0, 0), (10, 5, -1)):
        with pytest.raises(BadParameter):
            steps([], size, slide, delay)
    assert steps([], 10, 5, 0).windows == []


rows = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 2)), min_size=1, max_size=40)


@settings(max_examples=80, deadline=None)
@given(rows, st.sampled_from([(60, 30), (60, 60), (40, 10)]), st.integers(0, 20), st.integers(1, 3))
def test_it_agrees_with_the_reference(rows, lengths, delay, shards):
    """The same late pairs, closed windows and counts as the reference, for one shard and for several."""
    rows = [(second, shard % shards) for second, shard in rows]
    shards = len({shard for _, shard in rows})
    names = sorted({shard for _, shard in rows})
    events = [Event(second * 1000, at, names.index(shard)) for at, (second, shard) in enumerate(rows)]
    found = steps(events, lengths[0] * 1000, lengths[1] * 1000, delay * 1000, shards)
    start = pd.Timestamp(0)
    table = pd.DataFrame(
        {
            "shard": [str(names.index(shard)) for _, shard in rows],
            "order": [sum(one == shard for _, one in rows[:at]) for at, (_, shard) in enumerate(rows)],
            "arrival": [start + pd.Timedelta(milliseconds=at) for at in range(len(rows))],
            "review_id": [str(at) for at in range(len(rows))],
            "reviewer": "ann",
            "event_time": [start + pd.Timedelta(seconds=second) for second, _ in rows],
        }
    )
    reference = windows(table, *lengths, threshold=0, watermark_delay_seconds=delay)
    assert found.late_pairs == len(reference.late_pairs)
    closed = {window.start: window.reviews for window in found.windows if window.closed_by is not None}
    counts = reference.windows.set_index("window_start")["movie_count"]
    assert {pd.Timestamp(start, unit="ms"): count for start, count in closed.items() if count} == dict(counts)
