"""The verdict: exact numbers and sentences for every way the output can be wrong."""

import pandas as pd

from lab.streams.records import Output
from lab.validation.comparison import KEY, compare_windows
from lab.validation.reference import Reference

START = pd.Timestamp("2026-01-01")


def table(*rows):
    """rows: (reviewer, start in seconds, count)"""
    starts = [START + pd.Timedelta(seconds=start) for _, start, _ in rows]
    return pd.DataFrame(
        {
            "reviewer": pd.Series([reviewer for reviewer, _, _ in rows], dtype=object),
            "window_start": pd.Series(starts, dtype="datetime64[ns]"),
            "window_end": pd.Series([start + pd.Timedelta("60s") for start in starts], dtype="datetime64[ns]"),
            "movie_count": pd.Series([count for *_, count in rows], dtype="int64"),
        }
    )


def reference(windows, open_windows=None, uncertain=None, threshold=1):
    nothing = table()
    uncertain = uncertain if uncertain is not None else nothing.assign(fewest=0, most=0)
    opened = open_windows if open_windows is not None else nothing
    return Reference(windows, opened, nothing, uncertain, pd.NaT, (), threshold)


WINDOWS = table(("ann", 0, 2), ("ann", 30, 3), ("bob", 0, 5))


def test_equal():
    got = compare_windows(reference(WINDOWS), Output(WINDOWS.sample(frac=1, random_state=1)))
    assert got.equal and got.sentence == "3 of 3 windows equal, none missing, none extra."
    assert (got.expected, got.found, got.equal_windows) == (3, 3, 3)
    assert len(got.missing) == len(got.extra) == len(got.different) == len(got.unequal) == 0


def test_missing_extra_and_different():
    found = table(("ann", 0, 2), ("bob", 0, 4), ("eve", 0, 9))
    got = compare_windows(WINDOWS, found)
    assert not got.equal
    assert got.sentence == "1 of 3 windows equal, 1 missing, 1 extra, 1 different."
    assert got.missing[["reviewer", "expected"]].values.tolist() == [["ann", 3]]
    assert got.missing["found"].isna().all()
    assert got.extra[["reviewer", "found"]].values.tolist() == [["eve", 9]]
    assert got.different[["reviewer", "expected", "found"]].values.tolist() == [["bob", 5, 4]]
    assert got.unequal["differs"].tolist() == ["missing", "extra", "different"]
    assert list(got.unequal.columns) == [*KEY, "expected", "found", "differs"]  # nothing explains one of them
    assert list(got.missing.columns) == [*KEY, "expected", "found", "why"]


def test_the_same_reviewer_and_end_with_another_start_is_missing_and_extra():
    got = compare_windows(WINDOWS[:1], WINDOWS[:1].assign(window_start=START - pd.Timedelta("60s")))
    assert got.sentence == "0 of 1 windows equal, 1 missing, 1 extra."


def test_a_window_written_twice_with_two_counts_is_not_equal():
    got = compare_windows(WINDOWS, Output(pd.concat([WINDOWS, table(("bob", 0, 6))])))
    assert not got.equal and got.sentence == "2 of 3 windows equal, none missing, none extra, 1 different."


def test_no_output_and_no_windows():
    assert compare_windows(WINDOWS, table()).sentence == "0 of 3 windows equal, 3 missing, none extra."
    nothing = compare_windows(table(), table())
    assert nothing.equal
    assert nothing.sentence == "No window is above the threshold in the reference and none is in the output."
    assert compare_windows(table(), WINDOWS).sentence == "0 of 0 windows equal, none missing, 3 extra."


def test_unreadable_output_is_never_equal():
    unreadable = pd.DataFrame([{"shard": "s", "sequence_number": "1", "reason": "not JSON"}])
    got = compare_windows(WINDOWS, Output(WINDOWS, unreadable=unreadable))
    assert not got.equal
    assert got.sentence == "3 of 3 windows equal, none missing, none extra, 1 records of the output unreadable."


def test_an_extra_window_that_is_still_open_is_explained():
    opened = table(("eve", 60, 4))
    got = compare_windows(reference(WINDOWS, opened), pd.concat([WINDOWS, opened]))
    assert not got.equal and got.extra["why"].tolist() == ["the window is still open in the reference"]
    assert got.unequal["because"].tolist() == ["the window is still open in the reference"]
    assert got.sentence == (
        "3 of 3 windows equal, none missing, 1 extra; for 1 of them the window is still open in the reference."
    )


def test_a_count_that_depends_on_timing_is_explained_only_within_its_bounds():
    timing = "the count depends on how late records were interleaved"
    uncertain = table(("bob", 0, 5)).assign(fewest=4, most=6)
    for count, why in ((4, timing), (6, timing), (7, ""), (3, "")):
        got = compare_windows(
            reference(WINDOWS, uncertain=uncertain), table(("ann", 0, 2), ("ann", 30, 3), ("bob", 0, count))
        )
        assert not got.equal and got.different["why"].tolist() == [why]


def test_a_window_missing_below_the_threshold_is_explained_when_it_may_be_that_low():
    for fewest, why in ((1, "the count depends on how late records were interleaved"), (2, "")):
        uncertain = table(("bob", 0, 5)).assign(fewest=fewest, most=6)
        got = compare_windows(reference(WINDOWS, uncertain=uncertain), WINDOWS[:2])
        assert got.missing["why"].tolist() == [why]
