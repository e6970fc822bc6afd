"""A class is graded unattended: how long each submission takes, and whether memory grows from the first to the last.

    python -m benchmarks.grading [--submissions 50] [--jobs 1] [--keep FOLDER]

By hand only: fifty take about 40 minutes. Of ten submissions six are complete, two are blank, one exits and hangs, and
one only says that it is right. Memory is the resident size of everything the grader started, summed twice a second, so
what is shared between processes counts in each of them. What everyone scores is verified: a wrong score ends the
benchmark.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.rows import Row, arguments, ratio_row, report, row
from tests.support import hostile
from tests.support.account import PROJECT

# (name, how it is made, whether it scores everything (True) or nothing (False); None: something between)
TEN: list[tuple[str, Callable[[Path], Path], bool | None]] = [
    ("complete-1", hostile.honest, True),
    ("complete-2", hostile.honest, True),
    ("blank-1", hostile.blank, None),
    ("complete-3", hostile.honest, True),
    ("breaker", hostile.breaker, False),
    ("complete-4", hostile.honest, True),
    ("blank-2", hostile.blank, None),
    ("complete-5", hostile.honest, True),
    ("forger", hostile.forger, False),
    ("complete-6", hostile.honest, True),
]


class WrongScore(RuntimeError):
    """A submission did not get what it deserves: the time says nothing."""


def hand_in(folder: Path, count: int) -> dict[str, bool | None]:
    """``count`` submissions in the order of their names; what each deserves."""
    deserved = {}
    for number in range(count):
        kind, make, what = TEN[number % len(TEN)]
        name = f"{number:03d}-{kind}"
        make(folder / name)
        deserved[name] = what
    return deserved


def resident(process: psutil.Process) -> int:
    """Bytes of a process and of all it started."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += one.memory_info().rss
    return total


def grade(submissions: Path, out: Path, jobs: int) -> list[tuple[float, int]]:
    """Grade everyone; (seconds since the start, bytes resident), twice a second."""
    command = [sys.executable, "-m", "lab", "grade", str(submissions), "--out", str(out), "--jobs", str(jobs)]
    began, seen = time.monotonic(), []
    with subprocess.Popen(command, cwd=PROJECT) as grader:
        watched = psutil.Process(grader.pid)
        while True:
            try:
                grader.wait(0.5)
                break
            except subprocess.TimeoutExpired:
                seen.append((time.monotonic() - began, resident(watched)))
    if grader.returncode:
        raise WrongScore(f"The grader ended with exit code {grader.returncode}.")
    return seen


def verify(out: Path, deserved: dict[str, bool | None]) -> list[tuple[str, float]]:
    """(name, seconds) of everyone, in order. Raises WrongScore."""
    took = []
    for name, what in deserved.items():
        result = json.loads((out / name / "results.json").read_text())
        score, most = result["score"], result["extra_data"]["max_score"]
        if (what is True and score != most) or (what is False and score) or (what is None and not 0 < score < most):
            raise WrongScore(f"{name} got {score} of {most} points.")
        took.append((name, float(result["execution_time"])))
    return took


def measure(count: int, jobs: int, folder: Path) -> list[Row]:
    """All rows. Memory's growth is the last fifth of the time over the first."""
    deserved = hand_in(folder / "submissions", count)
    seen = grade(folder / "submissions", folder / "results", jobs)
    took = verify(folder / "results", deserved)
    whole = seen[-1][0]
    first = [size / 1e6 for moment, size in seen if moment < whole / 5]
    last = [size / 1e6 for moment, size in seen if moment > whole * 4 / 5]
    rows = [
        row("grading_submissions", [float(count)], f"graded, {jobs} at a time"),
        row("grading_seconds", [seconds for _, seconds in took], "s", 60),
        row("grading_total_seconds", [whole], "s"),
        row("grading_peak_mb", [max(size for _, size in seen) / 1e6], "MB"),
        ratio_row("grading_memory_growth", [max(last)], [max(first)], "the first fifth's peak", 1.1),
    ]
    for kind in ("complete", "blank", "breaker", "forger"):
        seconds = [one for name, one in took if name.split("-")[1] == kind]
        rows += [row(f"grading_seconds_{kind}", seconds, "s")] if seconds else []
    return rows


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--submissions", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="an empty folder for submissions and results")
    options = parser.parse_args()
    count = 4 if options.quick else options.submissions
    with tempfile.TemporaryDirectory() as scratch:
        return report(measure(count, options.jobs, options.keep or Path(scratch)), options.out)


if __name__ == "__main__":
    sys.exit(main())
