"""What is a review, and what its event looks like."""

import json

import pytest
from hypothesis import given, strategies as st
from review_event import make_event
from review_reader import KEYS, defect

from tests.support.reviews import review

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))  # lone surrogates too


def test_a_real_review_has_no_defect():
    assert defect(review(1)) is None
    assert defect(review(1, rating=None)) is None
    assert defect(review(1, extra={"a": [1]}, more=None)) is None


@pytest.mark.parametrize("value", [None, True, 3, 1.5, "text", [], [review(1)]])
def test_only_objects_are_reviews(value):
    assert defect(value) == "not an object"


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_key_is_named(key):
    value = review(1)
    del value[key]
    assert defect(value) == f"missing key: {key}"


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        (key, wrong)
        for key in KEYS
        if key not in ("rating", "spoiler_tag", "helpful")
        for wrong in (None, 1, [], {}, True)
    ]
    + [("rating", wrong) for wrong in (8, 8.0, [], False)]
    + [("spoiler_tag", wrong) for wrong in (None, "0", 2, -1, True, 0.0)]
    + [("helpful", wrong) for wrong in (None, "0", [], ["0"], ["0", 1], ["0", "1", "2"], {"0": "1"}, ["0", None])],
)
def test_a_wrong_type_is_named(key, wrong):
    assert defect(review(1, **{key: wrong})) == f"wrong type: {key}"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"review_id": ""}, "empty review_id"),
        ({"reviewer": ""}, "empty reviewer"),
        ({"review_id": "x" * 257}, "review_id too long"),
        ({"review_id": "\U0001f3ac" * 129}, "review_id too long"),
        ({"review_id": "rw\ud800"}, "review_id is no partition key"),
    ],
)
def test_what_kinesis_cannot_take_is_refused(changes, reason):
    assert defect(review(1, **changes)) == reason


def test_the_longest_partition_keys_are_fine():
    assert defect(review(1, review_id="x" * 256)) is None
    assert defect(review(1, review_id="\U0001f3ac" * 128)) is None
    assert defect(review(1, reviewer="\ud800")) is None  # survives as an escape


@given(
    st.fixed_dictionaries(
        {key: ANY_TEXT for key in KEYS if key not in ("rating", "spoiler_tag", "helpful")}
        | {
            "rating": st.none() | ANY_TEXT,
            "spoiler_tag": st.sampled_from([0, 1]),
            "helpful": st.lists(ANY_TEXT, min_size=2, max_size=2),
        }
    )
)
def test_the_event_is_what_json_dumps_would_write(value):
    stamp = "2026-01-01T00:00:00.000"
    record = {key: value[key] for key in KEYS} | {"event_time": stamp}
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
    lone = any("\ud800" <= letter <= "\udfff" for letter in text)
    data = make_event(value, stamp)
    assert data == (json.dumps(record, separators=(",", ":")) if lone else text).encode("utf-8")
    assert lone or json.loads(data) == record


def test_extra_keys_do_not_travel():
    assert set(json.loads(make_event(review(1, extra=1), "t"))) == {*KEYS, "event_time"}
