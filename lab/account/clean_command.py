"""List what there is of the lab, ask, delete it and prove that it is gone (`python -m lab clean`).

Exit code 0 when nothing of the lab is left, 1 when something is, 2 where nobody can be asked and `--yes` is missing.
"""

import argparse
import os
import sys
from typing import Any

from lab.core import session
from lab.core.errors import UsageError


def add_parser(commands: Any) -> None:
    """Add `clean` to the subcommands."""
    parser = commands.add_parser(
        "clean",
        help="delete everything the lab made in an account",
        description="Lists what carries the lab's tag, asks, deletes it (the application first), waits, and looks "
        "again. What only bears one of the lab's names is never touched. Can be interrupted and repeated.",
    )
    parser.add_argument("--target", choices=("local", "aws"), default="local", help="the account to clean")
    parser.add_argument("--region", default=os.environ.get("AWS_DEFAULT_REGION", "us-east-1"), help="AWS region")
    parser.add_argument("--yes", action="store_true", help="delete without asking")
    parser.set_defaults(command=clean_command)


def clean_command(arguments: argparse.Namespace) -> int:
    """Run `python -m lab clean`."""
    from lab.account.cleanup import not_ours, table_of, wait_until_gone
    from lab.account.inventory import existing
    from lab.account.teardown import take_down
    from lab.core.tables import as_text

    if arguments.target == "local" and session.local_status() is None:
        _say(f"The embedded account does not answer at {session.local_endpoint()}: there is nothing to clean.")
        return 0
    account = session.connect(arguments.target, arguments.region)
    found = existing(account)
    _say(f"{account!r}\n{as_text(table_of(found)) if found else 'Nothing bears a name of the lab.'}")
    ours = [one for one in found if one.ours]
    if ours and not arguments.yes and not _agreed(len(ours)):
        _say("Nothing was deleted.")
        return 1
    take_down(account, ours, _say)
    left = wait_until_gone(account)
    _say(
        "\n".join(filter(None, [not_ours(left), f"Nothing of the lab is left in {account.account}, {account.region}."]))
    )
    return 0


def _agreed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(f"{count} resources would be deleted and nobody can be asked here: add --yes to delete them.")
    return input(f"Delete these {count} resources (those of the lab alone)? [y/N] ").strip().lower() in ("y", "yes")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
