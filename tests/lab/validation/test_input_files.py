import json
from pathlib import Path

import pytest

from lab.core.errors import BadParameter
from lab.validation.input_files import first_reviews, labels_of
from tests.support.account import PROJECT

REVIEWS = [{"review_id": f"rw{number}", "reviewer": "r"} for number in range(5)]


@pytest.mark.parametrize("lines", [False, True])
def test_the_first_reviews_of_an_array_or_of_lines(tmp_path: Path, lines: bool) -> None:
    path = tmp_path / "reviews.json"
    path.write_text("\n".join(map(json.dumps, REVIEWS)) if lines else json.dumps(REVIEWS))
    assert first_reviews(path, 3)["review_id"].tolist() == ["rw0", "rw1", "rw2"]


def test_only_the_beginning_is_read(tmp_path: Path) -> None:
    path = tmp_path / "reviews.json"
    path.write_text(json.dumps(REVIEWS)[:-1] + ', "and then it breaks' + "x" * 200_000)
    assert len(first_reviews(path, 3)) == 3


@pytest.mark.parametrize(
    ("content", "said"), [("", "the file is empty"), (" \n", "the file is empty"), ("hello", "does not begin like")]
)
def test_odd_files_are_refused(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "reviews.json"
    path.write_text(content)
    with pytest.raises(BadParameter, match=said):
        first_reviews(path, 3)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match="there is no such file"):
        first_reviews(tmp_path / "none.json", 3)


def test_labels_lie_beside_the_reviews_or_are_named(tmp_path: Path) -> None:
    assert len(labels_of("", "data/sample.json")) == 116
    assert labels_of("", str(tmp_path / "sample.json")) is None
    assert len(labels_of("data/labels.csv", str(tmp_path / "sample.json"))) == 116
    with pytest.raises(BadParameter, match="labels_file"):
        labels_of(str(PROJECT / "none.csv"), "data/sample.json")
