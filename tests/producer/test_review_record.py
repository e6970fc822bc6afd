"""What is a review, and what its record looks like."""

import base64
import json
from unittest.mock import patch

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from json_values import standard_dumps
from review_record import KEYS, defect, is_reviewlike, marker_payload, payload, wire_entry

from tests.producer.conftest import review

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
    assert not is_reviewlike(value)


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


def test_deep_nesting_in_an_ignored_key_is_refused():
    deep: list = []
    for _ in range(5000):
        deep = [deep]
    assert defect(review(1, extra=deep)) == "nested too deeply"
    assert defect(review(1, extra={"a": [[[1]]]})) is None


@pytest.mark.parametrize("write", [orjson.dumps, standard_dumps], ids=["orjson", "standard"])
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
def test_the_payload_is_what_json_dumps_would_write(write, value):
    stamp = "2026-01-01T00:00:00.000"
    record = {key: value[key] for key in KEYS} | {"event_time": stamp}
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
    lone = any("\ud800" <= letter <= "\udfff" for letter in text)
    with patch("review_record.dumps", write):
        data = payload(value, stamp)
    assert data == (json.dumps(record, separators=(",", ":")) if lone else text).encode("utf-8")
    assert lone or json.loads(data) == record


def test_extra_keys_do_not_travel():
    assert set(json.loads(payload(review(1, extra=1), "t"))) == {*KEYS, "event_time"}


def test_an_end_marker_has_the_ten_keys_and_no_reviewer():
    marker = json.loads(marker_payload("end-marker-shardId-000000000000-1", "2026-01-01T00:02:00.000"))
    assert set(marker) == {*KEYS, "event_time"}
    assert {key for key, value in marker.items() if value is not None} == {"review_id", "event_time"}


@given(st.binary(min_size=1), st.text(st.characters(exclude_categories=("Cs",)), min_size=1))
def test_a_wire_entry_is_the_json_that_kinesis_expects(data, key):
    entry = json.loads(wire_entry(data, key))
    assert entry == {"Data": base64.b64encode(data).decode(), "PartitionKey": key}
    assert json.loads(wire_entry(data, key, "42"))["ExplicitHashKey"] == "42"
