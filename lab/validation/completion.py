"""Until Flink has written what it must: the last windows close a moment after the last event."""

import time

import pandas as pd

from lab.flink.rest import Dashboard
from lab.streams.reading import Position, read_stream
from lab.streams.records import Output, read_windows
from lab.validation.comparison import KEY
from lab.validation.reference import Reference


def wait_for_windows(reference: Reference, position: Position, timeout: float = 60.0, quiet: float = 10.0) -> Output:
    """Read the output again until every window of the reference is in it, and return it.

    Gives up without an error after ``quiet`` seconds in which nothing new came, or ``timeout`` seconds in all: what is
    missing then is for the comparison to say. A window too many is seen as well: everything is read to the end.
    """
    expected = set(map(tuple, reference.windows[KEY].itertuples(index=False)))
    began = changed = time.monotonic()
    count = -1
    while True:
        output = read_windows(read_stream(position.output_stream, position))
        found = set(map(tuple, output.table[KEY].itertuples(index=False)))
        now = time.monotonic()
        if len(output.table) != count:
            count, changed = len(output.table), now
        if expected <= found or now - changed > quiet or now - began > timeout:
            return output
        time.sleep(0.5)


def wait_for_watermark(wanted: pd.Timestamp, timeout: float = 15.0) -> pd.Timestamp | None:
    """The watermark that reached the windows of the running job, once it is the wanted one or ``timeout`` is over.

    Flink's own metric, which its REST API renews every few seconds. None where no task has a watermark. Raises
    DashboardSilent.
    """
    dashboard = Dashboard.of_application()
    deadline = time.monotonic() + timeout
    while True:
        job = dashboard.running_job()
        found = dashboard.watermark(job["jid"]) if job else None
        if found == wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.5)
