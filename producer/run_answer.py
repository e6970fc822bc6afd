"""The answer of an invocation: the run's counts so far, and this invocation's own."""

from typing import Any

from event_clock import iso
from event_settings import Settings
from run_cursor import RunCursor
from run_log import peak_memory_mb
from run_opening import OpenRun
from run_tally import RunTally


def answer_of(
    settings: Settings, opened: OpenRun, tally: RunTally, finished: bool, marker_ms: int | None, markers: int, sent: int
) -> dict[str, Any]:
    """All keys are described in README.md; ``sent``: this invocation's reviews. read = sent + rejected, always."""
    cursor = opened.cursor
    rejected = cursor.read - cursor.sent
    return {
        "run": cursor.run,
        "done": finished,
        "read": cursor.read,
        "sent": cursor.sent,
        "rejected": rejected,
        "rejected_reasons": cursor.rejected_reasons,
        "rejected_key": rejected_prefix(settings.stream, cursor.run) if rejected else None,
        "input_error": _input_error(settings, opened) if finished else None,
        "first_event_time": None if cursor.first_ms is None else iso(cursor.first_ms),
        "last_event_time": None if cursor.last_ms is None else iso(cursor.last_ms),
        "clock_offset_seconds": cursor.offset_ms / 1000 if settings.clock == "now" else None,
        "markers": markers if finished else 0,
        "marker_event_time": iso(marker_ms) if finished and markers else None,
        "per_shard": cursor.per_shard,
        "requests": cursor.requests,
        "retries": cursor.retries,
        "throttled": cursor.throttled,
        "disorder_ms": cursor.disorder_ms,
        "seconds": cursor.seconds,
        "progress": 1.0 if finished else _progress(settings, cursor),
        "cursor": None if finished else _cursor(cursor),
        "invocation": {
            "number": cursor.invocations,
            "sent": sent,
            "seconds": round(tally.seconds, 3),
            "requests": tally.requests,
            "retries": tally.retries,
        },
        "series": tally.series(),
        "abandoned": opened.abandoned,
        "peak_memory_mb": peak_memory_mb(),
    }


def rejected_prefix(stream: str, run: int) -> str:
    """Where a run's rejected reviews are, in the bucket of the state."""
    return f"rejected/{stream}/run-{run:04d}/"


def _cursor(cursor: RunCursor) -> dict[str, int | None]:
    return {"read": cursor.read, "byte": cursor.byte_offset, "of_bytes": None if cursor.gzip else cursor.size}


def _progress(settings: Settings, cursor: RunCursor) -> float | None:
    """Share of the work that is done, or None where the size of the whole is not known (gzip)."""
    if settings.limit:
        return round(cursor.read / settings.limit, 4)
    return None if cursor.gzip else round(cursor.byte_offset / cursor.size, 4)


def _input_error(settings: Settings, opened: OpenRun) -> str | None:
    """What is wrong with the file as a whole, as far as it was read."""
    cursor = opened.cursor
    if settings.limit and cursor.read >= settings.limit:
        return None
    problem = opened.source.problem or opened.reader.problem
    if problem is None and cursor.read and not cursor.sent:
        problem = "none of its elements is a review, see rejected_reasons"
    return None if problem is None else f"{opened.source.name}: {problem}."
