"""Read the command line, ``python -m localaws up|down|status|logs``, and do what it says."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from localaws import control
from localaws.errors import AccountNotUp, LocalAwsError
from localaws.machine.account_folder import AccountFolder, default_home, default_port
from localaws.options import AccountOptions


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 if it did what was asked, 1 with a sentence on stderr if not."""
    options = _parser().parse_args(arguments)
    home = AccountFolder(options.home)
    try:
        return _COMMANDS[options.command](home, options)
    except LocalAwsError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m localaws", description="The embedded AWS account.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="up|down|status|logs")
    texts = {
        "up": "start the account in the background",
        "down": "stop it and everything it started",
        "status": "say whether it runs, and where the dashboards are",
        "logs": "show an application's logs, or the account's own",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--home", type=Path, default=default_home(), help="folder of the account's files")
        command.add_argument("--port", type=int, default=default_port(), help="port on 127.0.0.1 (default %(default)s)")
        if name == "up":
            AccountOptions.add_to(command)
        if name == "down":
            command.add_argument("--forget", action="store_true", help="remove applications and their snapshots too")
        if name == "status":
            command.add_argument("--json", action="store_true", help="for programs")
        if name == "logs":
            command.add_argument("application", nargs="?", help="name of an application")
    return parser


def _up(home: AccountFolder, options: argparse.Namespace) -> int:
    answer, fresh = control.up(home, options.port, AccountOptions.of(options))
    if options.role:
        from localaws.account import create_role

        create_role(answer["endpoint"], options.role)
    print(f"The embedded account {answer['account']} is {'up' if fresh else 'already up'} at {answer['endpoint']}.")
    for sentence in answer["damaged"]:
        print(sentence, file=sys.stderr)
    return 0


def _down(home: AccountFolder, options: argparse.Namespace) -> int:
    stopped = control.down(home, forget_applications=options.forget)
    print("The embedded account is down." if stopped else "The embedded account was not running.")
    if options.forget:
        print("Its applications and their snapshots are removed.")
    return 0


def _status(home: AccountFolder, options: argparse.Namespace) -> int:
    answer = control.status(home)
    if options.json:
        print(json.dumps(answer))
    elif not answer["up"]:
        print(f"No embedded account is running for {answer['home']}.")
    else:
        print(
            f"The embedded account {answer['account']} is up at {answer['endpoint']} "
            f"({answer['processes']} processes, {answer['memory_mb']} MB, "
            f"of which the records of its streams are {answer['records_mb']} MB)."
        )
        for name, waiting_for in answer["starting"].items():
            print(f"{name} is starting: {waiting_for}.")
        for name, url in answer["dashboards"].items():
            print(f"Flink dashboard of {name}: {url}")
        for warning in answer["warnings"].values():
            print(warning)
        for name in answer["restarts"]:
            print(_restarts(answer, name))
        for name, sinks in answer["failing_sinks"].items():
            print(f"The job of {name} runs and its sink {sinks[0]} does not write; 'localaws logs {name}' says why.")
        if answer["strict"]:
            print(f"It is strict; calls refused above a shard's limits: {answer['strict']['refused']}.")
        if answer["faults"]:
            faults = answer["faults"]
            print(f"It injects the faults {faults['spec']} (seed {faults['seed']}); so far {faults['injected']}.")
        if answer["flink_rest"]:
            print(f"Applications run on the Flink cluster at {answer['flink_rest']}.")
        else:
            print(f"A Flink cluster is {'held warm' if answer['warm_cluster'] else 'not held warm'}.")
    return 0 if answer["up"] else 1


def _logs(home: AccountFolder, options: argparse.Namespace) -> int:
    if options.application is None:
        print(control.tail(home, lines=200))
        return 0
    failure = home.last_failure(options.application)
    if failure is None:
        print(f"No application {options.application!r} was ever started in {home.root}.", file=sys.stderr)
        return 1
    if failure:
        print(failure)
    answer = control.status(home)
    if not answer["up"]:
        raise AccountNotUp(str(home.root))
    if options.application in answer["restarts"]:
        print(_restarts(answer, options.application))
    from localaws.account import client

    logs = client("logs", answer["endpoint"])
    group = f"/aws/kinesis-analytics/{options.application}"
    try:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        for page in pages:
            for event in page["events"]:
                print(_readable(event["message"]))
    except logs.exceptions.ResourceNotFoundException:
        print(f"The application has no log group {group}.", file=sys.stderr)
        return 1
    return 0


def _restarts(status: dict[str, Any], name: str) -> str:
    """Say how often an application's job has restarted, and why it did first."""
    restarts = status["restarts"][name]
    times = "once" if restarts["count"] == 1 else f"{restarts['count']} times"
    return f"The job of {name} has restarted {times} since it was RUNNING. The first cause: {restarts['first_cause']}"


def _readable(message: str) -> str:
    try:
        fields = json.loads(message)
    except ValueError:
        return message
    text = f"{fields.get('process', '')} {fields.get('messageType', '')} {fields.get('message', '')}"
    return text + ("\n" + fields["throwableInformation"] if fields.get("throwableInformation") else "")


_COMMANDS = {"up": _up, "down": _down, "status": _status, "logs": _logs}
