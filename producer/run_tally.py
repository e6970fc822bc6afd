"""What was sent, sent again and refused, second by second; shared by the lanes' threads."""

import threading
from collections.abc import Callable


class RunTally:
    """Counters of one invocation. ``clock`` gives steady seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.requests = 0  # PutRecords calls
        self.retries = 0  # records that had to be sent again
        self.throttled = 0  # of those: because the shard's limit was reached
        self.disorder_ms = 0  # most event time by which a record was overtaken by a later one of its shard
        self._landed: dict[int, list[int]] = {}
        self._clock, self._start = clock, clock()
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """Since the beginning of the invocation."""
        return self._clock() - self._start

    def request(self, landed: int, again: int, throttled: int = 0, disorder_ms: int = 0) -> None:
        """One PutRecords was answered (or broke): records written, records to send again."""
        with self._lock:
            self.requests += 1
            self.retries += again
            self.throttled += throttled
            self.disorder_ms = max(self.disorder_ms, disorder_ms)
            second = self._landed.setdefault(int(self.seconds), [0, 0])
            second[0] += landed
            second[1] += again

    def series(self) -> list[list[int]]:
        """[second of the invocation, records written in it, records sent again in it], only seconds with any."""
        with self._lock:
            return [[second, *counts] for second, counts in sorted(self._landed.items())]
