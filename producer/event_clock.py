"""Event time: integer milliseconds since 1970 (UTC), the two clocks, and the end of a run in event time.

All arithmetic is on integers, so the i-th review has exactly one event time on every machine and in every invocation.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction

from producer_errors import BadEvent

FIRST_START = "2026-01-01T00:00:00.000"  # event time of the very first review with the replay clock


def iso(ms: int) -> str:
    """Milliseconds since the epoch as ISO-8601, UTC without offset, always three decimals."""
    seconds, rest = divmod(ms, 1000)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{rest:03d}"
    except (ValueError, OverflowError) as error:
        raise BadEvent(
            "The simulated time has left the calendar: start anew with a higher 'rate' on a fresh stream and state."
        ) from error


def ms_of(text: str) -> int:
    """The inverse of ``iso``."""
    whole, _, rest = text.partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    return seconds * 1000 + int(rest)


def iso_stamps() -> Callable[[int], str]:
    """``iso`` for a stream of nearby times: the calendar is worked out once a second of event time, not once a call."""
    second, prefix = -1, ""

    def stamp(ms: int) -> str:
        nonlocal second, prefix
        seconds, rest = divmod(ms, 1000)
        if seconds != second:
            second, prefix = seconds, iso(seconds * 1000)[:-3]
        return f"{prefix}{rest:03d}"

    return stamp


def align_up(ms: int, window_seconds: int) -> int:
    """The first multiple of the window size (from the epoch, as Flink aligns its windows) at or after ``ms``."""
    size = window_seconds * 1000
    return -(-ms // size) * size


def marker_ms(last_ms: int, window_seconds: int, watermark_delay_seconds: int) -> int:
    """Event time of the end markers of a run whose last review is at ``last_ms``.

    The last window that holds the review ends at most one window size later. Its result is due once the watermark
    (newest event time less the delay) has reached that end: the marker lies beyond both, on the next multiple of the
    size.
    """
    size = window_seconds * 1000
    return ((last_ms + size + watermark_delay_seconds * 1000) // size + 1) * size


class ReplayClock:
    """Event time of review i (0-based, counting sent ones) = start + i / rate, floored to the millisecond."""

    def __init__(self, start_ms: int, rate: Fraction) -> None:
        self.start_ms = start_ms
        self._numerator = rate.numerator
        self._scale = 1000 * rate.denominator

    def time_ms(self, index: int) -> int:
        """Milliseconds since the epoch; a pure function of the index."""
        return self.start_ms + index * self._scale // self._numerator


class NowClock:
    """Event time = wall clock + offset, never earlier than the one before."""

    def __init__(self, offset_ms: int, not_before_ms: int, wall_ms: Callable[[], int]) -> None:
        self.offset_ms = offset_ms
        self._last = not_before_ms
        self._wall_ms = wall_ms

    def time_ms(self, index: int) -> int:
        """Milliseconds since the epoch at this moment; the index does not matter."""
        self._last = max(self._last, self._wall_ms() + self.offset_ms)
        return self._last
