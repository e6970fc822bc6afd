"""Event time to the millisecond."""

from fractions import Fraction

import pytest
from event_settings import BadEvent
from hypothesis import given, strategies as st
from review_event import FIRST_START, align_up, clock_of, iso, marker_ms, ms_of, replay_ms

START = ms_of(FIRST_START)


def test_the_first_start_is_the_labs():
    assert START == 1767225600000
    assert iso(START) == "2026-01-01T00:00:00.000"


@given(st.integers(0, 4_000_000_000_000))
def test_iso_and_back(ms):
    assert ms_of(iso(ms)) == ms
    assert len(iso(ms)) == 23


@pytest.mark.parametrize(
    ("rate", "index", "expected"),
    [
        ("10", 0, "2026-01-01T00:00:00.000"),
        ("10", 1, "2026-01-01T00:00:00.100"),
        ("3", 1, "2026-01-01T00:00:00.333"),
        ("3", 2, "2026-01-01T00:00:00.666"),
        ("3", 3, "2026-01-01T00:00:01.000"),
        ("0.1", 3, "2026-01-01T00:00:30.000"),
        ("33.3", 333, "2026-01-01T00:00:10.000"),
        ("10", 5_571_498, "2026-01-07T10:45:49.800"),
    ],
)
def test_review_i_is_at_start_plus_i_over_rate_floored(rate, index, expected):
    assert iso(replay_ms(START, Fraction(rate), index)) == expected


@given(st.fractions(Fraction(1, 1000), 1_000_000, max_denominator=1000), st.integers(0, 10_000_000))
def test_the_replay_clock_is_exact_and_never_goes_back(rate, index):
    clock = clock_of("replay", rate, START, 0, 0)
    assert clock(index) == START + int(Fraction(index * 1000) / rate)
    assert clock(index) <= clock(index + 1)


def test_the_now_clock_is_ahead_by_its_offset_and_never_goes_back():
    walls = iter([1000, 900, 1200])
    clock = clock_of("now", Fraction(10), 0, 50, 1000, lambda: next(walls))
    assert [clock(index) for index in range(3)] == [1050, 1050, 1250]


@given(st.integers(0, 10**13), st.integers(1, 3600), st.integers(0, 600))
def test_markers_lie_behind_every_window_of_the_run_and_on_the_grid(last, window, delay):
    marker = marker_ms(last, window, delay)
    assert marker % (window * 1000) == 0
    assert marker - delay * 1000 >= last + window * 1000  # the watermark has passed the last window's end
    assert marker - delay * 1000 <= last + 2 * window * 1000  # and no window later than needed


def test_the_labs_example():
    assert iso(marker_ms(ms_of("2026-01-01T00:08:19.900"), 60, 5)) == "2026-01-01T00:10:00.000"


def test_align_up():
    assert [align_up(ms, 60) for ms in (0, 1, 60_000, 60_001)] == [0, 60_000, 60_000, 120_000]


def test_leaving_the_calendar_is_said():
    with pytest.raises(BadEvent, match="calendar"):
        iso(10**18)
