"""Probe an account and show the findings: for checks, preflight and diagnosis.

A probe is a function of an `Account`. It returns a finding, or only the sentence of what it saw, or raises a LabError
whose sentence says what is wrong and what to do next.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from typing import Any, ClassVar, Literal

import pandas as pd
from botocore.exceptions import BotoCoreError, ClientError

from lab.core.account import Account
from lab.core.aws_errors import plain_words
from lab.core.errors import LabError
from lab.core.tables import table_html

State = Literal["passed", "failed", "not attempted", "not known", "not reached"]
PASSED: State = "passed"
FAILED: State = "failed"
OPEN: State = "not attempted"  # an exercise is still blank: no failure, the notebook goes on
UNKNOWN: State = "not known"  # the account does not let itself be asked; no reason to stop
UNREACHED: State = "not reached"  # something before it is wrong


class Trouble(LabError):
    """Say what a probe found wrong: one sentence, with the next step."""


class NotKnown(LabError):
    """Say that the account does not permit or offer a question; no reason to stop."""


@dataclass(frozen=True)
class Finding:
    """Hold what one probe saw: ``message`` says what to do next, ``looked_at`` where it was seen."""

    state: State
    message: str
    looked_at: str = ""

    @property
    def passed(self) -> bool:
        return self.state == PASSED

    @property
    def attempted(self) -> bool:
        return self.state != OPEN


class Settled(LabError):
    """Carry the finding of a probe that need not look any further."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.message)


@dataclass(frozen=True)
class Place:
    """Make the findings of the place where a probe looked."""

    looked_at: str

    def passed(self, message: str) -> Finding:
        """Say that all is as it should be."""
        return Finding(PASSED, message, self.looked_at)

    def failed(self, message: str) -> Finding:
        """Say what is wrong and what to do next."""
        return Finding(FAILED, message, self.looked_at)

    def open(self, message: str) -> Finding:
        """Say that the exercise it needs is still blank."""
        return Finding(OPEN, message, self.looked_at)


Ask = Callable[[Any], Finding | str]


@dataclass(frozen=True)
class Probe:
    """Name one probe: points and proofs hang on ``slug``; ``title`` is for people and may change."""

    slug: str
    title: str
    ask: Ask
    notebook: str = ""
    points: int = 0


def probe(title: str, notebook: str = "", points: int = 0) -> Callable[[Ask], Probe]:
    """Make a function a probe whose slug is the function's name."""
    return lambda function: Probe(function.__name__, title, function, notebook, points)


def take(one: Probe, account: Account) -> Finding:
    """Take one probe; what it cannot look at is a finding with the reason, not a traceback."""
    try:
        with plain_words(f"looking at “{one.title}”", account.endpoint):
            found = one.ask(account)
    except Settled as settled:
        return settled.finding
    except NotKnown as error:
        return Finding(UNKNOWN, str(error))
    except (LabError, ClientError, BotoCoreError) as error:
        return Finding(FAILED, str(error), "the account")
    return found if isinstance(found, Finding) else Finding(PASSED, found)


Taken = tuple[tuple[Probe, Finding], ...]


def take_all(probes: Iterable[Probe], account: Account) -> Taken:
    """Take every probe, whatever the others find."""
    return tuple((one, take(one, account)) for one in probes)


@dataclass(frozen=True, repr=False)
class Report:
    """Show what a list of probes found: a notebook as a table, a terminal as lines."""

    taken: Taken
    heading: ClassVar[str] = "what"
    caption: ClassVar[str] = ""
    words: ClassVar[dict[State, str]] = {
        PASSED: "✔ OK", FAILED: "✘ WRONG", OPEN: "○ not attempted", UNKNOWN: "○ not known", UNREACHED: "○ not reached",
    }  # fmt: skip

    @property
    def failed(self) -> list[Finding]:
        """List the findings of what is wrong."""
        return [found for _, found in self.taken if found.state == FAILED]

    @property
    def sentence(self) -> str:
        """Say the outcome in one sentence; empty where the rows say it all."""
        return ""

    def shown(self, found: Finding) -> str:
        """Return what a row says of a finding."""
        return found.message

    @property
    def table(self) -> pd.DataFrame:
        """Make a row a probe: state, title, what was found; with points, also where it looked."""
        table = pd.DataFrame(
            {
                "": [self.words[found.state] for _, found in self.taken],
                self.heading: [one.title for one, _ in self.taken],
                "points": [one.points for one, _ in self.taken],
                "looked at": [found.looked_at for _, found in self.taken],
                "found": [self.shown(found) for _, found in self.taken],
            }
        )
        return table if table["points"].any() else table.drop(columns=["points", "looked at"])

    @property
    def text(self) -> str:
        """Write rows and sentence for a terminal; with points, what was found stands below the title."""
        words = [self.words[found.state].partition(" ")[2] for _, found in self.taken]
        widths = max(map(len, words)), max(len(one.title) for one, _ in self.taken)
        lines = []
        for word, (one, found) in zip(words, self.taken, strict=True):
            head = f"  {word:<{widths[0]}}  {one.title:<{widths[1]}}"
            said = f"  {self.shown(found)}"
            if one.points:
                said = f"  ({one.points} points)\n      looked at {found.looked_at}: {found.message}"
            lines.append((head + said).rstrip())
        return "\n".join([*lines, "", self.sentence] if self.sentence else lines)

    @property
    def html(self) -> str:
        """Write sentence and rows for a notebook."""
        mark = self.words[FAILED if self.failed else PASSED][0]
        sentence = f"<p><b>{mark} {escape(self.sentence)}</b></p>" if self.sentence else ""
        return sentence + table_html(self.table, self.caption, len(self.taken), longest=None)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}
