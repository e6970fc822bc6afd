"""Until Flink has written what it must: the last windows close a moment after the last event."""

import time

from lab.compare import KEY
from lab.records import Output
from lab.reference import Reference
from lab.streams import Position, read_stream, read_windows


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
