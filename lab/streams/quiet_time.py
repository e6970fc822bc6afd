"""Count how long nothing new came, on a clock that a busy machine slows down."""

import os
import time
from contextlib import suppress
from pathlib import Path

_LEAST = 1 / 6  # of a second: whatever others start, a wait for what does not come has its end


class QuietTime:
    """Count the seconds since the last news. Where programs queue for the processors, a second counts as one's share.

    A job with a third of a processor needs three times as long for its next row, so silence says less there.
    """

    def __init__(self) -> None:
        self.news()

    def news(self) -> None:
        """Begin to count anew."""
        self._seconds, self._last = 0.0, time.monotonic()

    def seconds(self) -> float:
        """Return the seconds since the last news, or since this clock was made; asked often, it is right."""
        now = time.monotonic()
        self._seconds += (now - self._last) * max(_LEAST, min(1.0, (os.cpu_count() or 1) / max(_queue(), 1)))
        self._last = now
        return self._seconds


def _queue() -> float:
    """Count the programs that run or wait for a processor: of this moment (proc(5)), elsewhere of the last minute."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/loadavg").read_text().split()[3].partition("/")[0])
    return os.getloadavg()[0]
