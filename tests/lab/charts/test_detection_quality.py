"""Charts: drawn without a warning on ordinary and odd data, small, described, with a table beside them."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from lab.charts.detection_quality import precision_and_recall, recall_per_kind
from lab.charts.window_counts import counts_over_time
from lab.validation.scores import score
from tests.lab.charts.counted import COUNTS, LABELS, START, counts
from tests.lab.charts.pictures import assert_readable, warnings_are_errors


@pytest.fixture(autouse=True)
def no_warning():
    with warnings_are_errors():
        yield


def test_who_was_flagged_and_when():
    picture = counts_over_time(COUNTS, 1, LABELS)
    assert_readable(picture)
    assert picture.table.values.tolist() == [
        ["solo", "solo_burst", 4, 2, START + pd.Timedelta("90s"), START + pd.Timedelta("120s")],
        ["many", "prolific", 2, 1, START + pd.Timedelta("120s"), START + pd.Timedelta("120s")],
    ]
    assert "2 of 4 reviewers are flagged in 2 of 4 windows; the largest count is 4 by solo." in picture.alt
    upper, lower = picture.figure.axes
    names = [text.get_text() for text in upper.get_legend().get_texts()]
    assert names == ["not flagged", "flagged, planted", "flagged, honest", "threshold: more than 1"]
    assert "solo" in [text.get_text() for text in upper.texts]
    heights = [patch.get_height() for patch in lower.patches]
    assert heights == [0, 1, 1, 0, 0, 0, 1, 0]  # planted in each of the four windows, then honest


def test_without_labels_there_is_one_kind_of_flag():
    picture = counts_over_time(COUNTS, 1)
    assert_readable(picture)
    assert "kind" not in picture.table
    names = [text.get_text() for text in picture.figure.axes[0].get_legend().get_texts()]
    assert names == ["not flagged", "flagged", "threshold: more than 1"]


@pytest.mark.parametrize(
    "table",
    [
        counts(),
        counts(("joe", 0, 1)),
        counts(("$x_{$ \u4e2d\U0001f3ac a very long name indeed, much too long", 0, 3), ("<b>&\"'", 1, 2)),
        counts(*((f"r{number}", number % 7, 1 + number % 90) for number in range(500))),
        counts(*((f"r{number % 977}", number, 1 + number % 5) for number in range(3000))),
    ],
    ids=["nothing", "one", "odd names", "large counts", "many windows"],
)
def test_odd_windows(table):
    picture = counts_over_time(table, 1, LABELS)
    assert_readable(picture)
    assert "<b>" not in picture.html


def test_the_bars_of_many_windows_count_each_reviewer_once():
    picture = counts_over_time(counts(*(("ann", number, 2) for number in range(3000))), 1)
    assert max(patch.get_height() for patch in picture.figure.axes[1].patches) == 1
    assert picture.table["windows flagged"].tolist() == [3000]


def test_precision_and_recall():
    scores = score(COUNTS, LABELS)
    picture = precision_and_recall(scores, 1)
    assert_readable(picture)
    assert scores.sentence(1) in picture.alt and "The largest f1 is at threshold 2." in picture.alt
    precision, recall, f1, _ = picture.figure.axes[0].lines
    np.testing.assert_array_equal(precision.get_ydata(), scores.by_threshold["precision"])
    assert len({line.get_linestyle() for line in (precision, recall, f1)}) == 3
    assert len({line.get_marker() for line in (precision, recall, f1)}) == 3


def test_precision_and_recall_up_to_a_large_count():
    assert_readable(precision_and_recall(score(counts(("solo", 0, 542), ("joe", 0, 1)), LABELS), 3))


def test_recall_per_kind_shows_what_is_missed():
    picture = recall_per_kind(score(COUNTS, LABELS), 1)
    assert_readable(picture)
    axes = picture.figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["0 of 1, 1 missed", "1 of 1", "0 of 1", "1 of 1"]
    assert [patch.get_width() for patch in axes.patches][:5] == [0, 1, 1, 0, 1]  # missed behind what is flagged
    hatches = [patch.get_hatch() for patch in axes.patches]
    assert hatches == ["////", "xxxx", "////", "....", "....", *("////", "....", "xxxx")]  # the last are the legend
    assert "0 of 1 near_duplicate" in picture.alt
    assert recall_per_kind(score(COUNTS, LABELS), 99).table["flagged"].sum() == 0


def test_no_global_state_of_matplotlib():
    program = "import sys, lab.charts; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
