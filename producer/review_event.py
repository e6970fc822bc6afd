"""Make the event of a review: when it happens, and its record's data.

Event time is an integer, milliseconds since 1970 (UTC), so the i-th review has exactly one event time on every machine.
"""

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from event_settings import BadEvent
from review_reader import KEYS

FIRST_START = "2026-01-01T00:00:00.000"  # event time of the very first review with the replay clock
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - event times are written without an offset
_write_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def make_event(review: dict[str, Any], event_time: str) -> bytes:
    """Write a review's event: JSON with the nine keys of the review and ``event_time``, UTF-8."""
    event = {key: review[key] for key in KEYS}
    event["event_time"] = event_time
    try:
        return _write_json(event).encode()
    except UnicodeEncodeError:  # half a surrogate pair has no UTF-8 form: written as the escape that it came as
        return json.dumps(event, separators=(",", ":")).encode()


def iso(ms: int) -> str:
    """Write milliseconds since the epoch as ISO-8601, UTC without offset, three decimals."""
    try:
        return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")
    except OverflowError as error:
        raise BadEvent(
            "The simulated time has left the calendar: start anew with a higher 'rate' on a fresh stream and state."
        ) from error


def ms_of(text: str) -> int:
    """Read what ``iso`` wrote."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)


def wall_ms() -> int:
    """Return the wall clock."""
    return time.time_ns() // 1_000_000


def replay_ms(start_ms: int, rate: Fraction, index: int) -> int:
    """Compute the event time of the index-th sent review (from 0): start + index / rate, rounded down."""
    return start_ms + index * 1000 * rate.denominator // rate.numerator


def clock_of(
    name: str, rate: Fraction, start_ms: int, offset_ms: int, last_ms: int, wall: Callable[[], int] = wall_ms
) -> Callable[[int], int]:
    """Make a clock: event time of the index-th sent review. "now" is the wall clock, ahead, and never goes back."""

    def now_ms(index: int) -> int:
        nonlocal last_ms
        last_ms = max(last_ms, wall() + offset_ms)
        return last_ms

    return now_ms if name == "now" else lambda index: replay_ms(start_ms, rate, index)


def align_up(ms: int, window_seconds: int) -> int:
    """Round up to a multiple of the window size, from the epoch, as Flink aligns its windows."""
    size = window_seconds * 1000
    return -(-ms // size) * size


def marker_ms(last_ms: int, window_seconds: int, watermark_delay_seconds: int) -> int:
    """Return event time of the end markers of a run whose last review is at ``last_ms``.

    The last window that holds the review ends at most one window size later; its result is due once the watermark
    (newest event time less the delay) is there. The marker lies beyond both, on the next multiple of the size.
    """
    size = window_seconds * 1000
    return ((last_ms + size + watermark_delay_seconds * 1000) // size + 1) * size
