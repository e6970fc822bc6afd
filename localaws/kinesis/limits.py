"""Keep to the limits of a shard, for an account that is as strict as AWS (``up --strict``).

Figures of the Kinesis Data Streams developer guide, "Quotas and limits": writes up to 1,000 records and 1 MB a second
(partition keys included), 5 GetRecords and 5 GetShardIterator a second, reads up to 2 MB a second. A bucket holds what
one second allows and fills steadily. A GetRecords that reads more than its bucket holds is answered, and the shard
then refuses reads for as long as that many bytes take: 10 MB close it for 5 seconds, as the API reference says.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from localaws.kinesis.shards import Shard

RECORDS_PER_SECOND = 1_000
WRITE_BYTES_PER_SECOND = 1 << 20
READS_PER_SECOND = 5
READ_BYTES_PER_SECOND = 2 << 20


@dataclass
class Bucket:
    """Describe a token bucket that holds one second's worth."""

    rate: float
    level: float
    filled_at: float

    @classmethod
    def full(cls, rate: float, now: float) -> "Bucket":
        return cls(rate, rate, now)

    def holds(self, amount: float, now: float) -> bool:
        """Fill up to ``now``; whether ``amount`` could be taken. More than a full bucket is taken from a full one."""
        self.level = min(self.rate, self.level + max(0.0, now - self.filled_at) * self.rate)
        self.filled_at = max(now, self.filled_at)
        return self.level >= min(amount, self.rate)

    def take(self, amount: float) -> None:
        self.level -= amount


@dataclass
class _ShardLimits:
    records: Bucket
    written: Bucket
    gets: Bucket
    iterators: Bucket
    read: Bucket
    read_closed_until: float = 0.0


@dataclass
class StrictLimits:
    """Refuse what is above a shard's limits; ``clock`` gives seconds and never goes back."""

    clock: Callable[[], float] = time.monotonic
    refused: dict[str, int] = field(default_factory=lambda: {"put": 0, "get": 0, "iterator": 0})

    def admits_put(self, shard: Shard, size: int, now: float) -> bool:
        """Say whether one more record of ``size`` bytes may be written; if so it is counted.

        ``now`` is the clock's time of the call, the same for all its records: no bucket fills while it is answered.
        """
        limits = self._of(shard)
        if limits.records.holds(1, now) and limits.written.holds(size, now):
            limits.records.take(1)
            limits.written.take(size)
            return True
        self.refused["put"] += 1
        return False

    def admits_get(self, shard: Shard) -> bool:
        """Say whether one more GetRecords may be answered now; if so it is counted."""
        now, limits = self.clock(), self._of(shard)
        if now >= limits.read_closed_until and limits.gets.holds(1, now):
            limits.gets.take(1)
            return True
        self.refused["get"] += 1
        return False

    def admits_iterator(self, shard: Shard) -> bool:
        now, limits = self.clock(), self._of(shard)
        if limits.iterators.holds(1, now):
            limits.iterators.take(1)
            return True
        self.refused["iterator"] += 1
        return False

    def count_read(self, shard: Shard, size: int) -> None:
        """Note that ``size`` bytes were read just now."""
        now, limits = self.clock(), self._of(shard)
        limits.read.holds(size, now)
        if size > READ_BYTES_PER_SECOND:  # what had been saved up does not shorten what the reference promises
            limits.read.level = 0.0
        limits.read.take(size)
        limits.read_closed_until = now + max(0.0, -limits.read.level) / READ_BYTES_PER_SECOND

    def _of(self, shard: Shard) -> _ShardLimits:
        limits = shard.get("limits")
        if limits is None:
            now = self.clock()
            limits = _ShardLimits(
                records=Bucket.full(RECORDS_PER_SECOND, now),
                written=Bucket.full(WRITE_BYTES_PER_SECOND, now),
                gets=Bucket.full(READS_PER_SECOND, now),
                iterators=Bucket.full(READS_PER_SECOND, now),
                read=Bucket.full(READ_BYTES_PER_SECOND, now),
            )
            shard["limits"] = limits
        return limits
