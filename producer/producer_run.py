"""Open a run of the producer or go on with one, save its cursor, close its windows, answer."""

import io
import json
import math
import os
import time
import uuid
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from event_settings import BadEvent, Settings
from review_event import FIRST_START, align_up, clock_of, iso, make_event, marker_ms, ms_of, replay_ms, wall_ms
from review_object import ReviewObject, SourceError
from review_reader import CHUNK, KEYS, Element, NoReviews, ReviewReader, unpacked
from run_state import LEASE_SECONDS, LeaseLost, RunState, StateError
from shard_senders import Record, ShardSenders, open_shards

SAVE_SECONDS, SAVE_REVIEWS = 2.0, 20_000  # the cursor is saved when one of them is over
MOST_REJECTED = 500  # rejected reviews that wait for the cursor to be saved
RAW_BYTES = 2_000  # of a rejected review are kept
_COUNTS = ("requests", "retries", "throttled", "disorder_ms")


class ProducerRun:
    """Do one invocation's part of a run: ``begin``, ``may_go_on`` after each review, ``close_windows``, ``end``.

    ``cursor`` is the JSON object that the state keeps: how far the run has come and all that it needs to go on.
    ``byte_offset`` is the place in the uncompressed file where the next review is looked for, ``start_ms`` the first
    event time of the clock "replay", ``offset_ms`` how far the clock "now" is ahead of the wall clock.
    """

    def __init__(self, settings: Settings, context: Any, s3: Any, kinesis: Any, write: Callable[[str], Any]) -> None:
        """Take what an invocation works with. Raises BadEvent where the time limit leaves no time to work."""
        limit_ms = getattr(context, "get_remaining_time_in_millis", lambda: math.inf)
        self.remaining: Callable[[], float] = lambda: limit_ms() / 1000
        self.settings, self._s3, self._kinesis, self._write_log = settings, s3, kinesis, write
        if self.remaining() <= settings.stop_before_seconds:
            raise BadEvent(
                f"The function's time limit leaves {self.remaining():.0f} s, but it is to stop "
                f"{settings.stop_before_seconds:g} s before: set its timeout to 5 minutes."
            )
        owner = f"{getattr(context, 'aws_request_id', None) or 'direct'}/{uuid.uuid4().hex[:8]}"
        lease_seconds = float(os.environ.get("PRODUCER_LEASE_SECONDS", LEASE_SECONDS))
        self.state = RunState(s3, settings.state_bucket, settings.stream, owner, lease_seconds)
        # AWS throttles a shard for certain: keep to its limit from the beginning. A local account may have none.
        limited = "AWS_ENDPOINT_URL" not in os.environ and "AWS_ENDPOINT_URL_KINESIS" not in os.environ
        delay_ms = settings.watermark_delay_seconds * 1000
        self.senders = ShardSenders(
            kinesis, settings.stream, delay_ms, settings.strict_order, limited, self.state.keep_lease
        )
        self._begun = self._log_at = now = time.monotonic()
        self._save_at, self._stop_at = now + SAVE_SECONDS, now + (settings.stop_after_seconds or math.inf)
        self._rejected: list[dict[str, Any]] = []  # since the cursor was saved
        self._abandoned: dict[str, int] | None = None
        self._markers = self._marker_ms = 0

    def begin(self) -> None:
        """Take the lease, open the run, start the senders. Raises ProducerError; the state is then as it was."""
        self.state.acquire(self.remaining(), self._open)
        self._log("start", key=self.settings.key, read=self.cursor["read"], sent=self.cursor["sent"])
        self.senders.begin(self._shards)

    def _open(self, content: dict[str, Any]) -> dict[str, Any]:
        """Go on with the unfinished run when the event is the same, else open a new one."""
        settings = self.settings
        unfinished: dict[str, Any] = content.get("unfinished") or {}
        goes_on = not settings.restart and unfinished.get("identity") == settings.identity()
        source = ReviewObject(self._s3, settings.bucket, settings.key, unfinished["etag"] if goes_on else None)
        if goes_on and not unfinished["gzip"]:
            source.seek(unfinished["byte_offset"])
        stored: Any = io.BufferedReader(source, CHUNK)
        file = unpacked(stored)
        if goes_on:
            if unfinished["gzip"]:
                file.seek(unfinished["byte_offset"])
            self.cursor = unfinished | {"invocations": unfinished["invocations"] + 1}
            self.reader = ReviewReader(file, unfinished["byte_offset"], unfinished["array"])
        else:
            if unfinished:
                self._abandoned = {"run": unfinished["run"], "sent": unfinished["sent"]}
            try:
                self.reader = ReviewReader(file)
            except NoReviews as error:
                raise SourceError(f"{source.name} {error}: upload the right file, then invoke again.") from error
            start_ms, offset_ms = _start(content.get("next_event_time"), unfinished, settings)
            self.cursor = {
                "run": content.get("run", 0) + 1, "identity": settings.identity(), "invocations": 1,
                "etag": source.etag, "size": source.size, "gzip": file is not stored, "array": self.reader.array,
                "byte_offset": self.reader.offset, "read": 0, "sent": 0, "rejected_reasons": {}, "per_shard": {},
                "start_ms": start_ms, "offset_ms": offset_ms, "first_event_time": None, "last_event_time": None,
                "seconds": 0.0, **dict.fromkeys(_COUNTS, 0),
            }  # fmt: skip
        self.name, self._earlier = source.name, dict(self.cursor)
        self._shards = open_shards(self._kinesis, settings.stream)
        self.senders.per_shard.update(self.cursor["per_shard"])
        last = ms_of(self.cursor["last_event_time"] or "1970-01-01")
        self.clock = clock_of(settings.clock, settings.rate, self.cursor["start_ms"], self.cursor["offset_ms"], last)
        return {"run": self.cursor["run"], "unfinished": self._saved()}

    def reject(self, element: Element, reason: str) -> None:
        """Note a review that is not sent: where it is, why, and how it begins."""
        reasons = self.cursor["rejected_reasons"]
        reasons[reason] = reasons.get(reason, 0) + 1
        where = {"index": self.cursor["read"], "byte_offset": element.offset, "reason": reason}
        raw = element.raw[:RAW_BYTES].decode("utf-8", "backslashreplace")
        self._rejected.append({**where, "bytes": len(element.raw), "raw": raw})

    def may_go_on(self, due: float) -> bool:
        """Save the cursor now and then, wait for room and for the moment; False when it is time to stop."""
        while not self._time_to_stop():
            unsaved = self.cursor["sent"] - self.state.content["unfinished"]["sent"]
            save = unsaved >= SAVE_REVIEWS or len(self._rejected) >= MOST_REJECTED or time.monotonic() >= self._save_at
            if save and not self.save_cursor():
                return False
            if (left := due - time.monotonic()) > 0:
                self.senders.flush(0.0)  # with a pace, senders do not wait for more
                time.sleep(min(left, 0.2))
            elif self.senders.has_room(0.2):
                return True
        return False

    def _time_to_stop(self) -> bool:
        """Keep the lease and the log going; True when the time limit, or the event's own, has come near."""
        self.state.keep_lease()
        now = time.monotonic()
        if now >= self._log_at:
            self._log_at, saved = now + 1.0, self._saved()
            rate = (saved["sent"] - self._earlier["sent"]) / max(now - self._begun, 0.001)
            self._log("batch", **{name: saved[name] for name in ("read", "sent", *_COUNTS)}, rate=round(rate))
        return self.remaining() <= self.settings.stop_before_seconds or now >= self._stop_at

    def save_cursor(self) -> bool:
        """Wait until everything before the cursor is written, then save it; False when the time is up first."""
        if not self._flush():
            return False
        if self._rejected:
            # Named after the first one behind the saved cursor: after a kill the next invocation writes it again.
            name = f"{self._rejected_prefix()}from-{self._rejected[0]['index']:012d}.jsonl"
            self.state.put(name, b"".join(json.dumps(one).encode() + b"\n" for one in self._rejected))
            self._rejected = []
        self.state.save(unfinished=self._saved())
        self._save_at = time.monotonic() + SAVE_SECONDS
        if self.senders.stale:  # everything is written: go on with the shards that the stream has now
            self.senders.begin(open_shards(self._kinesis, self.settings.stream))
        return True

    def _saved(self) -> dict[str, Any]:
        """Return the cursor as it is saved once everything before it is written, with what the senders did."""
        cursor, senders, earlier = self.cursor, self.senders, self._earlier
        counts = {name: earlier[name] + getattr(senders, name) for name in _COUNTS}
        counts["disorder_ms"] = max(earlier["disorder_ms"], senders.disorder_ms)
        seconds = round(earlier["seconds"] + time.monotonic() - self._begun, 3)
        per_shard, reasons = dict(senders.per_shard), dict(cursor["rejected_reasons"])
        return {**cursor, **counts, "seconds": seconds, "per_shard": per_shard, "rejected_reasons": reasons}

    def _flush(self) -> bool:
        """Wait until every record is written; may use half of the time that is kept in hand for the stop."""
        while not self.senders.flush(0.2):
            self.state.keep_lease()
            if self.remaining() <= self.settings.stop_before_seconds / 2:
                return False
        return True

    def close_windows(self) -> bool:
        """Send an end marker to every open shard, behind all reviews; False when the time is up first."""
        settings, last = self.settings, self.cursor["last_event_time"]
        if last is None:
            return True
        self._marker_ms = marker_ms(ms_of(last), settings.window_seconds, settings.watermark_delay_seconds)
        while settings.end_markers:
            for hash_key, shard_id in self.senders.shards:
                marker_id = f"end-marker-{shard_id}-{self.cursor['run']}"
                data = make_event(dict.fromkeys(KEYS) | {"review_id": marker_id}, iso(self._marker_ms))
                self.senders.put(Record(data, marker_id, self._marker_ms, len(data), hash_key))
                self._markers += 1
            if not self._flush():
                return False
            if not self.senders.stale:
                break
            self.senders.begin(open_shards(self._kinesis, settings.stream))  # new shards need theirs
        return True

    def end(self, done: bool) -> dict[str, Any]:
        """Release the state and give the answer that README.md describes; ``done``: the run is over."""
        settings, senders, earlier = self.settings, self.senders, self._earlier
        senders.halt()
        saved, now = self.state.content["unfinished"], self._saved()
        saved |= {name: now[name] for name in ("seconds", *_COUNTS)}  # those of the markers too
        read, sent, size = saved["read"], saved["sent"], None if saved["gzip"] else saved["size"]
        over: dict[str, Any] = {"unfinished": None, "finished": self._finished(read, sent)}
        over |= {"next_event_time": iso(self._marker_ms)} if self._marker_ms else {}
        self.state.release(**over if done else {})
        place = {"read": read, "byte": saved["byte_offset"], "of_bytes": size}
        share = (read / settings.limit) if settings.limit else place["byte"] / size if size else None
        copied = ("run", "rejected_reasons", "first_event_time", "last_event_time", "per_shard", "seconds", *_COUNTS)
        answer = {
            **{name: saved[name] for name in copied}, "done": done, "read": read, "sent": sent, "rejected": read - sent,
            "rejected_key": self._rejected_prefix() if read > sent else None,
            "input_error": self._input_error(read, sent) if done else None,
            "clock_offset_seconds": saved["offset_ms"] / 1000 if settings.clock == "now" else None,
            "markers": self._markers if done else 0,
            "marker_event_time": iso(self._marker_ms) if done and self._markers else None,
            "progress": 1.0 if done else share and round(share, 4), "cursor": None if done else place,
            "invocation": {
                "number": saved["invocations"], "sent": sent - earlier["sent"], "requests": senders.requests,
                "retries": senders.retries, "seconds": round(saved["seconds"] - earlier["seconds"], 3),
            },
            "series": [[second, *counts] for second, counts in sorted(senders.series.items())],
            "abandoned": self._abandoned, "peak_memory_mb": _peak_memory_mb(),
        }  # fmt: skip
        logged = ("done", "read", "sent", "rejected", "requests", "retries", "seconds", "peak_memory_mb", "series")
        self._log("end", **{name: answer[name] for name in logged})
        # CloudWatch's embedded metric format: Logs turns the line into metrics by itself.
        did = {"ReviewsSent": sent - earlier["sent"], "ReviewsRejected": read - sent, "Requests": senders.requests}
        did |= {"Retries": senders.retries, "DurationSeconds": answer["invocation"]["seconds"]}
        metrics = [{"Name": name, "Unit": "Seconds" if name.endswith("Seconds") else "Count"} for name in did]
        about = {"Namespace": "ReviewProducer", "Dimensions": [["Stream"]], "Metrics": metrics}
        embedded = {"Timestamp": wall_ms(), "CloudWatchMetrics": [about]}
        self._write_log(json.dumps({"_aws": embedded, "Stream": settings.stream, **did}))
        return answer

    def _finished(self, read: int, sent: int) -> dict[str, int]:
        """Count this run with those that ended before it on the stream."""
        before, this = self.state.content.get("finished", {}), {"runs": 1, "read": read, "sent": sent}
        return {name: before.get(name, 0) + count for name, count in this.items()}

    def _input_error(self, read: int, sent: int) -> str | None:
        """Say what is wrong with the file as a whole, as far as it was read."""
        if self.settings.limit and read >= self.settings.limit:
            return None
        none = "none of its elements is a review, see rejected_reasons" if read else "it holds no review"
        problem = self.reader.problem or (None if sent or self.settings.finish else none)
        return problem and f"{self.name}: {problem}."

    def leave(self, error: BaseException) -> None:
        """Stop after a failure so that the next invocation can go on; whatever fails here must not hide the cause."""
        self.senders.halt()
        self._log("failed", error=str(error), type=type(error).__name__)
        try:
            if not isinstance(error, LeaseLost):
                self.state.release()
        except StateError as second:
            self._log("state not saved", error=str(second))

    def _log(self, event: str, **fields: Any) -> None:
        """Write one line, never a review's text. CloudWatch Logs Insights finds the fields by name."""
        common = {"stream": self.settings.stream, "run": self.cursor["run"], "invocation": self.cursor["invocations"]}
        self._write_log(json.dumps({"event": event, **common, **fields}))

    def _rejected_prefix(self) -> str:
        return f"rejected/{self.settings.stream}/run-{self.cursor['run']:04d}/"


def _start(next_event_time: str | None, unfinished: dict[str, Any], settings: Settings) -> tuple[int, int]:
    """Return (first event time with the clock "replay", offset with "now"), beyond all that may have been sent."""
    earliest = ms_of(next_event_time) if next_event_time else 0
    if unfinished:  # how far that run got behind its cursor before it was killed is not known, but bounded
        identity = unfinished["identity"]
        last = replay_ms(unfinished["start_ms"], Fraction(identity["rate"]), unfinished["sent"] + SAVE_REVIEWS)
        if identity["clock"] == "now":
            last = wall_ms() + unfinished["offset_ms"]
        earliest = max(earliest, marker_ms(last, identity["window_seconds"], identity["watermark_delay_seconds"]))
    start = align_up(earliest or ms_of(FIRST_START), settings.window_seconds)
    return start, max(0, start - wall_ms()) if earliest else 0


def _peak_memory_mb() -> float | None:
    """Return the most memory this process has had resident, in MB of 10^6 bytes, where Linux says it."""
    status = Path("/proc/self/status")  # not getrusage: after fork and exec that still counts the parent's memory
    return round(int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024 / 1e6, 1) if status.exists() else None
