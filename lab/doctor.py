"""`python -m lab doctor`: `lab.diagnose` from the command line. Exit code 0 where nothing is wrong, 1 otherwise."""

import argparse
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from lab import session
from lab.errors import LabError

if TYPE_CHECKING:  # pandas, which `python -m lab --help` need not wait for
    from lab.diagnosis import Diagnosis

Look = Callable[[], str]
# Looks before the pipeline is walked: target -> functions of the region that give (place, look) pairs. What an account
# must have before the lab can be built in it (credentials, role, quotas) is added to its target's list.
FIRST_LOOKS: dict[str, list[Callable[[str], list[tuple[str, Look]]]]] = {"local": [], "aws": []}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `doctor` to the subcommands of `python -m lab`."""
    parser = commands.add_parser(
        "doctor",
        help="why is my output empty? names the first thing that is wrong",
        description="Walks the pipeline from the landing zone to the last window and names the first thing that is "
        "wrong, with the next step. Reads only. Exit code 0 when nothing is wrong.",
    )
    parser.add_argument("--target", choices=("local", "aws"), default="local", help="the account to look at")
    parser.add_argument("--region", default=os.environ.get("AWS_DEFAULT_REGION", "us-east-1"), help="AWS region")
    parser.set_defaults(command=doctor_command)


def doctor_command(arguments: argparse.Namespace) -> int:
    """`python -m lab doctor`."""
    found = examine(arguments.target, arguments.region)
    sys.stdout.write(found.text + "\n")
    return 1 if found.wrong else 0


def examine(target: str, region: str) -> "Diagnosis":
    """The first looks of the target, then the pipeline. Does not start an embedded account that is not up."""
    from lab.diagnosis import walk
    from lab.diagnosis_looks import Looks

    first = [look for make in FIRST_LOOKS[target] for look in make(region)]
    if target == "local" and session.local_status() is None:
        return walk([*first, ("account", _not_up)])
    try:
        looks = Looks(session.connect(target, region))
    except LabError as error:
        return walk([*first, ("account", _raising(error))])
    return walk([*first, *looks.in_order()])


def _not_up() -> str:
    raise session.AccountNotReached(
        f"The embedded account does not answer at {session.local_endpoint()}: run 01_streams (or `python -m localaws "
        "up`), which starts it empty, then the notebooks after it."
    )


def _raising(error: LabError) -> Look:
    def look() -> str:
        raise error

    return look
