"""The beginning of an invocation: a new run or the unfinished one, and everything it needs opened."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from event_clock import FIRST_START, NowClock, ReplayClock, align_up, marker_ms, ms_of
from event_settings import Settings
from json_array import ArrayReader
from json_lines import LineReader
from kinesis_sink import KinesisSink
from object_source import ObjectSource, recognise
from review_record import is_reviewlike
from run_cursor import RunCursor
from shard_map import ShardMap


@dataclass(frozen=True)
class Surroundings:
    """What an invocation stands in.

    ``remaining`` gives the seconds until the time limit. ``limited``: the stream is known to have AWS's limits, so keep
    to them from the first request instead of finding out.
    """

    s3: Any
    kinesis: Any
    owner: str
    remaining: Callable[[], float]
    write_log: Callable[[str], None]
    limited: bool
    lease_seconds: float
    wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000


@dataclass(frozen=True)
class OpenRun:
    """A run that is ready to go on. ``abandoned``: the unfinished run that this one replaces, or None."""

    cursor: RunCursor
    source: ObjectSource
    reader: ArrayReader | LineReader
    shard_map: ShardMap
    clock: ReplayClock | NowClock
    abandoned: dict[str, int] | None


def open_run(content: dict[str, Any], settings: Settings, around: Surroundings, sink: KinesisSink) -> OpenRun:
    """Open what the state object's content and the event ask for; changes nothing. Raises SourceError or StreamError.

    The unfinished run goes on when the event is the same (``Settings.identity``) and does not ask for a new one.
    """
    unfinished = content.get("unfinished")
    source = ObjectSource(around.s3, settings.bucket, settings.key)
    abandoned = None
    if unfinished is not None and not settings.restart and unfinished["identity"] == settings.identity():
        cursor = RunCursor(**unfinished)
        cursor.invocations += 1
        offset = cursor.byte_offset
        chunks = source.open(offset, cursor.etag, cursor.gzip)
        if offset == 0:
            _, offset, chunks = recognise(chunks, source.name)
    else:
        if unfinished is not None:
            abandoned = {"run": unfinished["run"], "sent": unfinished["sent"]}
        chunks = source.open()
        kind, offset, chunks = recognise(chunks, source.name)
        start, ahead = _start(content.get("next_event_time"), unfinished, settings, around.wall_ms())
        cursor = RunCursor(
            run=content.get("run", 0) + 1,
            identity=settings.identity(),
            etag=source.etag,
            size=source.size,
            gzip=source.gzip,
            format=kind,
            start_ms=start,
            offset_ms=ahead,
            invocations=1,
        )
    shard_map = sink.shard_map()
    for shard in shard_map.shards:
        cursor.per_shard.setdefault(shard.shard_id, 0)
    clock = (
        ReplayClock(cursor.start_ms, settings.rate)
        if settings.clock == "replay"
        else NowClock(cursor.offset_ms, cursor.last_ms or 0, around.wall_ms)
    )
    return OpenRun(cursor, source, _reader(cursor, chunks, offset), shard_map, clock, abandoned)


def _reader(cursor: RunCursor, chunks: Iterator[bytes], offset: int) -> ArrayReader | LineReader:
    if cursor.format == "array":
        return ArrayReader(chunks, is_reviewlike, offset, inside=cursor.byte_offset > 0)
    return LineReader(chunks, offset)


def _start(
    next_event_time: str | None, unfinished: dict[str, Any] | None, settings: Settings, wall_ms: int
) -> tuple[int, int]:
    """(first event time with the clock "replay", offset with "now"), beyond all that may have been sent before."""
    window, delay = settings.window_seconds, settings.watermark_delay_seconds
    earliest = ms_of(next_event_time) if next_event_time else None
    if unfinished is not None and unfinished["identity"]["clock"] == "now":
        # How far that run got before it was killed is not known, but not beyond this moment.
        earliest = max(earliest or 0, marker_ms(wall_ms + unfinished["offset_ms"], window, delay))
    if earliest is None:
        return align_up(ms_of(FIRST_START), window), 0
    start = align_up(earliest, window)
    return start, max(0, start - wall_ms)
