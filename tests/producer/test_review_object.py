"""The object in pieces: every byte once, whatever its size, and never bytes of another object."""

import gzip
import io
from collections.abc import Callable
from typing import Any

import pytest
import review_object
from review_object import ReviewObject, SourceError
from review_reader import NoReviews, ReviewReader, unpacked

from tests.producer.conftest import World
from tests.support.reviews import StoredObject

PIECE = 1000


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_object, "PIECE", PIECE)
    monkeypatch.setattr(review_object, "PAUSE", 0.0001)


def bytes_of(size: int) -> bytes:
    return bytes(at * at % 251 for at in range(size))


def source_of(s3: Any, etag: str | None = None) -> ReviewObject:
    return ReviewObject(s3, "bucket", "key", etag)


def file_of(source: ReviewObject, start: int = 0) -> io.BufferedReader:
    source.seek(start)
    return io.BufferedReader(source, 300)


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
def test_every_byte_once_and_no_request_too_many(size: int, requests: int) -> None:
    s3 = StoredObject(bytes_of(size))
    source = source_of(s3)
    file = file_of(source)
    assert unpacked(file) is file
    assert (file.read(), source.size) == (s3.data, size)
    assert s3.asked == [(first, first + PIECE - 1) for first in range(0, requests * PIECE, PIECE)]


@pytest.mark.parametrize("start", [1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 499])
def test_going_on_at_any_byte(start: int) -> None:
    s3 = StoredObject(bytes_of(2 * PIECE + 500))
    source = source_of(s3)
    assert file_of(source, start).read() == s3.data[start:]
    assert source.size == len(s3.data)


def test_going_on_at_the_end_gives_nothing() -> None:
    s3 = StoredObject(bytes_of(2 * PIECE))
    assert file_of(source_of(s3), 2 * PIECE).read() == b""


def test_an_empty_object_ends_with_a_sentence() -> None:
    with pytest.raises(NoReviews, match="is empty"):
        ReviewReader(unpacked(file_of(source_of(StoredObject(b"")))))


@pytest.mark.parametrize("spare", [0, 1, 700])
def test_gzip_over_pieces(spare: int) -> None:
    packed = gzip.compress(bytes_of(9000), 0, mtime=0)  # stored, so larger than nine pieces
    packed += b"\0" * (-len(packed) % PIECE + spare)  # padding up to a border, and beyond
    source = source_of(StoredObject(packed))
    assert unpacked(file_of(source)).read() == bytes_of(9000)
    assert source.size == len(packed)
    again = unpacked(file_of(source_of(StoredObject(packed), source.etag)))
    assert (again.seek(8500), again.read()) == (8500, bytes_of(9000)[8500:])


@pytest.mark.parametrize("good", [1, 299, 300, PIECE - 1])
def test_a_broken_connection_costs_a_piece_its_rest_only(good: int) -> None:
    s3 = StoredObject(bytes_of(2 * PIECE + 1), lambda piece: Breaking(piece, good))
    assert file_of(source_of(s3)).read() == s3.data
    assert [first for first, _ in s3.asked] == list(range(0, len(s3.data), good))


def test_a_reset_behind_the_last_byte_of_a_piece_is_no_loss() -> None:
    s3 = StoredObject(bytes_of(2 * PIECE), lambda piece: Breaking(piece, PIECE))
    assert file_of(source_of(s3)).read() == s3.data
    assert [first for first, _ in s3.asked] == [0, PIECE]


def test_a_store_that_gives_no_byte_is_given_up() -> None:
    s3 = StoredObject(bytes_of(PIECE + 1), lambda piece: io.BytesIO(piece if len(piece) > 1 else b""))
    with pytest.raises(SourceError, match=r"broke off 5 times at byte 1,000 \(the body ended early\)"):
        file_of(source_of(s3)).read()


@pytest.mark.parametrize("new_size", [0, PIECE, 3 * PIECE, 5 * PIECE])
def test_replaced_between_two_pieces(new_size: int) -> None:
    """Nothing of the new object is taken for the old one's rest, be it as long, longer or shorter."""
    s3 = StoredObject(bytes_of(3 * PIECE))
    file = file_of(source_of(s3))
    read = file.read(100)
    s3.data = b"x" * new_size
    with pytest.raises(SourceError, match="was replaced since this run began: put the old file back"):
        while chunk := file.read1(100):
            read += chunk
    assert read == bytes_of(PIECE)


def test_replaced_where_the_store_looks_at_the_range_first() -> None:
    s3 = StoredObject(bytes_of(2 * PIECE))
    file = file_of(source_of(s3))
    file.read(1)

    def shorter(**_: Any) -> dict[str, Any]:
        raise s3.error("InvalidRange", 416)

    s3.get_object = shorter  # type: ignore[method-assign]
    with pytest.raises(SourceError, match="was replaced"):
        file.read()


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
    s3 = world.client("s3")
    assert file_of(ReviewObject(s3, world.bucket, "sample.json")).read() == bytes_of(4 * PIECE)
    file = file_of(ReviewObject(s3, world.bucket, "sample.json"))
    file.read(1)
    change(world)
    with pytest.raises(SourceError, match=sentence):
        file.read()
