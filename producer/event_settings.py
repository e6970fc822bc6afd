"""Read the test event of the function: known settings with the lab's defaults, everything else refused."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Any


class ProducerError(Exception):
    """Be the root of the producer's errors; each message is one sentence with the next step."""


class BadEvent(ProducerError):
    """Say that the test event holds something that is not a setting, or a setting with an impossible value."""


def _text(default: str | None, pattern: str, wanted: str) -> Any:
    def fits(value: Any) -> bool:
        return isinstance(value, str) and re.fullmatch(pattern, value) is not None

    return field(default=default, metadata={"fits": fits, "wanted": wanted})


def _number(default: float | None, least: float, most: float, whole: bool = False) -> Any:
    def fits(value: Any) -> bool:
        number = isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
        return number and (not whole or value == int(value)) or value is default is None

    wanted = f"a {'whole ' if whole else ''}number from {least:g} to {most:,}"
    return field(default=default, metadata={"fits": fits, "wanted": wanted + (" or null" if default is None else "")})


def _flag(default: bool) -> Any:
    return field(default=default, metadata={"fits": lambda value: isinstance(value, bool), "wanted": "true or false"})


_MOST_SECONDS = 10**7  # 116 days: every run begins where the last one's windows ended, and the calendar ends in 9999
_BUCKET = r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]", "the name of an S3 bucket"


@dataclass(frozen=True)
class Settings:
    """Describe one invocation's settings, as README.md describes them.

    Buckets without a name are the account's landing zone.

    ``rate`` is exact: the decimal that was written in the event, as a fraction of reviews a second of event time.
    """

    bucket: str = _text(None, *_BUCKET)
    key: str = _text("sample.json", r"[^\x00\ud800-\udfff]{1,1024}", "the key of an S3 object")
    stream: str = _text("reviews", r"[a-zA-Z0-9_.\-]{1,128}", "the name of a Kinesis stream")
    state_bucket: str = _text(None, *_BUCKET)
    clock: str = _text("replay", "replay|now", '"replay" or "now"')
    rate: Fraction = _number(10.0, 0.001, 1_000_000)
    limit: int | None = _number(None, 1, 10**9, whole=True)
    end_markers: bool = _flag(True)
    pace: float | None = _number(None, 0.001, 1_000_000)
    window_seconds: int = _number(60, 1, _MOST_SECONDS, whole=True)
    watermark_delay_seconds: int = _number(5, 0, _MOST_SECONDS, whole=True)
    stop_before_seconds: float = _number(10.0, 1, 600)
    stop_after_seconds: float | None = _number(None, 0.1, 900)
    strict_order: bool = _flag(False)
    restart: bool = _flag(False)
    finish: bool = _flag(False)

    def identity(self) -> dict[str, Any]:
        """List what must be the same for an invocation to go on with an unfinished run."""
        names = ("bucket", "key", "clock", "limit", "end_markers", "window_seconds", "watermark_delay_seconds")
        return {name: getattr(self, name) for name in names} | {"rate": str(self.rate), "version": 2}


def settings_of(event: Any, landing_zone: Callable[[], str]) -> Settings:
    """Check an event and fill in the defaults; ``landing_zone`` gives the account's bucket, asked for only if needed.

    Raises BadEvent for an unknown name (with the nearest known one) or an impossible value.
    """
    event = {} if event is None else event
    if not isinstance(event, Mapping):
        raise BadEvent(f"The event is a {type(event).__name__}, not an object of settings: send {{}} for the defaults.")
    known = {one.name: one for one in fields(Settings)}
    for name in (name for name in event if name not in known):
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else "the settings are " + ", ".join(known) + "."
        raise BadEvent(f"The event holds an unknown setting '{name}'; send {{}} for the lab's defaults; {hint}")
    values = {name: event.get(name, one.default) for name, one in known.items()}
    for name, value in values.items():
        if value is None and name in ("bucket", "state_bucket"):
            value = values[name] = landing_zone()
        if not known[name].metadata["fits"](value):
            wanted = known[name].metadata["wanted"]
            raise BadEvent(f"The event's setting '{name}' is {value!r}: give {wanted}; leave it out for the default.")
    for name in ("limit", "window_seconds", "watermark_delay_seconds"):
        values[name] = values[name] and int(values[name])
    values["rate"] = Fraction(str(values["rate"]))  # 0.1 means one tenth, not the nearest binary fraction of it
    return Settings(**values)
