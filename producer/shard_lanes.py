"""One lane a shard: a thread that sends what is put on it, in order, one request at a time.

Records of one shard go out in the order they were put, and failed ones are sent again before anything new beyond the
spread that the governor allows. Lanes run beside each other, so that a slow shard holds up its own records only, until
the records waiting in all lanes together reach the memory budget.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from kinesis_sink import THROTTLED, KinesisSink, RequestFailed
from lane_governor import REQUEST_RECORDS, LaneGovernor
from producer_errors import StreamError
from run_tally import RunTally
from shard_map import ShardMap

BUDGET = 24 << 20  # bytes of ready-made entries waiting or under way
MOST_LANES = 64  # threads; with more shards than that, several share a lane
FIRST_PIECE = 50  # records handed to a lane at a time: small at first, so that the stream has work early
_PIECE_BYTES = 1 << 20
GIVE_UP_SECONDS = 60.0  # without a single record written
_BACKOFF, _BACKOFF_MOST = 0.02, 5.0


class Entry(NamedTuple):
    """A record on its way: its number among the sent ones, event time, size by Kinesis' count, wire form, shard."""

    index: int
    event_ms: int
    size: int
    wire: bytes
    shard_id: str


class _Lane:
    def __init__(self, governor: LaneGovernor, lock: threading.Lock) -> None:
        self.governor = governor
        self.work = threading.Condition(lock)
        self.open: list[Entry] = []  # the putting thread's; not yet handed over
        self.open_bytes = 0
        self.piece = FIRST_PIECE
        self.pending: deque[Entry] = deque()
        self.window: list[Entry] = []  # in the request under way, or failed and to be sent again
        self.thread: threading.Thread | None = None


class ShardLanes:
    """All lanes of a stream. Everything but the lanes' own threads is called from one thread."""

    def __init__(
        self,
        sink: KinesisSink,
        shard_map: ShardMap,
        tally: RunTally,
        governor: Callable[[], LaneGovernor],
        may_send: Callable[[], None] = lambda: None,
    ) -> None:
        """``governor`` makes one for each lane; ``may_send`` is asked before each request and raises to stop."""
        self.failure: BaseException | None = None
        self.stale = False  # a record went to another shard than the map said
        self.moved: dict[int, str] = {}  # index -> the shard it really went to
        self._sink, self._tally, self._governor, self._may_send = sink, tally, governor, may_send
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._bytes = 0
        self._halted = threading.Event()
        self._closing = False
        self._begin(shard_map)

    def _begin(self, shard_map: ShardMap) -> None:
        self.map = shard_map
        self.ids = [shard.shard_id for shard in shard_map.shards]
        lanes = [_Lane(self._governor(), self._lock) for _ in range(min(len(self.ids), MOST_LANES))]
        self._lanes = lanes
        self._lane_of = [lanes[position % len(lanes)] for position in range(len(self.ids))]
        for number, lane in enumerate(lanes):
            lane.thread = threading.Thread(target=self._run, args=(lane,), name=f"lane-{number}", daemon=True)
            lane.thread.start()

    def put(self, position: int, index: int, event_ms: int, size: int, wire: bytes) -> bool:
        """Add a record for the shard at this position of the map; False when the lanes hold as much as they may."""
        lane = self._lane_of[position]
        lane.open.append(Entry(index, event_ms, size, wire, self.ids[position]))
        lane.open_bytes += len(wire)
        if len(lane.open) >= lane.piece or lane.open_bytes >= _PIECE_BYTES:
            self._hand_over(lane)
            return self._bytes < BUDGET
        return True

    def _hand_over(self, lane: _Lane) -> None:
        if not lane.open:
            return
        with self._lock:
            lane.pending.extend(lane.open)
            self._bytes += lane.open_bytes
            lane.work.notify()
        lane.open, lane.open_bytes = [], 0
        lane.piece = min(2 * lane.piece, REQUEST_RECORDS)

    def flush(self) -> None:
        """Hand over what has been put so far."""
        for lane in self._lanes:
            self._hand_over(lane)

    def wait_for_room(self, seconds: float) -> bool:
        """Wait up to so long until a record may be put."""
        with self._lock:
            return self._room.wait_for(lambda: self._bytes < BUDGET or self.failure is not None, seconds)

    def wait_until_empty(self, seconds: float) -> bool:
        """Wait up to so long until everything handed over is written."""
        with self._lock:
            return self._room.wait_for(lambda: not self._bytes or self.failure is not None, seconds) and not self._bytes

    def oldest(self) -> int | None:
        """The smallest index that is not yet known to be written; None when all are."""
        with self._lock:
            heads = [
                queue[0].index for lane in self._lanes for queue in (lane.window, lane.pending, lane.open) if queue
            ]
        return min(heads, default=None)

    def share(self) -> float | None:
        """The smallest part of a shard's limit that a lane keeps to at the moment; None: none is limited."""
        known = [lane.governor.share for lane in self._lanes if lane.governor.share is not None]
        return min(known, default=None)

    def remap(self, shard_map: ShardMap) -> None:
        """Go on with other shards; only while empty, so that nothing of a key is overtaken."""
        self.close()
        self.stale = False
        self._closing = False
        self._begin(shard_map)

    def close(self) -> None:
        """End the threads when everything handed over is written."""
        with self._lock:
            self._closing = True
            for lane in self._lanes:
                lane.work.notify()
        for lane in self._lanes:
            lane.thread.join()

    def halt(self, seconds: float) -> None:
        """End the threads after the requests under way; what is not written then is left, see ``oldest``."""
        self._halted.set()
        with self._lock:
            for lane in self._lanes:
                lane.work.notify()
        until = time.monotonic() + seconds
        for lane in self._lanes:
            lane.thread.join(max(0.0, until - time.monotonic()))

    def _run(self, lane: _Lane) -> None:
        try:
            self._send_all(lane)
        except BaseException as error:  # the putting thread raises it again
            with self._lock:
                self.failure = self.failure or error
                self._room.notify_all()

    def _send_all(self, lane: _Lane) -> None:
        barren, since = 0, 0.0
        while self._fill(lane):
            if (pause := lane.governor.wait(time.monotonic())) > 0:
                self._halted.wait(pause)
                continue
            self._may_send()
            if barren == 0:
                since = time.monotonic()
            progress, why = self._request(lane)
            if progress:
                barren = 0
            elif time.monotonic() - since > GIVE_UP_SECONDS:
                raise StreamError(
                    f"The stream took no record of {lane.window[0].shard_id} for {GIVE_UP_SECONDS:.0f} s ({why}): look "
                    "at the stream, then invoke again with the same event, the run goes on where it stopped."
                )
            if lane.window:
                barren += not progress
                # Exponential backoff with full jitter; a request that got somewhere begins from the shortest again.
                self._halted.wait(random.uniform(0, min(_BACKOFF_MOST, _BACKOFF * 2**barren)))

    def _fill(self, lane: _Lane) -> bool:
        """Make up the next request: what failed, then new records as far as the governor allows. False: no more."""
        window, governor = lane.window, lane.governor
        with self._lock:
            while not window and not lane.pending and not self._closing and not self._halted.is_set():
                lane.work.wait()
            if self._halted.is_set() or not (window or lane.pending):
                return False
            most, room = governor.max_records - len(window), governor.max_bytes - sum(entry.size for entry in window)
            while len(window) > 1 and (most < 0 or room < 0):  # the limit has become narrower
                lane.pending.appendleft(window.pop())
                most, room = most + 1, room + lane.pending[0].size
            latest = (window or lane.pending)[0].event_ms + governor.span_ms
            while lane.pending and (not window or (most > 0 and lane.pending[0].size <= room)):
                if lane.pending[0].event_ms > latest:
                    break
                entry = lane.pending.popleft()
                window.append(entry)
                most, room = most - 1, room - entry.size
        return True

    def _request(self, lane: _Lane) -> tuple[int, str]:
        """Send the window; what was not written stays in it. Returns (records written, why others were not)."""
        window, governor = lane.window, lane.governor
        try:
            results = self._sink.send([entry.wire for entry in window])
        except RequestFailed as failed:
            throttled = failed.code in THROTTLED
            governor.failed(throttled, disordered=not throttled)
            self._tally.request(0, len(window), len(window) * throttled)
            return 0, failed.code
        failed: list[Entry] = []
        landed_bytes = landed_size = throttled = disorder = 0
        why = ""
        newest = None  # latest event time written so far, seen from the end of the request
        for entry, result in zip(reversed(window), reversed(results), strict=True):
            if code := result.get("ErrorCode"):
                why = code
                throttled += code in THROTTLED
                disorder = max(disorder, 0 if newest is None else newest - entry.event_ms)
                failed.append(entry)
                continue
            newest = entry.event_ms if newest is None else newest
            landed_bytes += len(entry.wire)
            landed_size += entry.size
            if result["ShardId"] != entry.shard_id:
                self.moved[entry.index] = result["ShardId"]
                self.stale = True
        landed = len(window) - len(failed)
        governor.landed(time.monotonic(), landed, landed_size)
        if failed:
            governor.failed(throttled > 0, disordered=disorder > 0 or throttled < len(failed))
        else:
            governor.clean()
        self._tally.request(landed, len(failed), throttled, disorder)
        with self._lock:
            lane.window = failed[::-1]
            self._bytes -= landed_bytes
            self._room.notify_all()
        return landed, why
