"""Logs: one JSON object a line, never a review's text; and the summary as a CloudWatch metric."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any


def _print(line: str) -> None:
    # One write: lines of several threads do not mix.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class RunLog:
    """Lines with what they have in common: stream, run and invocation."""

    def __init__(self, write: Callable[[str], None] = _print, **common: Any) -> None:
        self._write, self._common = write, common
        self._last_progress = 0.0

    def line(self, event: str, **fields: Any) -> None:
        """One line. CloudWatch Logs Insights finds the fields by name."""
        self._write(json.dumps({"event": event, **self._common, **fields}))

    def progress(self, now: float, fields: Callable[[], dict[str, Any]]) -> None:
        """A line about the batches so far, at most once a second of ``now``."""
        if now - self._last_progress >= 1.0:
            self._last_progress = now
            self.line("batch", **fields())

    def metrics(self, stream: str, counts: dict[str, float]) -> None:
        """The summary in CloudWatch's embedded metric format: Logs turns the line into metrics by itself."""
        units = {name: "Seconds" if name.endswith("Seconds") else "Count" for name in counts}
        self._write(
            json.dumps(
                {
                    "_aws": {
                        "Timestamp": int(time.time() * 1000),
                        "CloudWatchMetrics": [
                            {
                                "Namespace": "ReviewProducer",
                                "Dimensions": [["Stream"]],
                                "Metrics": [{"Name": name, "Unit": unit} for name, unit in units.items()],
                            }
                        ],
                    },
                    "Stream": stream,
                    **counts,
                }
            )
        )


def peak_memory_mb() -> float:
    """The most memory this process has had resident, in MB of 10^6 bytes."""
    try:
        # Not getrusage: after fork and exec that still counts the parent's memory.
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123
            kib = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        return round(kib * 1024 / 1e6, 1)
    except (OSError, StopIteration):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return round((most if sys.platform == "darwin" else most * 1024) / 1e6, 1)
