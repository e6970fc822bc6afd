"""The test event of the function: known settings with the lab's defaults, everything else refused."""

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from producer_errors import BadEvent

# Slower than one review in 1,000 s or faster than 1,000 a millisecond says nothing about windows, and far outside these
# bounds the simulated time leaves the calendar.
MIN_RATE, MAX_RATE = Fraction(1, 1000), Fraction(1_000_000)


@dataclass(frozen=True)
class Settings:
    """One invocation's settings.

    ``rate`` is exact: the decimal that was written in the event, as a fraction of reviews a second of event time.
    ``pace`` is in reviews a second of real time (None: as fast as the stream takes them).
    """

    bucket: str
    key: str
    stream: str
    state_bucket: str
    clock: str
    rate: Fraction
    limit: int | None
    end_markers: bool
    pace: float | None
    window_seconds: int
    watermark_delay_seconds: int
    stop_before_seconds: float
    stop_after_seconds: float | None
    strict_order: bool
    restart: bool
    finish: bool

    def identity(self) -> dict[str, Any]:
        """What must be the same for an invocation to go on with an unfinished run instead of starting a new one."""
        return {
            "bucket": self.bucket,
            "key": self.key,
            "clock": self.clock,
            "rate": str(self.rate),
            "limit": self.limit,
            "end_markers": self.end_markers,
            "window_seconds": self.window_seconds,
            "watermark_delay_seconds": self.watermark_delay_seconds,
        }


def _refuse(name: str, value: Any, wanted: str) -> BadEvent:
    return BadEvent(f"The event's setting '{name}' is {value!r}: give {wanted}, or leave it out for the default.")


def _text(pattern: str, wanted: str) -> Callable[[str, Any], str]:
    compiled = re.compile(pattern)

    def parse(name: str, value: Any) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise _refuse(name, value, wanted)
        return value

    return parse


def _whole(minimum: int, optional: bool = False) -> Callable[[str, Any], int | None]:
    def parse(name: str, value: Any) -> int | None:
        if value is None and optional:
            return None
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole or value < minimum:
            raise _refuse(name, value, f"a whole number of {minimum} or more" + (" or null" if optional else ""))
        return int(value)

    return parse


def _number(minimum: float, maximum: float, optional: bool = False) -> Callable[[str, Any], float | None]:
    def parse(name: str, value: Any) -> float | None:
        if value is None and optional:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise _refuse(name, value, "a number")
        if not minimum <= value <= maximum:
            raise _refuse(name, value, f"a number from {minimum:g} to {maximum:g}" + (" or null" if optional else ""))
        return value

    return parse


def _rate(name: str, value: Any) -> Fraction:
    # str() first: 0.1 in the event means one tenth, not the nearest binary fraction of it.
    return Fraction(str(_number(float(MIN_RATE), float(MAX_RATE))(name, value)))


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refuse(name, value, "true or false")
    return value


def _choice(*options: str) -> Callable[[str, Any], str]:
    def parse(name: str, value: Any) -> str:
        if value not in options:
            raise _refuse(name, value, " or ".join(f'"{option}"' for option in options))
        return value

    return parse


_BUCKET = _text(r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]", "the name of an S3 bucket")
# name -> (parser, default); None as a default of the two buckets: the account's landing zone.
_KNOWN: dict[str, tuple[Callable[[str, Any], Any], Any]] = {
    "bucket": (_BUCKET, None),
    "key": (_text(r"[^\x00]{1,1024}", "the key of an S3 object"), "sample.json"),
    "stream": (_text(r"[a-zA-Z0-9_.\-]{1,128}", "the name of a Kinesis stream"), "reviews"),
    "state_bucket": (_BUCKET, None),
    "clock": (_choice("replay", "now"), "replay"),
    "rate": (_rate, 10.0),
    "limit": (_whole(1, optional=True), None),
    "end_markers": (_flag, True),
    "pace": (_number(0.001, 1_000_000, optional=True), None),
    "window_seconds": (_whole(1), 60),
    "watermark_delay_seconds": (_whole(0), 5),
    "stop_before_seconds": (_number(1, 600), 10.0),
    "stop_after_seconds": (_number(0.1, 900, optional=True), None),
    "strict_order": (_flag, False),
    "restart": (_flag, False),
    "finish": (_flag, False),
}


def settings_of(event: Any, landing_zone: Callable[[], str]) -> Settings:
    """Check an event and fill in the defaults; ``landing_zone`` gives the account's bucket, asked for only if needed.

    Raises BadEvent for an unknown name (with the nearest known one) or an impossible value.
    """
    if event is None:
        event = {}
    if not isinstance(event, Mapping):
        raise BadEvent(f"The event is a {type(event).__name__}, not an object of settings: send {{}} for the defaults.")
    for name in event:
        if name not in _KNOWN:
            near = difflib.get_close_matches(str(name), _KNOWN, n=1)
            hint = f"did you mean '{near[0]}'?" if near else "the settings are " + ", ".join(_KNOWN) + "."
            raise BadEvent(f"The event holds an unknown setting '{name}'; send {{}} for the lab's defaults; {hint}")
    values: dict[str, Any] = {}
    for name, (parse, default) in _KNOWN.items():
        if default is None and parse is _BUCKET and event.get(name) is None:
            values[name] = landing_zone()
        else:
            values[name] = parse(name, event.get(name, default))
    return Settings(**values)
