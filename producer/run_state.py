"""Keep the stream's clock and the unfinished run's cursor in one S3 object, written by one invocation at a time.

``state/<stream>/clock.json`` holds ``next_event_time`` (the next run begins there or later), ``run`` (number of the
last run begun), ``unfinished`` (the cursor to go on with, or null), ``finished`` (runs that ended, and what they read
and sent in all) and ``lease`` (who writes just now).

Every write is conditional on the object being the one this invocation wrote last (S3 conditional writes), so two
invocations can never both think that they hold the lease. Whoever is about to send or to save renews it; one that is
not renewed any more (a killed function) is taken over. A holder that stood still goes on if nobody took it.
"""

import json
import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from event_settings import ProducerError

LEASE_SECONDS = 12.0
_MARGIN = 2.0  # others wait this much longer: S3's times are whole seconds
_POLL = 0.25
_CONFLICTS = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409"}


class StateError(ProducerError):
    """Say that the run's state in S3 cannot be read or written."""


class AlreadyRunning(StateError):
    """Say that another invocation holds the lease on this stream's state."""


class LeaseLost(StateError):
    """Say that another invocation took the lease over: this one stops without writing anything more."""


class RunState:
    """Hold the state: ``acquire`` it, ``keep_lease`` before each request, ``save`` now and then, then ``release``."""

    def __init__(self, s3: Any, bucket: str, stream: str, owner: str, lease_seconds: float = LEASE_SECONDS) -> None:
        self.content: dict[str, Any] = {}
        self._s3, self._stream, self._owner, self._seconds = s3, stream, owner, lease_seconds
        self._bucket, self._key = bucket, f"state/{stream}/clock.json"
        self._etag: str | None = None
        self._writes, self._renew_at, self._over = 0, 0.0, False  # over: lost or released
        self._lock = threading.Lock()

    def acquire(self, remaining: float, prepare: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Take the lease, and write what ``prepare`` makes of the content ({} where there was no run yet).

        What ``prepare`` raises leaves the object untouched. A lease that somebody holds is watched, as long as the
        ``remaining`` seconds allow: when it is renewed or given back, its holder lives, and AlreadyRunning is raised;
        when it runs out, it is taken over.
        """
        until = time.monotonic() + max(0.0, min(self._seconds + 2 * _MARGIN, remaining - 15.0))
        seen: str | None = None
        while True:
            content, etag, age = self._read()
            lease = content.get("lease")
            left = float(lease["seconds"]) + _MARGIN - age if lease else 0.0
            if etag != (seen or etag) or (left > 0 and time.monotonic() + _POLL > until):
                who = f"Invocation {lease['owner']} is" if lease else "Another invocation was"
                raise AlreadyRunning(
                    f"{who} filling the stream '{self._stream}' at the moment: wait for its end, look at what it sent, "
                    f"then invoke again; if it was killed, its lease runs out in {max(left, 0):.0f} s."
                )
            if left <= 0:
                break
            seen = etag
            time.sleep(min(_POLL, left))
        self.content, self._etag = content, etag
        changes = prepare(content)
        try:
            self.save(**changes)
        except LeaseLost as error:
            raise AlreadyRunning(
                f"Another invocation began to fill the stream '{self._stream}' at the same moment: wait for its end."
            ) from error

    def keep_lease(self) -> None:
        """Renew the lease when a third of it is over, from any thread. Raises LeaseLost when another one has it."""
        if self._over or time.monotonic() >= self._renew_at:
            with self._lock:  # of the threads that wait here the first renews, the others find it done
                if self._over or time.monotonic() >= self._renew_at:
                    self._write(held=True)

    def save(self, **changes: Any) -> None:
        """Write the content with these top-level changes; renews the lease."""
        with self._lock:
            self.content.update(changes)
            self._write(held=True)

    def release(self, **changes: Any) -> None:
        """Write these changes, the last ones: nobody holds the lease any more."""
        with self._lock:
            self.content.update(changes)
            self._write(held=False)
            self._over = True

    def put(self, key: str, body: bytes) -> None:
        """Write JSON Lines beside the state (rejected reviews)."""
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/x-ndjson")
        except (ClientError, BotoCoreError) as error:
            raise self._failed("written", key, error) from error

    def _read(self) -> tuple[dict[str, Any], str | None, float]:
        """Read (content, its ETag or None without an object, seconds since it was written by S3's clock)."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=self._key)
            content = dict(json.loads(answer["Body"].read()))
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] == "NoSuchKey":
                return {}, None, 0.0
            raise self._failed("read", self._key, error) from error
        except (ValueError, TypeError) as error:
            raise StateError(
                f"s3://{self._bucket}/{self._key} is not what the producer wrote: delete it to begin with a new clock "
                "(and recreate the stream, or event time goes back)."
            ) from error
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        return content, answer["ETag"], (now - answer["LastModified"]).total_seconds()

    def _write(self, held: bool) -> None:
        begun = time.monotonic()
        self._writes += 1
        # The random part of the owner and the number make every write's bytes, and so its ETag, its own.
        stamp = f"{self._owner}/{self._writes}"
        lease = {"owner": self._owner, "seconds": self._seconds} if held else None
        body = json.dumps({**self.content, "lease": lease, "written_by": stamp}, indent=1).encode()
        condition = {"IfMatch": self._etag} if self._etag else {"IfNoneMatch": "*"}
        try:
            if not self._over:
                self._etag = self._s3.put_object(Bucket=self._bucket, Key=self._key, Body=body, **condition)["ETag"]
        except (ClientError, BotoCoreError) as error:
            if not isinstance(error, ClientError) or error.response["Error"]["Code"] not in _CONFLICTS:
                raise self._failed("written", self._key, error) from error
            # boto3 repeats a write whose answer got lost; then the conflict is with ourselves.
            content, self._etag, _ = self._read()
            self._over = content.get("written_by") != stamp
        if self._over:
            raise LeaseLost(
                f"This invocation lost its lease on s3://{self._bucket}/{self._key} (it stood still for too long, and "
                "another one began) and has stopped sending: invoke again with the same event, the run goes on."
            )
        self._renew_at = begun + (self._seconds - _MARGIN) / 3

    def _failed(self, what: str, key: str, error: Exception) -> StateError:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        if code == "NoSuchBucket":
            return StateError(f"There is no bucket '{self._bucket}' for the producer's state: run 01_streams first.")
        return StateError(
            f"s3://{self._bucket}/{key} could not be {what} ({code}): check that the function's role may read and "
            "write the bucket, then invoke again with the same event."
        )
