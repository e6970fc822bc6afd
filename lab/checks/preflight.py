"""Before anything is made: is the account one in which the lab can work? Reads only; every look has a line of its own.

A line is OK, WRONG with what to do next, or "not known" where the account does not let itself be asked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

from lab.checks.probe import OK, WRONG, Line, Look, in_columns
from lab.core.errors import LabError
from lab.core.session import Session

UNKNOWN = "not known"


class NotKnown(LabError):
    """A look that the account does not permit or does not offer; no reason to stop."""


class PreflightFailed(LabError):
    """At least one line is WRONG; ``wrong`` holds their sentences."""

    def __init__(self, wrong: list[str]) -> None:
        self.wrong = wrong
        super().__init__(" / ".join(wrong))


@dataclass(frozen=True)
class Preflight:
    """All lines; the lab can start where none is WRONG."""

    lines: tuple[Line, ...]

    @property
    def wrong(self) -> list[str]:
        """The sentences of the lines that are WRONG."""
        return [line.found for line in self.lines if line.state == WRONG]

    @property
    def sentence(self) -> str:
        """The outcome in one sentence."""
        if self.wrong:
            return f"{len(self.wrong)} of {len(self.lines)} are to be put right before the lab can start."
        return "The lab can start."

    @property
    def text(self) -> str:
        """Lines and sentence for a terminal."""
        return "\n".join([*in_columns(self.lines), "", self.sentence])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        if len(self.lines) == 1:
            return {"text/plain": self.lines[0].found}
        marks = {OK: "✔ OK", WRONG: "✘ WRONG", UNKNOWN: "○ not known"}
        rows = "".join(
            f"<tr><td style='text-align:left'><b>{marks[line.state]}</b></td><td style='text-align:left'>"
            f"{escape(line.what)}</td><td style='text-align:left'>{escape(line.found)}</td></tr>"
            for line in self.lines
        )
        return {"text/html": f"<p><b>{escape(self.sentence)}</b></p><table>{rows}</table>", "text/plain": self.text}


def check_account(session: Session, shards: int = 0) -> Preflight:
    """Look at the account a notebook works in; the first cell of 01 shows it.

    The embedded account is always ready, which is said in one line. Raises PreflightFailed, after showing all lines,
    where one is WRONG.
    """
    if session.target == "local":
        return Preflight((Line("account", OK, f"{session!r}: always ready, nothing has to be looked at"),))
    found = look_at(session, shards)
    if found.wrong:
        from IPython.display import display

        display(found)
        raise PreflightFailed(found.wrong)
    return found


def look_at(session: Session, shards: int = 0) -> Preflight:
    """The same on any account, without raising."""
    from lab.checks.preflight_account import AccountLooks

    return take(AccountLooks(session, shards).in_order())


def take(looks: Iterable[tuple[str, Look]]) -> Preflight:
    """Take every look (what, function); a function returns what it found, or raises NotKnown or another LabError."""
    lines = []
    for what, look in looks:
        try:
            line = Line(what, OK, look())
        except NotKnown as error:
            line = Line(what, UNKNOWN, str(error))
        except LabError as error:
            line = Line(what, WRONG, str(error))
        lines.append(line)
    return Preflight(tuple(lines))
