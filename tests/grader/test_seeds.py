"""The reviews a grading draws: another set each time, kept for the next start, and none that grades luck."""

import json
from pathlib import Path

import pandas as pd

from grader.hidden_run import hidden_data
from lab.validation.scores import read_labels

GROUPS = [(f"plotter {movie}-{number}", movie, "9") for movie in ("a", "b") for number in range(6)]
LABELS = pd.DataFrame({"reviewer": [name for name, _, _ in GROUPS], "kind": "group_burst"})


def table(*more: tuple[str, str, str | None]) -> pd.DataFrame:
    return pd.DataFrame([*GROUPS, *more], columns=["reviewer", "movie", "rating"])


def test_groups_by_themselves_can_be_caught() -> None:
    assert hidden_data.fair(table(("reader", "c", "9"), ("other", "c", None)), LABELS)


def test_an_honest_review_among_a_groups_hides_it() -> None:
    assert not hidden_data.fair(table(("reader", "a", "3")), LABELS)


def test_a_crowd_that_agrees_looks_like_a_group() -> None:
    crowd = [(f"reader {number}", "c", "8") for number in range(5)]
    assert not hidden_data.fair(table(*crowd), LABELS)
    assert hidden_data.fair(table(*crowd, ("reader 6", "c", "2")), LABELS)


def test_too_few_groups_are_no_exercise() -> None:
    assert not hidden_data.fair(table().iloc[:6], LABELS)


def test_both_sets_are_fair_and_the_same_after_an_interruption(tmp_path: Path) -> None:
    data = hidden_data.draw(tmp_path, tmp_path / "one")
    for folder in (data.run, data.proof):
        reviews = pd.DataFrame(json.loads((folder / "sample.json").read_text()))
        assert len(reviews) == hidden_data.COUNT
        assert hidden_data.fair(reviews, read_labels(folder / "labels.csv"))
    assert (data.run / "sample.json").read_bytes() != (data.proof / "sample.json").read_bytes()
    assert (tmp_path / hidden_data.SEEDS).stat().st_mode & 0o077 == 0
    again = hidden_data.draw(tmp_path, tmp_path / "two")
    assert (again.proof / "sample.json").read_bytes() == (data.proof / "sample.json").read_bytes()
