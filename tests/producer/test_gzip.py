"""Gzip of both formats, whole, cut off and damaged, in whatever pieces it arrives."""

import gzip
import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from json_array import ArrayReader
from json_lines import LineReader
from json_values import Malformed
from object_source import GZIP, ObjectSource, recognise
from producer_errors import SourceError
from review_record import is_reviewlike

from tests.producer.conftest import StoredObject, as_array, reviews
from tests.producer.test_json_array import pieces

COUNTS = st.integers(1, 30)
CUTS = st.lists(st.integers(1, 9000), max_size=15)
PROPERTY = settings(max_examples=120, deadline=None)


class Body:
    """A response body that arrives in given pieces."""

    def __init__(self, data: bytes, cuts: list[int]) -> None:
        self._pieces = pieces(data, cuts)

    def read(self, size: int) -> bytes:
        return next(self._pieces, b"")


def read(stored: bytes, cuts: list[int]) -> tuple[list[Any], str | None]:
    """The values, with Malformed as its reason in a tuple, and the problem of the file as a whole."""
    s3 = StoredObject(stored, lambda piece: Body(piece, cuts))
    source = ObjectSource(s3, "bucket", "key", pause=lambda seconds: None)
    kind, offset, chunks = recognise(source.open(), source.name)
    reader = ArrayReader(chunks, is_reviewlike, offset) if kind == "array" else LineReader(chunks, offset)
    values = [
        (value.reason,) if isinstance(value, Malformed) else value
        for segment in reader.segments()
        for value in segment.items
    ]
    return values, source.problem or reader.problem


def outcome(stored: bytes, cuts: list[int]) -> Any:
    """What `read` gives, or the sentence that it ends with."""
    try:
        return read(stored, cuts)
    except SourceError as error:
        return str(error)


def packed(count: int, lines: bool, level: int) -> bytes:
    data = b"\n".join(json.dumps(one).encode() for one in reviews(count)) if lines else as_array(reviews(count))
    return gzip.compress(data, level, mtime=0)


@PROPERTY
@given(COUNTS, st.booleans(), st.integers(0, 9), CUTS)
def test_whole_in_any_pieces(count: int, lines: bool, level: int, cuts: list[int]) -> None:
    assert read(packed(count, lines, level), cuts) == (reviews(count), None)


@PROPERTY
@given(COUNTS, st.lists(st.integers(0, 20_000), max_size=3), CUTS, st.sampled_from([b"", b"\0" * 700]))
def test_several_members_with_padding_are_one_file(
    count: int, borders: list[int], cuts: list[int], padding: bytes
) -> None:
    parts = pieces(as_array(reviews(count)), borders)
    assert read(padding.join(gzip.compress(part) for part in parts) + padding, cuts) == (reviews(count), None)


@PROPERTY
@given(COUNTS, st.booleans(), st.integers(0, 9), st.floats(0, 1, exclude_max=True), CUTS)
def test_cut_off_anywhere_gives_what_came_before(
    count: int, lines: bool, level: int, share: float, cuts: list[int]
) -> None:
    whole = packed(count, lines, level)
    stored = whole[: int(share * len(whole))]
    found = outcome(stored, cuts)
    assert found == outcome(stored, [])  # however it arrives
    if isinstance(found, str):  # not one byte of the data had come
        assert "is empty" in found or "is no JSON" in found
        return
    values, problem = found
    assert problem is not None and "gzip data is cut off at stored byte" in problem
    good = values[:-1] if values and values[-1] == ("truncated",) else values
    assert good == reviews(count)[: len(good)]


@PROPERTY
@given(COUNTS, st.booleans(), st.integers(0, 9), st.floats(0, 1, exclude_max=True), st.integers(1, 255), CUTS)
@example(1, False, 0, 0.0, GZIP[0] ^ ord("{"), [])
@example(2, True, 0, 0.0, GZIP[0] ^ ord("["), [])
@example(1, False, 1, 0.9609375, 1, [])
def test_a_damaged_byte_is_said_and_ends_nothing_but_the_file(
    count: int, lines: bool, level: int, share: float, change: int, cuts: list[int]
) -> None:
    stored = bytearray(packed(count, lines, level))
    stored[int(share * len(stored))] ^= change
    found = outcome(bytes(stored), cuts)
    assert found == outcome(bytes(stored), [])
    if isinstance(found, str):
        assert "is empty" in found or "is no JSON" in found
        return
    values, problem = found
    if stored[:1] in (b"{", b"["):  # its first byte makes it JSON instead: all that is no review is rejected
        assert any(isinstance(value, tuple) for value in values)
        assert all(isinstance(value, tuple) or value in reviews(count) for value in values)
        return
    # A byte of the header that says nothing about the data, such as the time, may be anything.
    if problem is None:
        assert values == reviews(count)
    else:  # the damage itself, or what it made of the text behind the array
        assert "gzip" in problem or "follows the closing ]" in problem
