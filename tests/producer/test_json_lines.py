"""JSON Lines: each line stands for itself."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from json_lines import LineReader
from json_values import MAX_ELEMENT, Malformed

from tests.producer.conftest import review, reviews
from tests.producer.test_json_array import JSON, pieces


def read(data, cuts=(), offset=0):
    return [
        (value.reason,) if isinstance(value, Malformed) else value
        for segment in LineReader(pieces(data, list(cuts)), offset).segments()
        for value in segment.items
    ]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(JSON, max_size=8), st.lists(st.integers(1, 400), max_size=8), st.sampled_from([b"\n", b"\r\n", b"\n\n"])
)
def test_every_line_is_read_as_the_standard_library_reads_it(values, cuts, end):
    assert read(b"".join(json.dumps(value).encode() + end for value in values), cuts) == values


@pytest.mark.parametrize("last", [b"", b"\n", b"\n  \n"])
def test_the_last_line_needs_no_end(last):
    assert read(b"\n".join(json.dumps(value).encode() for value in reviews(3)) + last, [100, 500]) == reviews(3)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{oops", "not JSON"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"{} {}", "not JSON"),
        (b"[" * 9999, "nested too deeply"),
    ],
)
def test_a_malformed_line_costs_itself_only(line, reason):
    good = json.dumps(review(1)).encode()
    assert read(good + b"\n" + line + b"\n" + good, [50, 500]) == [review(1), (reason,), review(1)]


def test_a_cut_off_last_line_is_called_truncated():
    good = json.dumps(review(1)).encode()
    assert read(good + b"\n" + good[:200]) == [review(1), ("truncated",)]


def test_a_line_without_end_does_not_fill_the_memory():
    good = json.dumps(review(1)).encode()
    raw = good + b'\n{"a":"' + b"x" * (MAX_ELEMENT + (1 << 20)) + b'"}\n' + good
    assert read(raw, range(0, len(raw), 1 << 18)) == [review(1), ("element too long",), review(1)]


def test_a_reader_can_begin_again_where_any_segment_begins():
    raw = b"\n".join(json.dumps(value).encode() for value in reviews(9))
    for cuts in ([300, 900, 1500], [2000]):
        seen = 0
        for segment in LineReader(pieces(raw, cuts)).segments():
            assert read(raw[segment.offset :], [77]) == reviews(9)[seen:]
            seen += len(segment.items)
        assert seen == 9


def test_positions_are_those_of_the_bytes():
    lines = [json.dumps(value, ensure_ascii=False).encode() for value in reviews(4)] + [b"{oops"]
    raw = b"\n\n".join(lines)
    found = [
        (*segment.locate(position),)
        for segment in LineReader(pieces(raw, [400, 800])).segments()
        for position in range(len(segment.items))
    ]
    assert [data for _, data in found] == lines
    assert all(raw[offset : offset + len(data)] == data for offset, data in found)
