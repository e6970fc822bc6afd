"""Read the options of `python -m lab grade` and grade."""

import argparse
import io
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from lab.core.errors import LabError

PASSED, FAILED, INTERRUPTED = 0, 1, 130


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `grade` to `python -m lab`."""
    parser = commands.add_parser(
        "grade",
        help="grade what students handed in, each in an account of its own",
        description="Grades every folder and archive (zip, tar) in SUBMISSIONS. Each gets DIR/NAME/ with results.json "
        "(Gradescope's shape), report.html and the executed notebooks; DIR/grades.csv, grades.html and nbgrader.csv "
        "have everyone. "
        "Started again it goes on where it was.",
    )
    parser.set_defaults(command=grade_command)
    parser.add_argument("submissions", metavar="SUBMISSIONS", type=Path, help="the folder that holds them")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="where results go")
    parser.add_argument("--jobs", metavar="N", type=_count, default=1, help="how many side by side (default 1)")
    parser.add_argument(
        "--timeout",
        metavar="S",
        type=_count,
        default=240,
        help="longest anything of one submission may take without coming a step on, in seconds of a machine that has "
        "nothing else to do (default 240)",
    )
    parser.add_argument(
        "--cell-timeout",
        metavar="S",
        type=_count,
        default=120,
        help="longest one cell may take, likewise (default 120)",
    )
    parser.add_argument(
        "--disk", metavar="MIB", type=_count, default=1024, help="most one submission may write (default 1024 MiB)"
    )
    parser.add_argument(
        "--memory", metavar="MIB", type=_count, default=6144, help="most memory one may use (default 6144 MiB)"
    )


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def grade_command(arguments: argparse.Namespace) -> int:
    """Grade everyone; returns 0 when everyone was graded, whatever the points."""
    from grader.batch import Batch
    from grader.grade_table import CSV
    from grader.sandbox.limits import MIB, Limits
    from grader.submissions import find

    submissions = find(arguments.submissions, arguments.out)
    limits = Limits(
        timeout=arguments.timeout,
        cell_timeout=min(arguments.cell_timeout, arguments.timeout),
        disk=arguments.disk * MIB,
        memory=arguments.memory * MIB,
    )
    for stream in (sys.stdout, sys.stderr):  # the name of a submission may be nothing a terminal can show
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    out = arguments.out.absolute()
    try:
        rows = Batch(submissions, out, arguments.jobs, limits).run()
    except KeyboardInterrupt:
        print(f"Interrupted. The same command goes on where it was; {out / CSV} has those that are done.")  # noqa: T201
        return INTERRUPTED
    except OSError as error:
        raise LabError(
            f"{out} cannot be written ({error.strerror or error}): free space or choose another --out."
        ) from error
    missing = [row.name for row in rows if not row.results]
    print(f"{len(rows) - len(missing)} of {len(rows)} graded: {os.path.relpath(out / 'grades.html')}")  # noqa: T201
    return FAILED if missing else PASSED


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
