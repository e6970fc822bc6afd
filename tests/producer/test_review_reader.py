"""The reader against the standard library, in every form of the file and on every way the bytes can arrive."""

import io
import json
import random
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from review_reader import CHUNK, MAX_ELEMENT, Element, NoReviews, ReviewReader

from tests.support.reviews import as_array, review, reviews

# Objects at the top, as in JSON Lines; below them anything.
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None, exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
CUTS = st.lists(st.integers(1, 9000), max_size=12)


class Pieces:
    """A file whose bytes arrive in given pieces."""

    def __init__(self, data: bytes, cuts: Iterable[int] = ()) -> None:
        borders = [0, *sorted({min(cut, len(data)) for cut in cuts}), len(data)]
        self._pieces = [data[a:b] for a, b in zip(borders, borders[1:], strict=False) if b > a]

    def read1(self, size: int) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def elements(data: bytes, cuts: Iterable[int] = (), **options: Any) -> tuple[list[Element], str | None]:
    reader = ReviewReader(Pieces(data, cuts), **options)
    return list(reader), reader.problem


def read(data: bytes, cuts: Iterable[int] = (), **options: Any) -> tuple[list[Any], str | None]:
    """Values, with the reason in a tuple where there is none; and the problem."""
    found, problem = elements(data, cuts, **options)
    return [(one.reason,) if one.reason else one.value for one in found], problem


def encoded(value: Any, ascii_only: bool, indent: int | None = None) -> bytes:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate has no other form than the escape
        return json.dumps(value, indent=indent).encode()


@settings(max_examples=150, deadline=None)
@given(st.lists(JSON, max_size=8), st.booleans(), st.sampled_from([None, 0, 2]), CUTS)
def test_every_array_is_read_as_the_standard_library_reads_it(values, ascii_only, indent, cuts):
    assert read(encoded(values, ascii_only, indent), cuts) == (values, None)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=4), min_size=1, max_size=8),
    st.booleans(),
    st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\r", b"", b" "]),
    CUTS,
)
def test_objects_one_behind_the_other_are_read_whatever_stands_between_them(values, ascii_only, between, cuts):
    assert read(between.join(encoded(value, ascii_only) for value in values) + between, cuts) == (values, None)


@pytest.mark.parametrize("between", [None, b"\n"])
def test_reviews_byte_by_byte(between):
    raw = as_array(reviews(6)) if between is None else between.join(json.dumps(one).encode() for one in reviews(6))
    assert read(raw, range(len(raw))) == (reviews(6), None)


def damaged(data: st.DataObject, raw: bytes) -> bytes:
    changed = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(1, len(changed) - 1))
        changed[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    return bytes(changed)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.booleans())
def test_malformed_bytes_are_judged_alike_however_they_arrive(data, lines):
    raw = b"\n".join(json.dumps(one).encode() for one in reviews(5)) if lines else as_array(reviews(5))
    raw = damaged(data, raw)
    cuts = data.draw(st.lists(st.integers(1, len(raw)), min_size=1, max_size=12))
    assert read(raw, cuts) == read(raw)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.booleans())
def test_a_reader_can_begin_again_behind_any_element(data, lines):
    raw = b"\n".join(json.dumps(one).encode() for one in reviews(8)) if lines else as_array(reviews(8))
    raw = damaged(data, raw) if data.draw(st.booleans()) else raw
    everything, problem = elements(raw)
    reader = ReviewReader(Pieces(raw, data.draw(CUTS)))
    for number, _ in enumerate(reader, 1):
        if number < len(everything):
            again = ReviewReader(Pieces(raw[reader.offset :], data.draw(CUTS)), reader.offset, reader.array)
            assert (list(again), again.problem) == (everything[number:], problem)


@pytest.mark.parametrize("broken", [b"", b'{"review_id": "\\ud800 caf\xc3\xa9"},', b'"\xff",', b"{oops},"])
def test_positions_are_those_of_the_bytes(broken):
    good = [json.dumps(value, ensure_ascii=False).encode() for value in reviews(4)]
    raw = b"\xef\xbb\xbf [ " + good[0] + b" , " + good[1] + b"," + broken + good[2] + b", " + good[3] + b"]"
    found, _ = elements(raw, [700, 900])
    assert [one.raw for one in found] == [good[0], good[1], *([broken[:-1]] if broken else []), good[2], good[3]]
    assert all(raw[one.offset : one.offset + len(one.raw)] == one.raw for one in found)


@pytest.mark.parametrize(
    "text",
    [r"\ud800", r"\udc00", r"a\ud800\ud800b", r"\udc00\ud800", r"\\ud83d\ude00", r"\ud83d\\ude00", r"\uD83D\uDE00"],
)
def test_surrogates_survive_as_they_were_written(text):
    raw = b'[{"a":"%b"},{"b":1}]' % text.encode()
    assert read(raw) == (json.loads(raw), None)


def test_large_integers_and_repeated_keys():
    raw = b'[{"a":123456789012345678901234567890},{"a":1,"a":2}]'
    assert read(raw) == ([{"a": 123456789012345678901234567890}, {"a": 2}], None)


@pytest.mark.parametrize("odd", [b"NaN", b"-Infinity", b"1" * 5000])
def test_numbers_that_are_none_do_not_stop_the_file(odd):
    good = json.dumps(review(1)).encode()
    values, problem = read(b'[{"a":%b},%b]' % (odd, good))
    assert (len(values), values[1], problem) == (2, review(1), None)


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
        b'{"review_id": "no end',
    ],
)
@pytest.mark.parametrize("cuts", [[], [5, 400, 600, 700, 800, 900]])
@pytest.mark.parametrize("lines", [False, True])
def test_a_malformed_element_costs_itself_only(broken, cuts, lines):
    good = [json.dumps(value).encode() for value in reviews(4)]
    parts = [good[0], good[1], broken, good[2], good[3]]
    if broken.endswith(b"no end") and not lines:
        broken = parts[2] = broken + b"\n"  # no string holds a line's end
    raw = b"\n".join(parts) if lines else b"[" + b",\n".join(parts) + b"]"
    assert read(raw, cuts) == ([review(0), review(1), ("not JSON",), review(2), review(3)], None)


def test_a_missing_or_doubled_comma_costs_nothing():
    good = [json.dumps(value).encode() for value in reviews(2)]
    for between in (b" ", b"", b",,"):
        assert read(b"[" + between.join(good) + b"]") == (reviews(2), None)


def test_a_truncated_file_gives_all_before_and_says_so():
    raw = as_array(reviews(3))
    values, problem = read(raw[: raw.index(b"rw0000002") + 4])
    assert values == [review(0), review(1), ("truncated",)]
    assert "no closing ] was found" in problem
    values, problem = read(json.dumps(review(1)).encode() * 2 + b'{"review_id": "rw')
    assert (values, problem) == ([review(1), review(1), ("truncated",)], None)


def test_a_file_that_lacks_only_its_end_says_so():
    values, problem = read(as_array(reviews(3))[:-1])
    assert values == reviews(3)
    assert "no closing ] was found" in problem


@pytest.mark.parametrize("rest", [b"[1]", b"x", b"]"])
def test_what_follows_the_array_is_said_and_not_read(rest):
    said = "something follows the closing ] at byte 8 and was not read"
    assert read(b"[1, 2]\n " + rest) == ([1, 2], said)


@pytest.mark.parametrize(("data", "said"), [(b"", "is empty"), (b"\xef\xbb\xbf \n", "is empty"), (b"x", "no JSON")])
def test_a_file_that_begins_like_no_reviews_is_refused(data, said):
    with pytest.raises(NoReviews, match=said):
        read(data)


class Endless(io.RawIOBase):
    """A file that goes on for ever, and counts what was read of it."""

    def __init__(self, begin: bytes, then: bytes) -> None:
        self.count, self._begin, self._then = 0, begin, then

    def read1(self, size: int) -> bytes:
        piece, self._begin = self._begin or (self._then * size)[:size], b""
        self.count += len(piece)
        return piece


@pytest.mark.parametrize(("then", "reason"), [(b"x", "element too long"), (b'{"a":', "nested too deeply")])
def test_an_element_without_end_ends_the_reading(then, reason):
    good = json.dumps(review(1)).encode()
    file = Endless(good + b'{"review_id":' + (b'"' if then == b"x" else b""), then)
    reader = ReviewReader(file)
    (first, last) = reader
    assert (first.value, last.value, last.reason) == (review(1), None, reason)
    assert reader.problem == f"the element at byte {len(good):,} has no end within reach: the rest was not read"
    assert file.count < MAX_ELEMENT + 2 * CHUNK + len(good)


def test_blanks_without_end_do_not_fill_the_memory():
    class Blanks(Endless):
        def read1(self, size: int) -> bytes:
            return super().read1(size) if self.count < 4 * MAX_ELEMENT else b""

    reader = ReviewReader(Blanks(b"[1,", b" "))
    assert [one.value for one in reader] == [1]
    assert len(reader._text) <= CHUNK


def test_deep_nesting_is_no_crash():
    good = json.dumps(review(1)).encode()
    raw = b"[" + good + b"," + b"[" * 100_000 + b"]" * 100_000 + b"," + good + b"]"
    assert read(raw, range(0, len(raw), 1 << 16)) == ([review(1), ("nested too deeply",), review(1)], None)


def test_many_malformed_reviews_cost_no_more_time_than_their_bytes():
    """Every second one is malformed: nothing is searched twice, and nothing is lost."""
    chance = random.Random(1)
    good = [json.dumps(value).encode() for value in reviews(2000)]
    parts = [part if at % 2 else part[: chance.randint(20, 100)] + b"\n" for at, part in enumerate(good)]
    values, problem = read(b"[" + b",".join(parts) + b"]", range(0, 2_000_000, CHUNK))
    assert [value for value in values if isinstance(value, dict)] == reviews(2000)[1::2]
    assert (len(values), problem) == (2000, None)
