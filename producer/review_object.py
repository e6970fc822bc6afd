"""Read the S3 object with the reviews as a file, from any byte on, across broken connections."""

import io
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from event_settings import ProducerError
from urllib3.exceptions import HTTPError

# What one request asks for. S3's guide to byte-range fetches names 8 to 16 MB: less costs more requests, more is lost
# with a connection that breaks, and a store that answers from memory need not hand over the whole rest at once.
PIECE = 8 << 20
ATTEMPTS, PAUSE = 5, 0.1  # openings in a row that bring no byte; seconds before another one, doubled every time
_SENTENCES = {
    "NoSuchKey": "There is no object {name}: upload the reviews with 01_streams, or name another 'key'.",
    "NoSuchBucket": "There is no bucket '{bucket}': run 01_streams first, or name another 'bucket', then invoke again.",
    "PreconditionFailed": "{name} was replaced since this run began: put the old file back to finish the run, or send "
    'the event with "restart": true to begin a new run with the new file.',
    "AccessDenied": "The function's role may not read {name} ({code}): give it s3:GetObject on the bucket (LabRole has "
    "it), or check the names; without s3:ListBucket a missing object looks the same.",
    "Encrypted": "{name} is encrypted with a key that the function cannot use ({code}: {message}): let its role use "
    "the KMS key, or upload the file without it; a key of the uploader's own (SSE-C) cannot be used at all.",
}


class SourceError(ProducerError):
    """Say that the object cannot be read (missing, forbidden, encrypted, empty, replaced, not JSON)."""


class ReviewObject(io.RawIOBase):
    """Read one S3 object as a raw file for ``io.BufferedReader``, which reads and before that may seek.

    It is asked for in pieces of PIECE bytes, one after the other, all of the same object (``etag``): one that is
    replaced or gone ends the reading with SourceError at the next piece. ``size`` is known once a byte was read.
    """

    def __init__(self, s3: Any, bucket: str, key: str, etag: str | None = None) -> None:
        self.name, self.etag, self.size = f"s3://{bucket}/{key}", etag, 0
        self._s3, self._bucket, self._key = s3, bucket, key
        self._at = self._piece_ends = 0
        self._body: Any = io.BytesIO()  # of the piece that is being read
        self.readable = self.seekable = lambda: True  # type: ignore[method-assign]

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte, counted from the object's beginning; any other ``whence`` tells which it is."""
        if whence == io.SEEK_SET:
            self._at = self._piece_ends = offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, less only at the object's end. Raises SourceError with one sentence about what to do."""
        filled = barren = 0
        while filled < len(buffer):
            if self._at >= self._piece_ends and not self._open():
                break
            chunk, why = b"", "the body ended early"
            try:
                chunk = self._body.read(min(len(buffer) - filled, self._piece_ends - self._at))
            except (BotoCoreError, HTTPError, OSError) as error:
                why = type(error).__name__
            buffer[filled : filled + len(chunk)] = chunk
            filled, self._at, barren = filled + len(chunk), self._at + len(chunk), 0 if chunk else barren + 1
            if barren >= ATTEMPTS:
                raise SourceError(
                    f"Reading {self.name} broke off {barren} times at byte {self._at:,} ({why}): invoke again with the "
                    "same event, the run goes on where it stopped."
                )
            if barren:  # opened again at the byte where it broke
                time.sleep(PAUSE * 2**barren)
                self._open()
        return filled

    def _open(self) -> bool:
        """Ask for the piece that begins at this byte; False when the object ends here."""
        if self.size and self._at >= self.size:
            return False
        wanted = {"Range": f"bytes={self._at}-{self._at + PIECE - 1}"} | ({"IfMatch": self.etag} if self.etag else {})
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=self._key, **wanted)
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
            if code in ("InvalidRange", "416") and not self.size:  # an empty object, or the end of a run's file
                return False
            known = {"403": "AccessDenied", "404": "NoSuchKey", "412": "PreconditionFailed"}
            known |= dict.fromkeys(("InvalidRange", "416"), "PreconditionFailed")  # the new one is smaller
            which = known.get(code, code)
            if "kms" in f"{code} {message}".lower() or "encryption" in message.lower():
                which = "Encrypted"
            said = _SENTENCES.get(which, "{name} could not be opened ({code}: {message}): look at it in S3.")
            said = said.format(name=self.name, bucket=self._bucket, code=code, message=message.rstrip("."))
            raise SourceError(said) from error
        except BotoCoreError as error:
            why = type(error).__name__
            raise SourceError(f"S3 did not answer when {self.name} was opened ({why}): invoke again.") from error
        self.etag, self._body = answer["ETag"], answer["Body"]
        self.size = int(answer["ContentRange"].rpartition("/")[2])  # "bytes 0-8388607/145999999"
        self._piece_ends = min(self._at + PIECE, self.size)
        return True
