"""The stream's clock and the unfinished run's cursor: one S3 object, written by one invocation at a time.

``state/<stream>/clock.json`` holds ``next_event_time`` (the next run begins there or later), ``run`` (number of the
last run begun), ``unfinished`` (what the next invocation needs to go on, or null) and ``lease`` (who writes just now).

Every write is conditional on the object being the one this invocation wrote last (S3 conditional writes), so two
invocations can never both think that they hold the lease. It is renewed by a thread of its own while the run lasts; one
that is not renewed any more (a killed function) is taken over. A holder that stood still goes on if nobody took it.
"""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from producer_errors import AlreadyRunning, LeaseLost, StateError

LEASE_SECONDS = 12.0
# The holder stops sending this much before its lease ends, others wait this much longer: S3's times are whole seconds.
_MARGIN = 2.0
_POLL = 0.25
_CONFLICTS = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409"}


class RunState:
    """``acquire`` first; then ``still_mine`` before anything is sent, ``save`` now and then, ``release`` in the end."""

    def __init__(self, s3: Any, bucket: str, stream: str, owner: str, lease_seconds: float = LEASE_SECONDS) -> None:
        self.key = f"state/{stream}/clock.json"
        self.name = f"s3://{bucket}/{self.key}"
        self._s3, self._bucket, self._stream, self._owner = s3, bucket, stream, owner
        self._lease_seconds = lease_seconds
        self._content: dict[str, Any] = {}
        self._etag: str | None = None
        self._writes = 0
        self._mine_until = 0.0
        self._lost = False
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._heart: threading.Thread | None = None

    def acquire(self, patience: float, prepare: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Take the lease.

        ``prepare`` gets the content ({} for a stream that never had a run) and returns the changes to write with it;
        what it raises leaves the object untouched.

        A lease that somebody holds is watched for up to ``patience`` seconds: when it is renewed, its holder lives, and
        AlreadyRunning is raised; when it runs out, it is taken over.
        """
        deadline = time.monotonic() + patience
        seen: str | None = None
        while True:
            content, etag, age = self._read()
            lease = content.get("lease")
            left = 0.0 if lease is None else float(lease["seconds"]) + _MARGIN - age
            if lease is not None and (etag != (seen or etag) or (left > 0 and time.monotonic() + _POLL > deadline)):
                raise AlreadyRunning(
                    f"Invocation {lease['owner']} is filling the stream '{self._stream}' at the moment: wait for its "
                    f"end; if it was killed, its lease on {self.name} runs out in {max(left, 0):.0f} s, then try again."
                )
            if lease is None and seen is not None:
                raise AlreadyRunning(
                    f"Another invocation was filling the stream '{self._stream}' and has just ended: look at what it "
                    "sent, then invoke again if you want more."
                )
            if left <= 0:
                break
            seen = etag
            time.sleep(min(_POLL, left))
        self._content, self._etag = content, etag
        changes = prepare(content)
        try:
            self.save(**changes)
        except LeaseLost as error:
            raise AlreadyRunning(
                f"Another invocation began to fill the stream '{self._stream}' at the same moment: wait for its end."
            ) from error
        self._heart = threading.Thread(target=self._beat, name="lease", daemon=True)
        self._heart.start()

    def still_mine(self) -> None:
        """Raise LeaseLost when another invocation has taken the lease over, StateError when S3 does not say.

        A lease that was not renewed in time is renewed here: the write is refused if it is not ours any more.
        """
        if self._lost:
            raise self._loss()
        if time.monotonic() <= self._mine_until:
            return
        with self._lock:  # of the lanes that wait here the first renews, the others find it done
            while time.monotonic() > self._mine_until:
                if self._released.is_set():  # a lane that outlived its run must not take the lease again
                    raise self._loss()
                self._renew()

    def save(self, **changes: Any) -> None:
        """Write the content with these top-level changes; renews the lease."""
        with self._lock:
            self._content.update(changes)
            self._renew()

    def release(self, **changes: Any) -> None:
        """The last write: these changes, and nobody holds the lease any more."""
        self._released.set()
        with self._lock:
            self._content.update(changes)
            self._write(None)

    def abandon(self) -> None:
        """Stop renewing without another write: after the lease was lost."""
        self._released.set()

    def put(self, key: str, body: bytes, content_type: str = "application/x-ndjson") -> None:
        """Write another object beside the state (a manifest, rejected reviews)."""
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type)
        except (ClientError, BotoCoreError) as error:
            raise self._failed("written", f"s3://{self._bucket}/{key}", error) from error

    def _beat(self) -> None:
        while not self._released.wait(self._lease_seconds / 4):
            try:
                with self._lock:
                    if not self._released.is_set():
                        self._renew()
            except LeaseLost:
                return
            except StateError:
                continue  # still_mine() notices when it does not get better in time

    def _read(self) -> tuple[dict[str, Any], str | None, float]:
        """(content, its ETag or None if there is no such object, seconds since it was written by S3's own clock)."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=self.key)
            content = json.loads(answer["Body"].read())
            if not isinstance(content, dict):
                raise ValueError("not an object")
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return {}, None, 0.0
            raise self._failed("read", self.name, error) from error
        except BotoCoreError as error:
            raise self._failed("read", self.name, error) from error
        except ValueError as error:
            raise StateError(
                f"{self.name} is not what the producer wrote: delete it to begin with a new clock (and recreate the "
                "stream, or event time goes back)."
            ) from error
        return content, answer["ETag"], _age(answer)

    def _renew(self) -> None:
        self._write({"owner": self._owner, "write": self._writes, "seconds": self._lease_seconds})

    def _write(self, lease: dict[str, Any] | None) -> None:
        if self._lost:
            raise self._loss()
        self._writes += 1
        # The random part of the owner and the number make every write's bytes, and so its ETag, its own.
        stamp = f"{self._owner}/{self._writes}"
        body = json.dumps({**self._content, "lease": lease, "written_by": stamp}, indent=1).encode()
        condition = {"IfMatch": self._etag} if self._etag else {"IfNoneMatch": "*"}
        begun = time.monotonic()
        try:
            answer = self._s3.put_object(
                Bucket=self._bucket, Key=self.key, Body=body, ContentType="application/json", **condition
            )
            self._etag = answer["ETag"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _CONFLICTS:
                raise self._failed("written", self.name, error) from error
            # boto3 repeats a write whose answer got lost; then the conflict is with ourselves.
            content, etag, _ = self._read()
            if content.get("written_by") != stamp:
                self._lost = True
                raise self._loss() from error
            self._etag = etag
        except BotoCoreError as error:
            raise self._failed("written", self.name, error) from error
        self._mine_until = begun + self._lease_seconds - _MARGIN

    def _loss(self) -> LeaseLost:
        return LeaseLost(
            f"This invocation lost its lease on {self.name} (it stood still for too long, and another one began) and "
            "has stopped sending: invoke again with the same event, the run goes on where it stopped."
        )

    def _failed(self, what: str, name: str, error: Exception) -> StateError:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        if code == "NoSuchBucket":
            return StateError(f"There is no bucket '{self._bucket}' for the producer's state: run 01_streams first.")
        return StateError(
            f"{name} could not be {what} ({code}): check that the function's role may read and write the bucket, then "
            "invoke again with the same event."
        )


def _age(answer: dict[str, Any]) -> float:
    """Seconds between an object's last write and this answer, both by S3's clock."""
    from email.utils import parsedate_to_datetime

    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    now = parsedate_to_datetime(date).timestamp() if date else time.time()
    return now - answer["LastModified"].timestamp()


def patience_for(remaining: Callable[[], float], lease_seconds: float = LEASE_SECONDS) -> float:
    """How long an invocation may watch somebody else's lease without running into its own time limit."""
    return max(0.0, min(lease_seconds + 2 * _MARGIN, remaining() - 15.0))
