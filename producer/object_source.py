"""The object with the reviews, as a stream of decompressed chunks that survives broken connections."""

import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from producer_errors import SourceError
from urllib3.exceptions import HTTPError

# Big enough that a segment's parse is worth its call, small enough that its reviews stay in the processor's cache.
CHUNK = 128 << 10
# What one request asks for. S3's guide to byte-range fetches names 8 to 16 MB: less costs more requests, more is lost
# with a connection that breaks, and a store that answers from memory need not hand over the whole rest at once.
PIECE = 8 << 20
ATTEMPTS = 5  # openings in a row that bring no byte
GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


class ObjectSource:
    """Chunks of one S3 object from ``start`` on, gunzipped where its first bytes say gzip (the name does not matter).

    It is asked for in pieces of PIECE bytes, one after the other, all of the same object: one that is replaced or gone
    ends the reading with SourceError at the next piece. ``start`` counts decompressed bytes: a plain object is opened
    there, a gzip one is read from its beginning and what comes before is dropped. With ``etag`` the object must still
    be that one.
    ``open`` sets ``etag``, ``size`` (bytes stored) and ``gzip``; after the last chunk ``problem`` is None or a clause.
    """

    def __init__(self, s3: Any, bucket: str, key: str, pause: Callable[[float], Any] = time.sleep) -> None:
        self.etag: str | None = None
        self.size = 0
        self.gzip = False
        self.problem: str | None = None
        self._s3, self._bucket, self._key, self._pause = s3, bucket, key, pause
        self.name = f"s3://{bucket}/{key}"

    def open(self, start: int = 0, etag: str | None = None, gzip: bool | None = None) -> Iterator[bytes]:
        """Open the object and return its chunks. ``gzip`` is known when an earlier invocation has looked.

        Raises SourceError, now or while the chunks are read, with one sentence about what to do.
        """
        self.etag = etag
        body = self._get(0 if gzip else start)
        raw = self._raw(body, 0 if gzip else start)
        if gzip is None:
            head = next(raw, b"")
            while 0 < len(head) < len(GZIP) and (more := next(raw, None)) is not None:
                head += more
            self.gzip = head.startswith(GZIP)
            raw = _before(head, raw)
        else:
            self.gzip = gzip
        return self._from(start, self._gunzip(raw)) if self.gzip else raw

    def _get(self, start: int) -> Any:
        """The body of the piece that begins at byte ``start``, or None when the object has no byte there."""
        conditions = {"IfMatch": self.etag} if self.etag else {}
        piece = f"bytes={start}-{start + PIECE - 1}"
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=self._key, Range=piece, **conditions)
        except ClientError as error:
            # Also what an empty object answers. Where an earlier piece has told a size that reaches further, it shrank.
            if error.response["Error"]["Code"] in ("InvalidRange", "416"):
                if start < self.size:
                    raise SourceError(_replaced(self.name)) from error
                return None
            raise SourceError(_sentence(self.name, self._bucket, error)) from error
        except BotoCoreError as error:
            raise SourceError(
                f"S3 did not answer when {self.name} was opened ({type(error).__name__}): invoke again."
            ) from error
        self.etag = answer["ETag"]
        self.size = int(answer["ContentRange"].rpartition("/")[2])  # "bytes 0-8388607/145999999"
        return answer["Body"]

    def _raw(self, body: Any, at: int) -> Iterator[bytes]:
        """The stored bytes, piece by piece; one that breaks is opened again at the byte where it broke."""
        barren = 0
        while body is not None:
            end = min(at + PIECE, self.size)
            try:
                while chunk := body.read(CHUNK):
                    at, barren = at + len(chunk), 0
                    yield chunk
                reason = "the body ended early"
            except (BotoCoreError, HTTPError, OSError) as error:
                reason = type(error).__name__
            if at >= self.size:
                return
            if at < end:
                barren += 1
                if barren >= ATTEMPTS:
                    raise SourceError(
                        f"Reading {self.name} broke off {barren} times at byte {at:,} ({reason}): invoke again with "
                        "the same event, the run goes on where it stopped."
                    )
                self._pause(0.1 * 2**barren)
            body = self._get(at)

    def _gunzip(self, raw: Iterator[bytes]) -> Iterator[bytes]:
        """Members of a gzip file, decompressed in bounded pieces."""
        member, at = zlib.decompressobj(wbits=31), 0
        started = True
        for chunk in raw:
            while chunk:
                if member.eof:
                    chunk = chunk.lstrip(b"\0")  # padding between and behind members is allowed
                    if not chunk:
                        break
                    if not chunk.startswith(GZIP[: len(chunk)]):
                        self.problem = f"something that is not gzip follows the data at stored byte {at:,}: not read"
                        return
                    member, started = zlib.decompressobj(wbits=31), True
                before = member.copy()
                try:
                    piece = member.decompress(chunk, CHUNK)
                except zlib.error:
                    piece, good = _up_to_the_damage(before, chunk)
                    if piece:
                        yield piece
                    at += good
                    self.problem = f"the gzip data is damaged near stored byte {at:,}: nothing behind it was read"
                    return
                started = False
                rest = member.unused_data if member.eof else member.unconsumed_tail
                at += len(chunk) - len(rest)
                chunk = rest
                if piece:
                    yield piece
        while piece := b"" if member.eof or started else member.decompress(member.unconsumed_tail, CHUNK):
            yield piece
        if not member.eof:
            self.problem = f"the gzip data is cut off at stored byte {at:,}"

    @staticmethod
    def _from(start: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if start >= len(chunk):
                start -= len(chunk)
            else:
                yield chunk[start:]
                start = 0


def recognise(chunks: Iterator[bytes], name: str) -> tuple[str, int, Iterator[bytes]]:
    """Look at the first character: ("array" or "lines", its byte offset, the chunks from there on).

    Raises SourceError when the object is empty or begins like neither.
    """
    offset, head = 0, b""
    for chunk in chunks:
        head += chunk
        if offset == 0 and len(head) < len(_BOM) and _BOM.startswith(head):
            continue
        text = head.removeprefix(_BOM) if offset == 0 else head
        text = text.lstrip(b" \t\r\n")
        offset += len(head) - len(text)
        head = text
        if head:
            break
    if not head:
        raise SourceError(f"{name} is empty: upload the file with the reviews (01_streams does), then invoke again.")
    formats = {b"[": "array", b"{": "lines"}
    if head[:1] not in formats:
        first = head[:1].decode("ascii", "backslashreplace")
        raise SourceError(
            f"{name} is no JSON of reviews: it begins with {first!r} instead of '[' (an array) or '{{' (JSON Lines), "
            "plain or gzip; upload the right file, then invoke again."
        )
    return formats[head[:1]], offset, _before(head, chunks)


def _up_to_the_damage(member: Any, chunk: bytes) -> tuple[bytes, int]:
    """What the bytes before the damaged one still give, and how many they are: zlib drops what it had of a failed call,
    so without this the last good reviews would depend on how the bytes happened to arrive."""
    pieces: list[bytes] = []
    for at in range(len(chunk)):
        try:
            pieces.append(member.decompress(chunk[at : at + 1]))
        except zlib.error:
            return b"".join(pieces), at
    return b"".join(pieces), len(chunk)


def _before(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from rest


def _replaced(name: str) -> str:
    return (
        f"{name} was replaced since this run began: put the old file back to finish the run, or send the event "
        'with "restart": true to begin a new run with the new file.'
    )


def _sentence(name: str, bucket: str, error: ClientError) -> str:
    said = error.response["Error"]
    code, message = said.get("Code", ""), said.get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code in ("NoSuchKey", "404"):
        return (
            f"There is no object {name}: upload the reviews with 01_streams, or name another 'key', then invoke again."
        )
    if code == "NoSuchBucket":
        return f"There is no bucket '{bucket}': run 01_streams first, or name another 'bucket', then invoke again."
    if code in ("PreconditionFailed", "412"):
        return _replaced(name)
    if code.startswith("KMS") or "kms" in message.lower():
        return (
            f"{name} is encrypted with a KMS key that the function's role may not use ({code}): let the role use the "
            "key, or upload the file without it."
        )
    if code == "InvalidRequest" and "encryption" in message.lower():
        return (
            f"{name} is encrypted with a key of the uploader's own (SSE-C), which the function does not have: upload "
            "it without that."
        )
    if code == "InvalidObjectState":
        return f"{name} is archived: restore it, or upload it again in the standard storage class."
    if code in ("AccessDenied", "403", "AllAccessDisabled"):
        return (
            f"The function's role may not read {name} ({code}): give it s3:GetObject on the bucket (LabRole has it), "
            "or check the names; without s3:ListBucket a missing object looks the same."
        )
    return f"{name} could not be opened ({code or status}: {message.rstrip('.')}): look at it in S3, then invoke again."
