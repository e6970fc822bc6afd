"""Wait until Flink has written what it must: the last windows close a moment after the last event."""

import time

import pandas as pd
from botocore.exceptions import BotoCoreError, ClientError

from lab.core.names import APPLICATION, GROUP_STREAM
from lab.flink.rest import Dashboard, DashboardSilent
from lab.streams.quiet_time import QuietTime
from lab.streams.reading import Position, read_stream
from lab.streams.records import Groups, Output, read_groups, read_windows
from lab.validation.comparison import KEY
from lab.validation.reference import Reference

_POLL = 0.5  # seconds


class _Progress:
    """Say whether the job of an application still gets further: rows it wrote, records it passed on, its watermark.

    A busy machine is waited for as long as it works. A job that fails again and again begins anew each time and so
    does not get further than it was.
    """

    def __init__(self, application: str, quiet: float, timeout: float) -> None:
        self._application, self._quiet = application, quiet
        self._timeout, self._silence, self._whole = timeout, QuietTime(), QuietTime()
        self._furthest = [-1, 0, 0]

    def goes_on(self, rows: int = 0) -> bool:
        """Return False after ``quiet`` seconds in which nothing of it grew, or ``timeout`` in all (QuietTime)."""
        furthest = [max(pair) for pair in zip((rows, *self._job()), self._furthest, strict=True)]
        if furthest != self._furthest:
            self._silence.news()
        self._furthest = furthest
        return self._silence.seconds() <= self._quiet and self._whole.seconds() <= self._timeout

    def _job(self) -> tuple[int, int]:
        """Return records the operators passed on, and the watermark in ns; zeros where no dashboard tells them."""
        try:
            dashboard = Dashboard.of_application(self._application)
            job = dashboard.running_job()
            if job is None:
                return 0, 0
            records = sum(vertex["metrics"]["write-records"] for vertex in dashboard.vertices(job["jid"]))
            watermark = dashboard.watermark(job["jid"])
        except (DashboardSilent, BotoCoreError, ClientError):
            return 0, 0  # on AWS the dashboard wants a browser; the rows alone tell the progress then
        return records, 0 if watermark is None else watermark.value


def wait_for_windows(reference: Reference, position: Position, timeout: float = 600.0, quiet: float = 10.0) -> Output:
    """Read the output again until every window of the reference is in it, and return it.

    Gives up without an error after ``quiet`` seconds in which no row came and the job got no further, or ``timeout``
    seconds in all: what is missing then is for the comparison to say. A window too many is seen as well: everything is
    read to the end.
    """
    expected = set(map(tuple, reference.windows[KEY].itertuples(index=False)))
    progress = _Progress(position.application, quiet, timeout)
    while True:
        output = read_windows(read_stream(position.output_stream, position))
        found = set(map(tuple, output.table[KEY].itertuples(index=False)))
        if expected <= found or not progress.goes_on(len(output.table)):
            return output
        time.sleep(_POLL)


def wait_for_groups(reference: Reference, timeout: float = 600.0, quiet: float = 10.0) -> Groups:
    """Read `suspicious_groups` again until the job has written what the reference's closed windows hold.

    Which groups those are only the application knows, so Flink is asked: its windows have closed as far as the
    reference's watermark, and what its sink took is in the stream. Where no dashboard tells that, as on AWS, it gives
    up ``quiet`` seconds after the last record. Returns at once where the job has no second sink.
    """
    progress = _Progress(APPLICATION, quiet, timeout)
    while True:
        raw = read_stream(GROUP_STREAM)  # before Flink is asked: what it took by then may be missing here, never more
        if _groups_are_there(raw, reference.watermark) or not progress.goes_on(len(raw)):
            return read_groups(raw)
        time.sleep(_POLL)


def _groups_are_there(raw: pd.DataFrame, watermark: pd.Timestamp) -> bool:
    try:
        dashboard = Dashboard.of_application()
        job = dashboard.running_job()
        if job is None:
            return False
        closed = dashboard.watermark(job["jid"]) == watermark
        taken = dashboard.records_taken(job["jid"], GROUP_STREAM)
    except (DashboardSilent, BotoCoreError, ClientError):
        return False
    if taken is None:
        return True
    since = pd.Timestamp(job["start-time"], unit="ms", tz="UTC")
    return closed and int((raw["arrival"] >= since).sum()) >= taken


def wait_for_watermark(wanted: pd.Timestamp, timeout: float = 600.0, quiet: float = 10.0) -> pd.Timestamp | None:
    """Wait until the running job's windows have the wanted watermark or the job gets no further; returns it.

    Flink's own metric, which its REST API renews every few seconds. None where no task has a watermark. Raises
    DashboardSilent.
    """
    dashboard = Dashboard.of_application()
    progress = _Progress(APPLICATION, quiet, timeout)
    while True:
        job = dashboard.running_job()
        found = dashboard.watermark(job["jid"]) if job else None
        if found == wanted or not progress.goes_on():
            return found
        time.sleep(_POLL)
