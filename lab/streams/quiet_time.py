"""Count how long nothing new came, on a clock that a busy machine slows down."""

import os
import time


class QuietTime:
    """Count the seconds since the last news. Where programs queue for the processors, a second counts as one's share.

    A job with a tenth of the processors needs ten times as long for its next row, so silence says less there. How many
    programs queue is the load average of the last minute, getloadavg(3).
    """

    def __init__(self) -> None:
        self.news()

    def news(self) -> None:
        """Begin to count anew."""
        self._seconds, self._last = 0.0, time.monotonic()

    def seconds(self) -> float:
        """Return the seconds since the last news, or since this clock was made."""
        now, processors = time.monotonic(), os.cpu_count() or 1
        self._seconds += (now - self._last) * min(1.0, processors / max(os.getloadavg()[0], 1e-9))
        self._last = now
        return self._seconds
