"""A class is graded unattended: what everyone scores, how long each takes, and whether memory grows.

    python -m benchmarks.grading [--submissions 60] [--jobs 1] [--busy 0] [--keep FOLDER]

By hand only: sixty take more than an hour. A class repeats twenty submissions: complete ones in twelve layouts, one in
odd notebooks, two blank ones, and five that deserve nothing or little. Memory is the resident size of everything the
grader started, summed twice a second, so what is shared between processes counts in each of them. What everyone scores
is verified: a wrong score ends the benchmark. `--busy` is how many processes burn a core beside the grading.
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
from grader.archives import archive_ending
from tests.support import hostile
from tests.support.account import PROJECT
from tests.support.layouts import LAYOUTS, files_of

Make = Callable[[Path, str], Path]


def _made(make: Callable[[Path], Path]) -> Make:
    return lambda folder, name: make(folder / name)


def _packed(layout: str) -> Make:
    """The complete work in a layout."""

    def make(folder: Path, name: str) -> Path:
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            files = files_of(hostile.honest(Path(scratch, "work")))
            made = LAYOUTS[layout](Path(scratch), files)
            return made.rename(folder / f"{name}{archive_ending(made.name) if made.is_file() else ''}")

    return make


def _file(ending: str, content: bytes) -> Make:
    def make(folder: Path, name: str) -> Path:
        (folder / f"{name}{ending}").write_bytes(content)
        return folder / f"{name}{ending}"

    return make


# (name, how it is made, whether it scores everything (True) or nothing (False); None: something between). In the order
# of a class, so that the first ten are of every kind.
TWENTY: list[tuple[str, Make, bool | None]] = [
    ("complete-folder", _packed("folder"), True),
    ("blank-1", _made(hostile.blank), None),
    ("complete-windows", _packed("windows"), True),
    ("odd", _made(hostile.odd), True),
    ("beside", _made(hostile.beside_the_driver), None),
    ("damaged", _file(".zip", b"PK\x03\x04 and no more"), False),
    ("complete-tar.gz", _packed("tar.gz"), True),
    ("forger", _made(hostile.forger), False),
    ("complete-folder-with-zip", _packed("folder-with-zip"), True),
    ("rar", _file(".rar", b"Rar!\x1a\x07"), False),
    ("breaker", _made(hostile.breaker), False),
    *((f"complete-{name}", _packed(name), True) for name in ("zip", "three-folders", "zip-in-zip", "tgz")),
    ("blank-2", _made(hostile.blank), None),
    *((f"complete-{name}", _packed(name), True) for name in ("tar.xz", "nbgrader", "flat", "apart")),
]


class WrongScore(RuntimeError):
    """A submission did not get what it deserves: the time says nothing."""


def hand_in(folder: Path, count: int) -> dict[str, bool | None]:
    """``count`` submissions in the order of their names; what each deserves."""
    folder.mkdir(parents=True)
    deserved = {}
    for number in range(count):
        kind, make, what = TWENTY[number % len(TWENTY)]
        name = f"{number:03d}-{kind}".replace(".", "-")
        make(folder, name)
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
    for kind in ("complete", "odd", "blank", "beside", "breaker", "forger"):
        seconds = [one for name, one in took if name.split("-")[1] == kind]
        rows += [row(f"grading_seconds_{kind}", seconds, "s")] if seconds else []
    return rows


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--submissions", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="an empty folder for submissions and results")
    parser.add_argument("--busy", type=int, default=0, help="processes that burn a core beside it")
    options = parser.parse_args()
    count = 4 if options.quick else options.submissions
    burning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(options.busy)]
    try:
        with tempfile.TemporaryDirectory() as scratch:
            return report(measure(count, options.jobs, options.keep or Path(scratch)), options.out)
    finally:
        for process in burning:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
