"""Reviews of the real shape and an S3 object in memory, for the producer's tests and its fuzz run.

Importing this puts ``producer/`` on the path, as on Lambda: its modules are top-level names.
"""

import io
import json
import sys
import zlib
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tests.support.account import PROJECT

PRODUCER = PROJECT / "producer"
sys.path.insert(0, str(PRODUCER))


def review(number: int, **changes: Any) -> dict[str, Any]:
    """A review of the real shape; its text depends on its number only."""
    return {
        "review_id": f"rw{number:07d}",
        "reviewer": f"reader-{number % 97}",
        "movie": f"Film {number % 31} (1968\u2013 )",
        "rating": None if number % 9 == 0 else str(number % 10 + 1),
        "review_summary": f"Summary of {number}",
        "review_date": "24 July 2005",
        "spoiler_tag": number % 2,
        "review_detail": f"Text {number} with caf\u00e9, \u6620\u753b and \U0001f3ac. " * (number % 7 + 1),
        "helpful": ["0", "1,264"],
    } | changes


def reviews(count: int) -> list[dict[str, Any]]:
    return [review(number) for number in range(count)]


def as_array(values: list[Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode()


class StoredObject:
    """The one call of S3 that the producer's source makes, on one object in memory: ranges and IfMatch as S3 has them.

    ``body`` makes a piece's body of its bytes; ``asked`` holds the ranges, first and last byte.
    """

    def __init__(self, data: bytes, body: Callable[[bytes], Any] = io.BytesIO) -> None:
        self.data, self._body = data, body
        self.asked: list[tuple[int, int]] = []

    def get_object(self, **request: Any) -> dict[str, Any]:
        first, last = (int(number) for number in request["Range"].removeprefix("bytes=").split("-"))
        self.asked.append((first, last))
        etag, size = f'"{zlib.crc32(self.data)}"', len(self.data)
        if request.get("IfMatch", etag) != etag:
            raise self.error("PreconditionFailed", 412)
        if first >= size:
            raise self.error("InvalidRange", 416)
        piece = self.data[first : last + 1]
        return {
            "ETag": etag,
            "ContentLength": len(piece),
            "ContentRange": f"bytes {first}-{first + len(piece) - 1}/{size}",
            "Body": self._body(piece),
        }

    @staticmethod
    def error(code: str, status: int) -> ClientError:
        answer = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
        return ClientError(answer, "GetObject")
