"""The array reader against the standard library, on every way the bytes can arrive."""

import json
from collections.abc import Iterator
from typing import Any

import json_values
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from json_array import ArrayReader
from json_values import MAX_ELEMENT, Malformed, standard_loads
from review_record import is_reviewlike

from tests.producer.conftest import as_array, review, reviews

PARSERS = pytest.mark.parametrize("loads", [orjson.loads, standard_loads], ids=["orjson", "standard library"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None, exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    last = 0
    for cut in sorted({min(cut, len(data)) for cut in cuts}):
        if cut > last:
            yield data[last:cut]
            last = cut
    yield data[last:]


def read(data: bytes, cuts: list[int] | None = None, **options: Any) -> tuple[list[Any], str | None]:
    """Values with Malformed as its reason in a tuple, and the problem."""
    reader = ArrayReader(pieces(data, cuts or []), is_reviewlike, **options)
    values = [
        (value.reason,) if isinstance(value, Malformed) else value
        for segment in reader.segments()
        for value in segment.items
    ]
    return values, reader.problem


def whole_number(loads: Any) -> Any:
    """How a parser reads an integer: orjson takes one of more than 64 bits for a float."""
    if loads is not orjson.loads:
        return int
    return lambda text: int(text) if -(2**63) <= int(text) < 2**64 else float(text)


def test_the_fast_parser_is_there():
    assert json_values.loads is orjson.loads
    assert json_values.dumps is orjson.dumps


@PARSERS
@settings(max_examples=150, deadline=None)
@given(
    data=st.data(), values=st.lists(JSON, max_size=8), ascii_only=st.booleans(), indent=st.sampled_from([None, 0, 2])
)
def test_every_array_is_read_as_the_standard_library_reads_it(loads, data, values, ascii_only, indent):
    text = json.dumps(values, ensure_ascii=ascii_only, indent=indent)
    try:
        raw = text.encode()
    except UnicodeEncodeError:  # a lone surrogate has no other form than the escape
        raw = json.dumps(values, indent=indent).encode()
    cuts = data.draw(st.lists(st.integers(1, max(1, len(raw))), max_size=12))
    found, problem = read(raw, cuts, loads=loads)
    exact, fast = (json.loads(raw, parse_int=whole_number(one)) for one in (standard_loads, loads))
    assert len(found) == len(exact)
    # An element that arrived late, or beside one that orjson refuses, was read by the standard library.
    assert all(value in both for value, both in zip(found, zip(exact, fast, strict=True), strict=True))
    assert problem is None


@PARSERS
def test_reviews_byte_by_byte(loads):
    raw = as_array(reviews(6))
    assert read(raw, list(range(len(raw))), loads=loads) == (reviews(6), None)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_malformed_bytes_are_judged_alike_however_they_arrive(data):
    raw = bytearray(as_array(reviews(5)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(1, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    raw = bytes(raw)
    whole = read(raw)
    cuts = data.draw(st.lists(st.integers(1, len(raw)), min_size=1, max_size=12))
    assert read(raw, cuts) == whole
    assert read(raw, cuts, loads=standard_loads) == whole


@pytest.mark.parametrize(
    "text",
    [
        r"\ud800",
        r"\udc00",
        r"a\ud800\ud800b",
        r"\udc00\ud800",
        r"\\ud83d\ude00",
        r"\ud83d\\ude00",
        r"\\\ud83d\ude00",
        r"\uD83D\uDE00",
        r"\ud83dA",
        r"\u0000",
    ],
)
def test_surrogates_survive_as_they_were_written(text):
    raw = b'[{"a":"%b"},{"b":1}]' % text.encode()
    assert read(raw) == (json.loads(raw), None)


@PARSERS
def test_integers_of_any_size_and_repeated_keys(loads):
    raw = b'[{"a":123456789012345678901234567890},{"a":1,"a":2}]'
    (large, repeated), problem = read(raw, loads=loads)
    assert large["a"] == whole_number(loads)("123456789012345678901234567890")
    assert (repeated, problem) == ({"a": 2}, None)


@pytest.mark.parametrize("odd", [b"NaN", b"-Infinity", b"1" * 5000])
def test_numbers_that_are_none_do_not_stop_the_file(odd):
    values, problem = read(b'[{"a":%b},{"b":1}]' % odd)
    assert len(values) == 2
    assert values[1] == {"b": 1}
    assert problem is None


def test_a_review_that_is_not_utf8_costs_itself_only():
    parts = [json.dumps(value).encode() for value in reviews(3)]
    parts[1] = parts[1].replace(b"Summary", b"\xff\xfe")
    assert read(b"[" + b",".join(parts) + b"]") == ([review(0), ("not UTF-8",), review(2)], None)


@pytest.mark.parametrize(
    "broken",
    [
        b'{"review_id": }',
        b'{"review_id": tru}',
        b'{"review_id": "x" "reviewer": "y"}',
        b'{"review_id": "a\x01b"}',
        b"{'review_id': 'x'}",
        b'{"review_id": "\\x"}',
        b"garbage",
        b"{",
        b'{"a": {"b": 1}, oops',
    ],
)
@pytest.mark.parametrize("cuts", [[], [5, 400, 600, 700, 800, 900]])
def test_a_malformed_element_costs_itself_only(broken, cuts):
    good = [json.dumps(value).encode() for value in reviews(4)]
    raw = b"[" + b",\n".join([good[0], good[1], broken, good[2], good[3]]) + b"]"
    assert read(raw, cuts) == ([review(0), review(1), ("not JSON",), review(2), review(3)], None)


def test_a_missing_or_doubled_comma_costs_no_review():
    good = [json.dumps(value).encode() for value in reviews(2)]
    assert read(b"[" + b" ".join(good) + b"]")[0] == reviews(2)
    assert read(b"[" + b",,".join(good) + b"]")[0] == [review(0), ("not JSON",), review(1)]


def test_a_truncated_file_gives_all_before_and_says_so():
    raw = as_array(reviews(3))
    values, problem = read(raw[: raw.index(b"rw0000002") + 4])
    assert values == [review(0), review(1), ("truncated",)]
    assert "not closed" in problem


def test_a_file_that_lacks_only_its_end_says_so():
    values, problem = read(as_array(reviews(3))[:-1])
    assert values == reviews(3)
    assert "not closed" in problem


@pytest.mark.parametrize("rest", [b"[1]", b"x", b"]"])
def test_what_follows_the_array_is_said_and_not_read(rest):
    values, problem = read(b"[1, 2]\n " + rest)
    assert values == [1, 2]
    assert problem == "something follows the closing ] at byte 8 and was not read"


def test_an_element_without_end_does_not_fill_the_memory():
    good = json.dumps(review(1)).encode()
    raw = b"[" + good + b',{"review_id":"' + b"x" * (MAX_ELEMENT + (1 << 20)) + b'"},' + good + b"]"
    reader = ArrayReader(pieces(raw, list(range(0, len(raw), 1 << 18))), is_reviewlike)
    most, values = 0, []
    for segment in reader.segments():
        most = max(most, len(reader._buffer))
        values += [(value.reason,) if isinstance(value, Malformed) else value for value in segment.items]
    assert values == [review(1), ("element too long",), review(1)]
    assert most < MAX_ELEMENT + (1 << 19)


def test_deep_nesting_is_no_crash():
    good = json.dumps(review(1)).encode()
    raw = b"[" + good + b"," + b"[" * 100_000 + b"]" * 100_000 + b"," + good + b"]"
    values, _ = read(raw, list(range(0, len(raw), 1 << 16)))
    assert [value for value in values if isinstance(value, dict)] == [review(1), review(1)]


def test_what_only_orjson_can_nest_has_the_segment_for_its_position():
    deep = b'{"a":' * 1_000 + b"1" + b"}" * 1_000
    raw = b"[" + deep + b"," + deep + b"]"
    (segment, *_) = ArrayReader(iter([raw]), is_reviewlike).segments()
    assert segment.locate(1) == (1, raw[1:-1])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_reader_can_begin_again_where_any_segment_begins(data):
    raw = bytearray(as_array(reviews(12)))
    if data.draw(st.booleans()):
        at = data.draw(st.integers(2, len(raw) - 2))
        raw[at : at + 1] = data.draw(st.binary(max_size=2))
    raw = bytes(raw)
    cuts = data.draw(st.lists(st.integers(1, len(raw)), min_size=3, max_size=12))
    everything, problem = read(raw, cuts)
    seen = 0
    for segment in ArrayReader(pieces(raw, cuts), is_reviewlike).segments():
        if segment.items and seen:
            offset = segment.offset
            again = read(raw[offset:], data.draw(st.lists(st.integers(1, 400), max_size=5)), offset=offset, inside=True)
            assert again == (everything[seen:], problem)
        seen += len(segment.items)


@pytest.mark.parametrize("broken", [b"", b'{"review_id": "\\ud800 caf\xc3\xa9"},', b'"\xff",'])
def test_positions_are_those_of_the_bytes(broken):
    good = [json.dumps(value, ensure_ascii=False).encode() for value in reviews(4)]
    raw = b" [ " + good[0] + b" , " + good[1] + b"," + broken + good[2] + b", " + good[3] + b"]"
    found = []
    for segment in ArrayReader(pieces(raw, [700, 900]), is_reviewlike).segments():
        for position in range(len(segment.items)):
            offset, data = segment.locate(position)
            assert raw[offset : offset + len(data)] == data
            found.append(data)
    expected = [good[0], good[1], *([broken[:-1]] if broken else []), good[2], good[3]]
    assert found == expected
