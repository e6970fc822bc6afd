"""Count the seconds in which the machine had a processor for a group of processes, as a clock for limits."""

import subprocess
import time
from collections.abc import Callable, Iterable

import psutil

from localaws.machine.processes import processor_seconds

_PERIOD = 1.0  # seconds between two readings of the processors


class OfferedTime:
    """Count seconds in which a processor was idle, or worked for ``processes``.

    On a quiet machine they pass as those of a watch do. Where other programs keep every processor busy, only the time
    counts that the processes were given. A limit in these seconds tells a start that hangs from one that is slow.
    """

    def __init__(self, processes: Callable[[], Iterable[subprocess.Popen[bytes]]]) -> None:
        self._processes = processes
        self._seconds = 0.0
        self._last = self._look()

    def seconds(self) -> float:
        """Return the seconds since the clock was made."""
        if time.monotonic() - self._last[0] >= _PERIOD:
            before, self._last = self._last, self._look()
            worked = sum(max(0.0, used - before[2].get(pid, 0.0)) for pid, used in self._last[2].items())
            idle = max(0.0, self._last[1] - before[1])
            self._seconds += min(self._last[0] - before[0], idle + worked)
        return self._seconds

    def _look(self) -> tuple[float, float, dict[int, float]]:
        """Read the time, the idle seconds of all processors, and the seconds each process has worked."""
        used = {process.pid: processor_seconds(process.pid) for process in self._processes()}
        return time.monotonic(), psutil.cpu_times().idle, used
