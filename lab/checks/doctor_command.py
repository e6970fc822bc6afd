"""Run `lab.diagnose` from the command line (`python -m lab doctor`). Exit code 0 where nothing is wrong, else 1."""

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from lab.core import session
from lab.core.errors import LabError

if TYPE_CHECKING:  # pandas, which `python -m lab --help` need not wait for
    from lab.checks.diagnosis import Diagnosis


def add_parser(commands: Any) -> None:
    """Add `doctor` to the subcommands of `python -m lab`."""
    parser = commands.add_parser(
        "doctor",
        help="why is my output empty? names the first thing that is wrong",
        description="Walks the pipeline from the landing zone to the last window and names the first thing that is "
        "wrong, with the next step. With --target aws it first looks whether the lab can work in the account at all. "
        "Reads only. Exit code 0 when nothing is wrong.",
    )
    parser.add_argument("--target", choices=("local", "aws"), default="local", help="the account to look at")
    parser.add_argument("--region", default=os.environ.get("AWS_DEFAULT_REGION", "us-east-1"), help="AWS region")
    parser.set_defaults(command=doctor_command)


def doctor_command(arguments: argparse.Namespace) -> int:
    """Do what `python -m lab doctor` asks; returns the exit code."""
    if arguments.target == "aws":
        ready, begun = _preflight(arguments.region)
        if not ready or not begun:
            return 0 if ready else 1
    found = examine(arguments.target, arguments.region)
    sys.stdout.write(found.text + "\n")
    return 1 if found.wrong else 0


def _preflight(region: str) -> tuple[bool, bool]:
    """Say row by row whether the lab can start on AWS; returns that, and whether it has begun there."""
    from lab.checks.preflight import UncheckedAccount, look_at

    account = UncheckedAccount(session.connect("aws", region))
    found = look_at(account)
    begun = not found.wrong and bool(account.found)
    next_step = "" if begun or found.wrong else "Nothing of it is there yet: begin with 01_streams.\n"
    sys.stdout.write(f"{found.text}\n{next_step}\n")
    return not found.wrong, begun


def examine(target: str, region: str) -> "Diagnosis":
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
