"""Gzip of every form, whole, cut off and damaged, in whatever pieces it arrives."""

import gzip
import io
import json
from typing import Any

from hypothesis import example, given, settings, strategies as st
from review_object import ReviewObject
from review_reader import CHUNK, NoReviews, ReviewReader, unpacked

from tests.support.reviews import StoredObject, as_array, reviews

COUNTS = st.integers(1, 30)
CUTS = st.lists(st.integers(1, 9000), max_size=15)
PROPERTY = settings(max_examples=120, deadline=None)
MAGIC = b"\x1f\x8b"


class Body:
    """A response body that arrives in given pieces."""

    def __init__(self, data: bytes, cuts: list[int]) -> None:
        borders = sorted({0, *(min(cut, len(data)) for cut in cuts), len(data)})
        self._pieces = [data[a:b] for a, b in zip(borders, borders[1:], strict=False)]

    def read(self, size: int) -> bytes:
        piece = self._pieces.pop(0) if self._pieces else b""
        if len(piece) > size:
            self._pieces.insert(0, piece[size:])
        return piece[:size]


def read(stored: bytes, cuts: list[int]) -> tuple[list[Any], str | None]:
    """The values, with the reason in a tuple where there is none, and the problem of the file as a whole."""
    source = ReviewObject(StoredObject(stored, lambda piece: Body(piece, cuts)), "bucket", "key")
    reader = ReviewReader(unpacked(io.BufferedReader(source, CHUNK)))
    return [(one.reason,) if one.reason else one.value for one in reader], reader.problem


def outcome(stored: bytes, cuts: list[int]) -> Any:
    """What `read` gives, or the sentence that it ends with."""
    try:
        return read(stored, cuts)
    except NoReviews as error:
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
    whole = as_array(reviews(count))
    borders = sorted({0, *(min(border, len(whole)) for border in borders), len(whole)})
    parts = [whole[a:b] for a, b in zip(borders, borders[1:], strict=False)]
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
    assert problem is not None and "the gzip data is cut off behind byte" in problem
    good = values[:-1] if values and values[-1] == ("truncated",) else values
    assert good == reviews(count)[: len(good)]


@PROPERTY
@given(COUNTS, st.booleans(), st.integers(0, 9), st.floats(0, 1, exclude_max=True), st.integers(1, 255), CUTS)
@example(1, False, 0, 0.0, MAGIC[0] ^ ord("{"), [])
@example(2, True, 0, 0.0, MAGIC[0] ^ ord("["), [])
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
