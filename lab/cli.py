"""Read the command line, `python -m lab run ...`, and do what it says.

Exit codes: 0 passed, 1 failed, 2 asked for something that cannot be run, 130 interrupted.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lab.account import clean_command, size_command
from lab.core import paths, session
from lab.core.errors import LabError, UsageError
from lab.exercises import release
from lab.runner import closing_lines, parameters

if TYPE_CHECKING:  # pandas, which `python -m lab --help` need not wait for
    from lab.checks.diagnosis import Diagnosis

COMMANDS = "flink_lab.commands"  # the entry points of packages above this one, such as the grader
NUMBERS = ("01", "02", "03", "04")
PASSED, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


class _Parser(argparse.ArgumentParser):
    """Say what is wrong in one sentence instead of printing the usage too."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{message[:1].upper()}{message[1:]}; `{self.prog} --help` lists what there is.\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all subcommands; each sets `command` to the function that does it."""
    parser = _Parser(prog="python -m lab", description="The workbook, unattended.")
    parser.add_argument("--version", action="version", version=f"flink-lab {version(release.NAME)}")
    commands = parser.add_subparsers(title="commands", metavar="")
    run = commands.add_parser(
        "run",
        help="execute notebooks 01 to 04 and give a verdict",
        description="Executes notebooks 01 to 04 and leaves report.html, results.json, junit.xml and the executed "
        "notebooks in runs/<run id>/ (and runs/latest). Exit code 0 only when every cell ran and every check passed.",
        epilog=_parameters_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.set_defaults(command=run_command)
    run.add_argument("--target", choices=("local", "aws"), help="the embedded account (default) or yours")
    run.add_argument(
        "-p", nargs=2, metavar=("NAME", "VALUE"), action="append", default=[], dest="given", help="set a parameter"
    )
    run.add_argument("-f", metavar="params.yaml", type=Path, dest="file", help="set parameters from a file; -p wins")
    run.add_argument("--out", metavar="DIR", type=Path, default=paths.ROOT / "runs", help="in place of runs/")
    run.add_argument("--down", action="store_true", help="stop the embedded account at the end, whatever happened")
    run.add_argument(
        "--cell-timeout", metavar="SECONDS", type=_seconds, default=600, help="longest a cell may take (default 600)"
    )
    run.add_argument("--notebooks", metavar="DIR", type=Path, help=argparse.SUPPRESS)
    size_command.add_parser(commands)
    release.add_parser(commands)
    doctor = commands.add_parser(
        "doctor",
        help="why is my output empty? names the first thing that is wrong",
        description="Walks the pipeline from the landing zone to the last window and names the first thing that is "
        "wrong, with the next step. With --target aws it first looks whether the lab can work in the account at all. "
        "Reads only. Exit code 0 when nothing is wrong.",
    )
    doctor.add_argument("--target", choices=("local", "aws"), default="local", help="the account to look at")
    doctor.add_argument("--region", default=os.environ.get("AWS_DEFAULT_REGION", "us-east-1"), help="AWS region")
    doctor.set_defaults(command=doctor_command)
    clean_command.add_parser(commands)
    for entry in entry_points(group=COMMANDS):
        entry.load()(commands)
    return parser


def _seconds(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of seconds of at least 1")
    return int(text)


def _parameters_help() -> str | None:
    """Return the parameters of the series for --help.

    None where the notebooks cannot be read, which a run then reports.
    """
    try:
        notebooks = parameters.find_series(paths.NOTEBOOKS)
        known = parameters.consistent({path.stem: parameters.declared(path) for path in notebooks})
    except LabError:
        return None
    lines = [f"  {p.name:<25}{p.type:<7}{p.default!r:<20}{p.help}" for p in known.values() if p.name != "run_id"]
    return "\n".join(["parameters:", *lines])


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit code."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if "command" not in arguments:
        parser.print_help()
        return PASSED
    try:
        return arguments.command(arguments)
    except LabError as error:
        print(error, file=sys.stderr)
        return USAGE if isinstance(error, UsageError) else FAILED


def run_command(arguments: argparse.Namespace) -> int:
    """Run `python -m lab run`."""
    from lab.runner import series
    from lab.runner.progress import Progress

    notebooks = parameters.find_series(arguments.notebooks or paths.NOTEBOOKS, () if arguments.notebooks else NUMBERS)
    from_file = parameters.read_yaml(arguments.file) if arguments.file else {}
    plan = series.plan(notebooks, from_file, arguments.given, arguments.target)
    local = plan.effective().get("target", "local") == "local"
    if arguments.down and not local:
        raise UsageError(
            "--down stops the embedded account, which target aws does not use: clean up with make clean-aws."
        )
    complaint = None
    with series.Signals().installed() as signals:
        try:
            run = series.open_run(arguments.out)
            result = series.run_series(plan, run, Progress(sys.stdout), signals, arguments.cell_timeout)
        finally:
            signals.hold()
            if arguments.down:
                complaint = closing_lines.stop_account()
        stopped = arguments.down and complaint is None
        status = session.local_status() if local and not stopped else None
        print(*closing_lines.last_lines(result, run, status, stopped), sep="\n", flush=True)
        if not local:
            print(closing_lines.still_running(str(plan.effective().get("region", "us-east-1"))), flush=True)
    for sentence in filter(None, (result.sentence, complaint)):
        print(sentence, file=sys.stderr)
    if signals.received:
        return INTERRUPTED
    return PASSED if result.passed and not complaint else FAILED


def doctor_command(arguments: argparse.Namespace) -> int:
    """Do what `python -m lab doctor` asks; returns the exit code."""
    if arguments.target == "aws":
        ready, begun = _preflight(arguments.region)
        if not ready or not begun:
            return 0 if ready else 1
    found = _examine(arguments.target, arguments.region)
    print(found.text)
    return 1 if found.wrong else 0


def _preflight(region: str) -> tuple[bool, bool]:
    """Say row by row whether the lab can start on AWS; returns that, and whether it has begun there."""
    from lab.checks.preflight import UncheckedAccount, look_at

    account = UncheckedAccount(session.connect("aws", region))
    found = look_at(account)
    begun = not found.wrong and bool(account.found)
    next_step = "" if begun or found.wrong else "Nothing of it is there yet: begin with 01_streams.\n"
    print(f"{found.text}\n{next_step}")
    return not found.wrong, begun


def _examine(target: str, region: str) -> "Diagnosis":
    """Diagnose the pipeline of the target. Does not start an embedded account that is not up."""
    from lab.checks.diagnosis import PROBES, Diagnosis, diagnose
    from lab.checks.probe import FAILED, Finding

    try:
        if target == "local" and session.local_status() is None:
            raise session.AccountNotReached(
                f"The embedded account does not answer at {session.local_endpoint()}: run 01_streams (or `python -m "
                "localaws up`), which starts it empty, then the notebooks after it."
            )
        return diagnose(session.connect(target, region))
    except LabError as error:
        return Diagnosis(((PROBES[0], Finding(FAILED, str(error))),))
