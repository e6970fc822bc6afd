"""Which windows are open and closed at a watermark, and the picture of it."""

import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from lab.charts.event_time import event_time_now
from lab.charts.event_time_state import CLOSED, OPEN, WindowRules, live_state, stream_watermark, window_state
from lab.validation.reference import windows
from tests.lab.charts.event_time import RULES, SHARDS, START, at, events, output
from tests.lab.charts.pictures import assert_readable


def states(state):
    return {
        ((row.window_start - START).total_seconds(), row.state, row.reviews, row.above, row.written)
        for row in state.windows.itertuples()
    }


@pytest.mark.parametrize(
    ("milliseconds", "expected"), [(-5000, OPEN), (-2, OPEN), (-1, CLOSED), (0, CLOSED), (60_000, CLOSED)]
)
def test_a_window_closes_one_millisecond_before_its_end(milliseconds, expected):
    assert window_state(at(60), at(60) + pd.Timedelta(milliseconds=milliseconds)) == expected


def test_without_a_watermark_every_window_is_open():
    assert window_state(at(60), pd.NaT) == OPEN


def test_the_watermark_of_the_stream_is_that_of_the_slowest_shard():
    assert stream_watermark(events((0, 40, "ann"), (1, 12, "bob")), 5) == at(7)
    assert stream_watermark(events((0, 40, "ann"), markers=[(1, 200)]), 5) == at(35)
    assert stream_watermark(events((0, 40, "ann")), 5) is pd.NaT  # the other shard may still have anything
    assert stream_watermark(events((0, 40, "ann"), shards=SHARDS[:1]), 5) == at(35)


def test_windows_fill_and_close():
    rows = [(0, 1, "ann"), (1, 2, "ann"), (0, 31, "bob"), (1, 64, "ann"), (0, 66, "bob")]
    early = live_state(events(*rows[:3]), output(), at(-4), "Flink", 0, RULES)
    assert states(early) == {(-30, OPEN, 2, 1, 0), (0, OPEN, 3, 1, 0), (30, OPEN, 1, 0, 0)}
    assert not early.settled
    late = live_state(events(*rows), output(30, 60), at(59.999), "Flink", 0, RULES)
    assert states(late) == {
        (-30, CLOSED, 2, 1, 1), (0, CLOSED, 3, 1, 1), (30, OPEN, 3, 1, 0), (60, OPEN, 2, 0, 0)
    }  # fmt: skip
    done = live_state(events(*rows, markers=[(0, 180), (1, 180)]), output(30, 60, 90), at(175), "Flink", 0, RULES)
    assert done.settled and done.points["marker"].sum() == 2


def test_settled_needs_what_is_closed_to_be_written():
    rows = [(0, 1, "ann"), (1, 2, "ann")]
    assert not live_state(events(*rows), output(30), at(200), "Flink", 0, RULES).settled
    assert live_state(events(*rows), output(30, 60), at(200), "Flink", 0, RULES).settled


def test_a_review_sent_twice_counts_once():
    twice = events((0, 1, "ann"), (0, 1, "ann"))
    twice.table["review_id"] = "rw1"
    assert {row[2:4] for row in states(live_state(twice, output(), at(0), "Flink", 0, RULES))} == {(1, 0)}


def test_only_the_newest_windows_are_shown_and_their_events():
    rows = [(number % 2, number, f"r{number}") for number in range(0, 600, 10)]
    state = live_state(events(*rows), output(), at(580), "Flink", 0, RULES)
    assert len(state.windows) == 8
    assert state.points["event_time"].min() == state.windows["window_start"].iloc[0] == at(360)
    assert state.reviews == 60


reviews_of_both = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 230), st.sampled_from(["ann", "bob", "cy"])), min_size=1, max_size=30
)


@settings(max_examples=60, deadline=None)
@given(reviews_of_both, st.sampled_from([(60, 30), (60, 60), (40, 10)]))
def test_in_order_it_agrees_with_the_reference(rows, lengths):
    """The same closed windows and the same counts as the reference of notebook 04, where nothing is late."""
    given = events(*sorted(rows, key=lambda row: row[1]))
    rules = WindowRules(*lengths, threshold=1, watermark_delay_seconds=5)
    state = live_state(given, output(), stream_watermark(given, 5), "the stream", None, rules, shown=60)
    reference = windows(given, *lengths, threshold=0, watermark_delay_seconds=5)
    expected = {}
    for name, table in ((CLOSED, reference.windows), (OPEN, reference.open_windows)):
        for start, rows_of in table.groupby("window_start"):
            counts = rows_of["movie_count"]
            expected[start] = (name, counts.sum(), (counts > 1).sum())
    found = {row.window_start: (row.state, row.reviews, row.above) for row in state.windows.itertuples()}
    assert found == expected


def test_the_picture_at_every_stage():
    rows = [(number % 2, number / 5, f"r{number % 9}") for number in range(600)]
    for count, watermark in ((0, pd.NaT), (1, pd.NaT), (100, at(14)), (600, at(114.8)), (600, at(235))):
        made = events(*rows[:count], markers=[(0, 240), (1, 240)] if watermark is at(235) else ())
        state = live_state(made, output(30, 60), watermark, "Flink", 0, RULES)
        picture = event_time_now(state)
        assert_readable(picture)
        assert len(picture.table) == len(state.windows)


def test_the_picture_says_what_it_shows():
    rows = [(0, 1, "ann"), (1, 2, "ann"), (0, 31, "bob"), (1, 64, "ann"), (0, 66, "bob")]
    picture = event_time_now(live_state(events(*rows), output(30), at(59.999), "Flink", 3, RULES))
    assert "2 closed, 2 open, 1 of 3 reviewers above 1 flagged" in picture.alt
    assert "3 rows were dropped as late." in picture.alt
    above, below = picture.figure.axes
    assert [text.get_text() for text in below.texts] == [
        "closed: 2 reviews, reviewers flagged: 1",
        "closed: 3 reviews, reviewers flagged: 0 of 1",
        "open: 3 reviews so far",
        "open: 2 reviews so far",
    ]
    hatches = [patch.get_hatch() for patch in below.patches if patch.get_hatch()]
    assert hatches == ["////", "////", "....", "...."]
    assert "rows dropped as late: 3" in above.get_title(loc="left")
    empty = event_time_now(live_state(events(), output(), pd.NaT, "Flink", 0, RULES))
    assert "no review has arrived" in empty.alt
