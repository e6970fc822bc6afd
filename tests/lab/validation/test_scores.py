"""Precision and recall by hand, and what the detector cannot see."""

import math

import pandas as pd
import pytest

from lab.core.errors import BadParameter
from lab.validation.scores import UNLABELLED, read_labels, score

LABELS = pd.DataFrame(
    [
        ("solo1", "solo_burst", True),
        ("solo2", "solo_burst", True),
        ("copy1", "near_duplicate", True),
        ("many1", "prolific", False),
    ],
    columns=["reviewer", "kind", "suspicious"],
)


def counts(**largest):
    """Windows with these largest counts, each reviewer with a smaller window too."""
    rows = [(reviewer, count) for reviewer, most in largest.items() for count in {1, most}]
    return pd.DataFrame(rows, columns=["reviewer", "movie_count"])


COUNTS = counts(solo1=5, solo2=3, copy1=1, many1=3, eve=1, joe=2)


def test_every_threshold_up_to_the_largest_count():
    table = score(COUNTS, LABELS).by_threshold
    assert table[["threshold", "flagged", "true_positives", "false_positives", "false_negatives"]].values.tolist() == [
        [1, 4, 2, 2, 1], [2, 3, 2, 1, 1], [3, 1, 1, 0, 2], [4, 1, 1, 0, 2], [5, 0, 0, 0, 3],
    ]  # fmt: skip
    assert table["precision"][:4].tolist() == [1 / 2, 2 / 3, 1, 1] and math.isnan(table["precision"][4])
    assert table["recall"].tolist() == [2 / 3, 2 / 3, 1 / 3, 1 / 3, 0]
    assert table["f1"][:4].tolist() == [4 / 7, 2 / 3, 1 / 2, 1 / 2] and math.isnan(table["f1"][4])
    assert score(COUNTS, LABELS).best_threshold == 2


def test_per_kind_with_everyone_else_as_honest():
    table = score(COUNTS, LABELS).kinds_at(1)
    assert table[["kind", "suspicious", "reviewers", "flagged", "share"]].values.tolist() == [
        ["near_duplicate", True, 1, 0, 0.0],
        ["solo_burst", True, 2, 2, 1.0],
        [UNLABELLED, False, 2, 1, 0.5],
        ["prolific", False, 1, 1, 1.0],
    ]
    assert list(table) == ["threshold", "kind", "suspicious", "reviewers", "flagged", "share"]
    higher = score(COUNTS, LABELS).kinds_at(3)
    assert higher["threshold"].tolist() == [3] * 4 and higher["share"].tolist() == [0.0, 0.5, 0.0, 0.0]


def test_what_is_missed_is_said():
    scores = score(COUNTS, LABELS)
    assert scores.missed(1)[["reviewer", "kind", "largest_count"]].values.tolist() == [["copy1", "near_duplicate", 1]]
    assert sorted(scores.missed(3)["reviewer"]) == ["copy1", "solo2"]
    assert scores.sentence(1) == (
        "At threshold 1 2 of 4 flagged reviewers are suspicious (precision 0.50), "
        "2 of 3 suspicious reviewers are flagged (recall 0.67), missed: 1 near_duplicate."
    )
    assert scores.at(99)["flagged"] == 0 and math.isnan(scores.at(99)["precision"])
    assert scores.sentence(99).startswith("At threshold 99 0 of 0 flagged reviewers are suspicious, 0 of 3 suspicious")


def test_a_labelled_reviewer_without_a_window_counts_as_missed():
    scores = score(counts(solo1=5, solo2=3, many1=3), LABELS)
    assert scores.absent == 1 and scores.missed(1)["reviewer"].tolist() == ["copy1"]
    assert scores.at(1)["recall"] == 2 / 3
    assert scores.sentence(1).endswith("missed: 1 near_duplicate; 1 labelled reviewers have no closed window.")


def test_labels_of_other_reviews_are_refused():
    with pytest.raises(BadParameter, match="none of its 4 reviewers has a window"):
        score(counts(ann=3), LABELS)


def test_nobody_suspicious():
    scores = score(COUNTS, LABELS[LABELS["kind"] == "prolific"])
    assert scores.by_threshold["recall"].isna().all() and scores.best_threshold == 1
    assert scores.sentence(1) == (
        "At threshold 1 0 of 4 flagged reviewers are suspicious (precision 0.00), "
        "0 of 0 suspicious reviewers are flagged."
    )


def test_one_reviewer_with_very_many_does_not_cost_a_table_a_threshold():
    scores = score(counts(solo1=20_000, ann=2), LABELS)
    assert len(scores.by_threshold) == 20_000 and scores.at(19_999)["flagged"] == 1


def test_labels_are_read(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(
        "reviewer,kind,suspicious,group,reviews,first_index,last_index\n007,solo_burst,1,,5,1,9\nNA,prolific,0,,5,1,9\n"
    )
    table = read_labels(path)
    assert table["reviewer"].tolist() == ["007", "NA"] and table["suspicious"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read"),
        ("", "cannot be read"),
        ("reviewer,kind\na,b\n", "no column suspicious"),
        ("reviewer,kind,suspicious\na,b,0\nc,d,yes\n", "in line 3 suspicious is neither 0 nor 1"),
        ("reviewer,kind,suspicious\na,b,0\na,c,1\n", "the reviewer 'a' is in it twice"),
    ],
)
def test_labels_that_are_none(tmp_path, text, says):
    path = tmp_path / "labels.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BadParameter, match=says):
        read_labels(path)


def test_a_relative_path_starts_at_the_repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadParameter, match="is in it twice|no column|cannot be read") as caught:
        read_labels("pyproject.toml")  # it is there, whatever the working directory, but is no table of labels
    assert not isinstance(caught.value.__cause__, FileNotFoundError)
