"""The object in pieces: every byte once, whatever its size, and never bytes of another object."""

import gzip
import io
from collections.abc import Callable
from typing import Any

import object_source
import pytest
from object_source import ObjectSource, recognise
from producer_errors import SourceError

from tests.producer.conftest import StoredObject, World

PIECE = 1000


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_source, "PIECE", PIECE)
    monkeypatch.setattr(object_source, "CHUNK", 300)


def bytes_of(size: int) -> bytes:
    return bytes(at * at % 251 for at in range(size))


def source_of(s3: Any) -> ObjectSource:
    return ObjectSource(s3, "bucket", "key", pause=lambda seconds: None)


class Breaking(io.BytesIO):
    """A body whose connection is reset after ``good`` bytes."""

    def __init__(self, data: bytes, good: int) -> None:
        super().__init__(data)
        self._good = good

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() >= self._good:
            raise ConnectionResetError
        return super().read(min(size or 0, self._good - self.tell()))


@pytest.mark.parametrize(
    ("size", "requests"), [(1, 1), (PIECE - 1, 1), (PIECE, 1), (PIECE + 1, 2), (3 * PIECE, 3), (3 * PIECE + 1, 4)]
)
@pytest.mark.parametrize("known_plain", [False, None])
def test_every_byte_once_and_no_request_too_many(size: int, requests: int, known_plain: bool | None) -> None:
    s3 = StoredObject(bytes_of(size))
    source = source_of(s3)
    assert b"".join(source.open(gzip=known_plain)) == s3.data
    assert (source.size, source.gzip, source.problem) == (size, False, None)
    assert s3.asked == [(first, first + PIECE - 1) for first in range(0, requests * PIECE, PIECE)]


@pytest.mark.parametrize("start", [1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 499])
def test_going_on_at_any_byte(start: int) -> None:
    s3 = StoredObject(bytes_of(2 * PIECE + 500))
    source = source_of(s3)
    assert b"".join(source.open(start, gzip=False)) == s3.data[start:]
    assert source.size == len(s3.data)


def test_going_on_at_the_end_gives_nothing() -> None:
    s3 = StoredObject(bytes_of(2 * PIECE))
    assert list(source_of(s3).open(2 * PIECE, gzip=False)) == []


def test_an_empty_object_ends_with_a_sentence() -> None:
    source = source_of(StoredObject(b""))
    with pytest.raises(SourceError, match="is empty"):
        recognise(source.open(), source.name)


@pytest.mark.parametrize("spare", [0, 1, 700])
def test_gzip_over_pieces(spare: int) -> None:
    packed = gzip.compress(bytes_of(9000), 0, mtime=0)  # stored, so larger than nine pieces
    packed += b"\0" * (-len(packed) % PIECE + spare)  # padding up to a border, and beyond
    source = source_of(StoredObject(packed))
    assert b"".join(source.open()) == bytes_of(9000)
    assert (source.gzip, source.problem, source.size) == (True, None, len(packed))
    assert b"".join(source.open(8500, source.etag, gzip=True)) == bytes_of(9000)[8500:]


@pytest.mark.parametrize("good", [1, 299, 300, PIECE - 1])
def test_a_broken_connection_costs_a_piece_its_rest_only(good: int) -> None:
    s3 = StoredObject(bytes_of(2 * PIECE + 1), lambda piece: Breaking(piece, good))
    assert b"".join(source_of(s3).open(gzip=False)) == s3.data
    assert [first for first, _ in s3.asked] == list(range(0, len(s3.data), good))


def test_a_reset_behind_the_last_byte_of_a_piece_is_no_loss() -> None:
    s3 = StoredObject(bytes_of(2 * PIECE), lambda piece: Breaking(piece, PIECE))
    assert b"".join(source_of(s3).open(gzip=False)) == s3.data
    assert [first for first, _ in s3.asked] == [0, PIECE]


def test_a_store_that_gives_no_byte_is_given_up() -> None:
    s3 = StoredObject(bytes_of(PIECE + 1), lambda piece: io.BytesIO(piece if len(piece) > 1 else b""))
    with pytest.raises(SourceError, match=r"broke off 5 times at byte 1,000 \(the body ended early\)"):
        list(source_of(s3).open(gzip=False))


@pytest.mark.parametrize("new_size", [0, PIECE, 3 * PIECE, 5 * PIECE])
def test_replaced_between_two_pieces(new_size: int) -> None:
    """Nothing of the new object is taken for the old one's rest, be it as long, longer or shorter."""
    s3 = StoredObject(bytes_of(3 * PIECE))
    chunks = source_of(s3).open(gzip=False)
    read = next(chunks)
    s3.data = b"x" * new_size
    with pytest.raises(SourceError, match="was replaced since this run began: put the old file back"):
        for chunk in chunks:
            read += chunk
    assert read == bytes_of(PIECE)


def test_replaced_where_the_store_looks_at_the_range_first() -> None:
    s3 = StoredObject(bytes_of(2 * PIECE))
    chunks = source_of(s3).open(gzip=False)
    next(chunks)

    def shorter(**_: Any) -> dict[str, Any]:
        raise s3.error("InvalidRange", 416)

    s3.get_object = shorter  # type: ignore[method-assign]
    with pytest.raises(SourceError, match="was replaced"):
        list(chunks)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda world: world.upload(b"[]"), "was replaced since this run began"),
        (lambda world: world.client("s3").delete_object(Bucket=world.bucket, Key="sample.json"), "There is no object"),
    ],
    ids=["replaced", "deleted"],
)
def test_on_the_account(make_world: Callable[..., World], change: Callable[[World], Any], sentence: str) -> None:
    world = make_world(bytes_of(4 * PIECE))
    source = ObjectSource(world.client("s3"), world.bucket, "sample.json")
    assert b"".join(source.open()) == bytes_of(4 * PIECE)
    chunks = source.open()
    next(chunks)
    change(world)
    with pytest.raises(SourceError, match=sentence):
        list(chunks)
