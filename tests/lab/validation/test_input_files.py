import gzip
import json
from pathlib import Path

import pytest

from lab.core.errors import BadParameter
from lab.validation.input_files import first_reviews, labels_of, sendable_reviews
from tests.support.account import PROJECT

REVIEWS = [{"review_id": f"rw{number}", "reviewer": "r"} for number in range(5)]


@pytest.mark.parametrize("lines", [False, True])
def test_the_first_reviews_of_an_array_or_of_lines(tmp_path: Path, lines: bool) -> None:
    path = tmp_path / "reviews.json"
    path.write_text("\n".join(map(json.dumps, REVIEWS)) if lines else json.dumps(REVIEWS))
    assert first_reviews(path, 3)["review_id"].tolist() == ["rw0", "rw1", "rw2"]


REVIEW = {
    "review_id": "rw1",
    "reviewer": "Ana",
    "movie": "X (2001)",
    "rating": None,
    "review_summary": "",
    "review_date": "24 July 2005",
    "spoiler_tag": 0,
    "review_detail": "caf\u00e9",
    "helpful": ["0", "1"],
}
FIRST, SECOND = (json.dumps(REVIEW | {"review_id": one}, ensure_ascii=False).encode() for one in ("rw1", "rw2"))
ARRAY = b"[" + FIRST + b", " + SECOND + b"]"
# Files that the function reads, each with the two reviews, and what it would reject among them.
FILES = {
    "array": (ARRAY, {}),
    "JSON Lines": (FIRST + b"\n" + SECOND, {}),
    "byte-order mark": (b"\xef\xbb\xbf" + ARRAY, {}),
    "gzip": (gzip.compress(ARRAY), {}),
    "one behind the other, as Firehose writes them": (FIRST + SECOND, {}),
    "lone CR": (FIRST + b"\r" + SECOND, {}),
    "NaN": (b"[" + FIRST + b', {"rating": NaN}, ' + SECOND + b"]", {"missing key: review_id": 1}),
    "a byte that is not UTF-8": (b"[" + FIRST + b', {"a": "\xff"}, ' + SECOND + b"]", {"not UTF-8": 1}),
    "malformed": (b"[" + FIRST + b", {oops}, " + SECOND + b"]", {"not JSON": 1}),
    "empty review_id": (b"[" + FIRST.replace(b"rw1", b"") + b"," + ARRAY[1:], {"empty review_id": 1}),
}


@pytest.mark.parametrize("name", FILES)
def test_what_the_function_sends_is_found_in_every_file_it_reads(tmp_path: Path, name: str) -> None:
    content, rejected = FILES[name]
    path = tmp_path / "reviews.json"
    path.write_bytes(content)
    found, left_out = sendable_reviews(path, 200)
    assert [review["review_id"] for review in found] == ["rw1", "rw2"]
    assert left_out == rejected
    assert {"rw1", "rw2"} <= set(first_reviews(path, 200)["review_id"])


def test_a_file_without_a_review_that_can_be_sent_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reviews.json"
    path.write_text(json.dumps(REVIEWS))
    with pytest.raises(BadParameter, match="missing key: movie"):
        sendable_reviews(path, 200)


def test_only_the_beginning_is_read(tmp_path: Path) -> None:
    path = tmp_path / "reviews.json"
    path.write_text(json.dumps(REVIEWS)[:-1] + ', "and then it breaks' + "x" * 200_000)
    assert len(first_reviews(path, 3)) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "the file is empty"), (" \n", "the file is empty"), ("hello", "the file is no JSON of reviews")],
)
def test_odd_files_are_refused(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "reviews.json"
    path.write_text(content)
    with pytest.raises(BadParameter, match=said):
        first_reviews(path, 3)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match="there is no such file"):
        first_reviews(tmp_path / "none.json", 3)
    with pytest.raises(BadParameter, match="it cannot be read"):
        first_reviews(tmp_path / ("x" * 300), 3)


def test_labels_lie_beside_the_reviews_or_are_named(tmp_path: Path) -> None:
    assert len(labels_of("", "data/sample.json")) == 116
    assert labels_of("", str(tmp_path / "sample.json")) is None
    assert len(labels_of("data/labels.csv", str(tmp_path / "sample.json"))) == 116
    with pytest.raises(BadParameter, match="labels_file"):
        labels_of(str(PROJECT / "none.csv"), "data/sample.json")
