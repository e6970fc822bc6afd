"""One invocation: reviews from the source, through the lanes, to the answer."""

import json
import time
from collections.abc import Callable
from typing import Any

from event_clock import ReplayClock, iso, iso_stamps, marker_ms
from event_settings import Settings
from json_values import Malformed, Segment
from kinesis_sink import KinesisSink
from lane_governor import LaneGovernor
from producer_errors import BadEvent, LeaseLost, ProducerError
from rejected_reviews import MOST_WAITING, RejectedReviews
from review_record import MAX_RECORD_BYTES, defect, marker_payload, payload, wire_entry
from run_answer import answer_of, rejected_prefix
from run_cursor import CursorMover
from run_log import RunLog
from run_opening import Surroundings, open_run
from run_state import RunState, patience_for
from run_tally import RunTally
from shard_lanes import ShardLanes

SAVE_SECONDS = 2.0
# Event times are reserved in the state this many reviews ahead, so that even after a kill the next run knows a time
# that no record has reached.
RESERVE = 50_000
_TURN = 64  # reviews between two looks at the clock
_HALT_SECONDS = 4.0


class ProducerRun:
    """Use once: ``execute``."""

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        self.settings, self.around = settings, around
        self.state = RunState(around.s3, settings.state_bucket, settings.stream, around.owner, around.lease_seconds)
        self.sink = KinesisSink(around.kinesis, settings.stream)
        self.tally = RunTally(time.monotonic)
        self.stopping = False  # the time limit is near
        self.reshards = 0
        self.markers = 0
        self.marker_ms: int | None = None

    def execute(self) -> dict[str, Any]:
        """Do the invocation's work and return the answer. Raises ProducerError; the state then allows to go on."""
        settings, around = self.settings, self.around
        if around.remaining() <= settings.stop_before_seconds:
            raise BadEvent(
                f"The function's time limit leaves {around.remaining():.0f} s, but it is to stop "
                f"{settings.stop_before_seconds:g} s before the end: set its timeout to 5 minutes, or lower "
                "'stop_before_seconds'."
            )
        self.state.acquire(patience_for(around.remaining, around.lease_seconds), self._prepare)
        cursor = self.cursor
        self.log = RunLog(around.write_log, stream=settings.stream, run=cursor.run, invocation=cursor.invocations)
        shard_map = self.opened.shard_map
        self.log.line("start", key=settings.key, read=cursor.read, sent=cursor.sent, shards=len(shard_map.shards))
        self.lanes = ShardLanes(self.sink, shard_map, self.tally, self._governor, self.state.still_mine)
        try:
            complete = self._send_reviews()
            finished = self._drain() and complete and self._close_windows()
            self.lanes.halt(_HALT_SECONDS)
            return self._end(finished)
        except BaseException as error:
            self._leave(error)
            raise

    def _prepare(self, content: dict[str, Any]) -> dict[str, Any]:
        """Open the run and return the state object's content to begin with."""
        settings = self.settings
        self.opened = opened = open_run(content, settings, self.around, self.sink)
        self.cursor = cursor = opened.cursor
        self.clock = opened.clock
        prefix = rejected_prefix(settings.stream, cursor.run)
        rejected = RejectedReviews(prefix, self.state.put, cursor.rejected_reasons)
        self.mover = CursorMover(cursor, rejected)
        self.read, self.sent, self.last_ms = cursor.read, cursor.sent, cursor.last_ms  # handled; the cursor follows
        self._before = (cursor.requests, cursor.retries, cursor.throttled, cursor.seconds)
        self._sent_before, self._next_before = cursor.sent, content.get("next_event_time")
        self._next_save = time.monotonic() + SAVE_SECONDS
        self._stop_at = time.monotonic() + (settings.stop_after_seconds or float("inf"))
        return self._changes()

    def _governor(self) -> LaneGovernor:
        settings = self.settings
        return LaneGovernor(settings.watermark_delay_seconds * 1000, settings.strict_order, self.around.limited)

    # --- the work --------------------------------------------------------------------------------------------------

    def _send_reviews(self) -> bool:
        """Everything from the cursor to the end of the input or the limit; False when the time to stop came first."""
        limit, pace = self.settings.limit, self.settings.pace
        if self.settings.finish:
            return True
        position, done = self.cursor.read_at_offset, self.cursor.read
        stamp = iso_stamps()
        begun, first = time.monotonic(), self.sent
        for segment in self.opened.reader.segments():
            if segment.items:
                self.mover.segment(segment.offset, position)
            for at, value in enumerate(segment.items):
                if position < done:
                    position += 1
                    continue
                if position == limit:
                    return True
                if not self._send(value, stamp):
                    self._reject(value, segment, at)
                position += 1
                self.read = position
                if position % _TURN == 0:
                    self._turn()
                if pace:
                    self._wait_until(begun + (self.sent - first) / pace)
                if self.stopping:
                    return False
            self._turn()
            if self.stopping:
                return False
        return True

    def _send(self, review: Any, stamp: Callable[[int], str]) -> bool:
        """Put a review on its lane; False when it is not one that can be sent."""
        if defect(review) is not None:
            return False
        index = self.sent
        if index >= self._reserved:
            self._save()
        ms = self.clock.time_ms(index)
        data = payload(review, stamp(ms))
        key = review["review_id"]
        size = len(data) + (len(key) if key.isascii() else len(key.encode()))
        if size > MAX_RECORD_BYTES:
            return False
        lanes = self.lanes
        place = lanes.map.position(key)
        self.mover.sent_to(lanes.ids[place])
        room = lanes.put(place, index, ms, size, wire_entry(data, key))
        self.sent, self.last_ms = index + 1, ms
        if self.cursor.first_ms is None:
            self.cursor.first_ms = ms
        while not room:
            self._turn()
            room = self.stopping or lanes.wait_for_room(0.2)
        return True

    def _reject(self, value: Any, segment: Segment, at: int) -> None:
        reason = value.reason if isinstance(value, Malformed) else defect(value) or "over 1 MiB"
        offset, raw = segment.locate(at)
        rejected = self.mover.rejected
        rejected.add(self.read, self.sent, reason, offset, raw)
        if rejected.waiting_bytes > MOST_WAITING:
            self._drain()
            self._save()

    def _turn(self) -> None:
        """What has to happen now and then whatever else is going on."""
        if self.lanes.failure is not None:
            raise self.lanes.failure
        now = time.monotonic()
        if self.around.remaining() <= self.settings.stop_before_seconds or now >= self._stop_at:
            self.stopping = True
        if now >= self._next_save:
            self._save()
        self.log.progress(now, self._progress)
        if self.lanes.stale and not self.stopping:
            self._reshard()

    def _reshard(self) -> None:
        """The stream has other shards now: let everything under way land before keys change their lanes."""
        self.lanes.stale = False
        if self._drain():
            self.lanes.remap(self.sink.shard_map())
            self.reshards += 1
            self.log.line("resharded", shards=len(self.lanes.ids))

    def _progress(self) -> dict[str, Any]:
        tally = self.tally
        return {
            "read": self.read,
            "sent": self.sent,
            "requests": tally.requests,
            "retries": tally.retries,
            "throttled": tally.throttled,
            "rate": round((self.sent - self._sent_before) / max(tally.seconds, 0.001)),
            "shard_share": self.lanes.share(),
        }

    def _wait_until(self, moment: float) -> None:
        """Keep the pace: hand over what is there and wait, without missing a turn."""
        while not self.stopping and (left := moment - time.monotonic()) > 0:
            self.lanes.flush()
            time.sleep(min(left, 0.2))
            self._turn()

    def _drain(self) -> bool:
        """Wait until everything put so far is written; False when the time is up first.

        A clean stop may use half of its reserve for that, so that as little as possible is sent twice.
        """
        self.lanes.flush()
        while not self.lanes.wait_until_empty(0.2):
            self._turn()
            if self.around.remaining() <= self.settings.stop_before_seconds / 2:
                return False
        return True

    # --- the end ---------------------------------------------------------------------------------------------------

    def _close_windows(self) -> bool:
        """Send an end marker to every open shard, behind all reviews; False when the time is up first."""
        settings = self.settings
        if self.sent == 0:
            return True
        self.marker_ms = marker_ms(self.last_ms, settings.window_seconds, settings.watermark_delay_seconds)
        while settings.end_markers:
            reshards = self.reshards
            for place, shard in enumerate(self.lanes.map.shards):
                marker_id = f"end-marker-{shard.shard_id}-{self.cursor.run}"
                data = marker_payload(marker_id, iso(self.marker_ms))
                wire = wire_entry(data, marker_id, str(shard.starting_hash_key))
                self.lanes.put(place, self.sent, self.marker_ms, len(data) + len(marker_id), wire)
                self.markers += 1
            if not self._drain():
                return False
            if self.lanes.stale:
                self._reshard()
            if self.reshards == reshards:
                break  # otherwise there are new shards, which need theirs
        return True

    def _changes(self, finished: bool = False) -> dict[str, Any]:
        """What to write into the state object as of now."""
        cursor, settings = self.cursor, self.settings
        changes: dict[str, Any] = {"version": 1, "run": cursor.run}
        if finished:
            if self.marker_ms is not None:
                changes["next_event_time"] = iso(self.marker_ms)
            else:  # nothing was sent, no event time is used up
                changes["next_event_time"] = self._next_before
            return {**changes, "unfinished": None}
        self._reserved = self.sent + RESERVE
        last = self.clock.time_ms(self._reserved)
        after = marker_ms(last, settings.window_seconds, settings.watermark_delay_seconds)
        return {**changes, "next_event_time": iso(after), "unfinished": cursor.as_json()}

    def _move_cursor(self) -> None:
        written = self.lanes.oldest()
        # With the clock "now" only the newest time is known: it is exact when everything is written, else a bound.
        known = self.clock.time_ms if isinstance(self.clock, ReplayClock) else lambda index: self.last_ms
        self.mover.move(self.sent if written is None else written, self.lanes.moved, known)
        cursor, tally = self.cursor, self.tally
        requests, retries, throttled, seconds = self._before
        cursor.requests, cursor.retries = requests + tally.requests, retries + tally.retries
        cursor.throttled, cursor.seconds = throttled + tally.throttled, round(seconds + tally.seconds, 3)
        cursor.disorder_ms = max(cursor.disorder_ms, tally.disorder_ms)

    def _save(self) -> None:
        self._move_cursor()
        self.state.save(**self._changes())
        self._next_save = time.monotonic() + SAVE_SECONDS

    def _leave(self, error: BaseException) -> None:
        """Stop after a failure so that the next invocation can go on; whatever fails here must not hide the cause."""
        self.lanes.halt(_HALT_SECONDS)
        self.log.line("failed", error=str(error), type=type(error).__name__)
        try:
            if not isinstance(error, LeaseLost):
                self._move_cursor()
                self.state.release(**self._changes())
        except ProducerError as second:
            self.log.line("state not saved", error=str(second))
        finally:
            self.state.abandon()

    def _end(self, finished: bool) -> dict[str, Any]:
        settings, cursor, tally = self.settings, self.cursor, self.tally
        self._move_cursor()
        sent = cursor.sent - self._sent_before
        answer = answer_of(settings, self.opened, tally, finished, self.marker_ms, self.markers, sent)
        if finished:
            manifest = {name: value for name, value in answer.items() if name != "series"}
            manifest |= {"settings": cursor.identity, "etag": cursor.etag}
            key = f"state/{settings.stream}/runs/run-{cursor.run:04d}.json"
            self.state.put(key, json.dumps(manifest, indent=1).encode(), "application/json")
        self.state.release(**self._changes(finished))
        logged = ("done", "read", "sent", "rejected", "requests", "retries", "seconds", "peak_memory_mb", "series")
        self.log.line("end", **{name: answer[name] for name in logged})
        counts = {"ReviewsSent": sent, "ReviewsRejected": answer["rejected"], "Requests": tally.requests}
        self.log.metrics(settings.stream, {**counts, "Retries": tally.retries, "DurationSeconds": tally.seconds})
        return answer
