"""What an unfinished run needs to go on: kept in the state object, moved forward as records are known to be written."""

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from rejected_reviews import RejectedReviews


@dataclass
class RunCursor:
    """One run from its first invocation to its last. Counts are those of the reviews before the cursor.

    ``byte_offset`` is a place in the decompressed object where reading can begin, ``read_at_offset`` the number of the
    element that begins there; the elements from there to ``read`` are done already and skipped.
    """

    run: int
    identity: dict[str, Any]
    etag: str
    size: int
    gzip: bool
    format: str
    start_ms: int  # of event time, clock "replay"
    offset_ms: int  # event time less wall clock, clock "now"
    byte_offset: int = 0
    read_at_offset: int = 0
    read: int = 0
    sent: int = 0
    rejected_reasons: dict[str, int] = field(default_factory=dict)
    per_shard: dict[str, int] = field(default_factory=dict)
    first_ms: int | None = None
    last_ms: int | None = None
    requests: int = 0
    retries: int = 0
    throttled: int = 0
    disorder_ms: int = 0
    seconds: float = 0.0
    invocations: int = 0

    def as_json(self) -> dict[str, Any]:
        """For the state object."""
        return asdict(self)


class CursorMover:
    """Moves a cursor to the first review that is not known to be written.

    Lanes finish out of step, so what is needed about the reviews in between (their shards, where segments begin) waits
    here until the slowest lane has passed; the lanes' memory budget bounds that.
    """

    def __init__(self, cursor: RunCursor, rejected: RejectedReviews) -> None:
        self.cursor, self.rejected = cursor, rejected
        self._shards: deque[str] = deque()  # of the sent reviews from cursor.sent on
        self._segments: deque[tuple[int, int]] = deque([(cursor.byte_offset, cursor.read_at_offset)])

    def segment(self, byte_offset: int, read: int) -> None:
        """A segment begins at this byte with this element. The first of all stands for the object's beginning."""
        self._segments.append((byte_offset if read else 0, read))

    def sent_to(self, shard_id: str) -> None:
        """The next review was handed to this shard's lane."""
        self._shards.append(shard_id)

    def move(self, written: int, moved: dict[int, str], time_of: Callable[[int], int | None]) -> None:
        """The first ``written`` good reviews are on the stream; ``moved`` corrects the shards of some of them."""
        cursor, rejected = self.cursor, self.rejected
        rejected.pass_cursor(written)
        per_shard = cursor.per_shard
        for index in range(cursor.sent, written):
            shard_id = self._shards.popleft()
            if moved:
                shard_id = moved.pop(index, shard_id)
            per_shard[shard_id] = per_shard.get(shard_id, 0) + 1
        cursor.sent = written
        cursor.rejected_reasons = dict(rejected.counts)
        cursor.read = written + rejected.total
        while len(self._segments) > 1 and self._segments[1][1] <= cursor.read:
            self._segments.popleft()
        cursor.byte_offset, cursor.read_at_offset = self._segments[0]
        if written:
            cursor.first_ms = time_of(0) if cursor.first_ms is None else cursor.first_ms
            cursor.last_ms = time_of(written - 1)
