"""Checks that say what they looked at and what to do next. The cell, the runner and CI use the same ones.

A check is a function of a ``Lab`` (the session and the notebook's parameters). It looks at the account and the streams,
never at the notebook's variables, and returns a ``Finding``.
"""

import html
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lab.core.cell_outputs import CHECK, leave
from lab.core.errors import CheckFailed, LabError
from lab.core.session import Session


@dataclass(frozen=True)
class Finding:
    """What one check saw: ``looked_at`` is where, ``message`` what it means or what to do next.

    ``attempted`` is False where an exercise is still blank: that is no failure, the notebook goes on.
    """

    passed: bool
    looked_at: str
    message: str
    attempted: bool = True


@dataclass(frozen=True)
class Lab:
    """What a check works on: the account and the notebook's parameters by name.

    ``seen`` keeps what one check read, so that the next need not read it again.
    """

    session: Session
    parameters: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]


@dataclass(frozen=True)
class Check:
    """One check of one notebook."""

    notebook: str
    name: str
    points: int
    function: Callable[[Lab], Finding]


_REGISTRY: list[Check] = []


def register(notebook: str, name: str, points: int) -> Callable[[Callable[[Lab], Finding]], Callable[[Lab], Finding]]:
    """Make a function the check ``name`` of ``notebook`` (its file name without the ending)."""

    def keep(function: Callable[[Lab], Finding]) -> Callable[[Lab], Finding]:
        _REGISTRY.append(Check(notebook, name, points, function))
        return function

    return keep


def checks_of(notebook: str) -> list[Check]:
    """The checks of a notebook in order; ``notebook`` may be its number, such as "01"."""
    for module in ("streams", "detection", "security", "exercises"):
        import_module(f"lab.checks.{module}")  # they register themselves, the exercises after the rest
    return [check for check in _REGISTRY if check.notebook == notebook or check.notebook.startswith(notebook + "_")]


def run_check(check: Check, lab: Lab) -> Finding:
    """Run one check; what it cannot look at is a failed check with the reason, not a traceback."""
    try:
        return check.function(lab)
    except LabError as error:
        return Finding(False, "the account", str(error))
    except (ClientError, BotoCoreError) as error:
        return Finding(False, "the account", f"It could not be looked at: {error}")


def check(notebook: str, session: Session, **parameters: Any) -> None:
    """Run a notebook's checks, show them as a table and raise CheckFailed if one failed.

    An exercise that is still blank is shown with its hint and raises nothing.
    """
    lab = Lab(session, parameters)
    done = [(check, run_check(check, lab)) for check in checks_of(notebook)]
    results = [
        {
            "notebook": check.notebook,
            "name": check.name,
            "points": check.points,
            "passed": finding.passed,
            "attempted": finding.attempted,
            "looked_at": finding.looked_at,
            "message": finding.message,
        }
        for check, finding in done
    ]
    leave(CHECK, {"checks": [{"run_id": session.run_id, **result} for result in results]}, _text(done), _html(done))
    failed = [finding.message for _, finding in done if not finding.passed and finding.attempted]
    if failed:
        raise CheckFailed(done[0][0].notebook, failed)


_MARKS = {"passed": ("PASSED", "✔ passed"), "failed": ("FAILED", "✘ FAILED"), "open": ("OPEN  ", "○ not attempted")}


def _state(finding: Finding) -> str:
    return "passed" if finding.passed else "failed" if finding.attempted else "open"


def _text(done: list[tuple[Check, Finding]]) -> str:
    lines = [
        f"{_MARKS[_state(finding)][0]}  {check.name} ({check.points} points)\n"
        f"        looked at {finding.looked_at}: {finding.message}"
        for check, finding in done
    ]
    return "\n".join(lines)


def _html(done: list[tuple[Check, Finding]]) -> str:
    rows = "".join(
        f"<tr><td style='text-align:left'><b>{_MARKS[_state(finding)][1]}</b></td>"
        f"<td style='text-align:left'>{html.escape(check.name)}</td><td>{check.points}</td>"
        f"<td style='text-align:left'>{html.escape(finding.looked_at)}</td>"
        f"<td style='text-align:left'>{html.escape(finding.message)}</td></tr>"
        for check, finding in done
    )
    head = "".join(f"<th style='text-align:left'>{name}</th>" for name in ("", "check", "points", "looked at", "found"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
