"""One look at one place of an account, as the preflight and the diagnosis take and show them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lab.core.errors import LabError

OK, WRONG = "OK", "WRONG"
Look = Callable[[], str]  # returns what it saw, or raises a LabError with what is wrong


class Trouble(LabError):
    """What a look found wrong: one sentence, with the next step."""


@dataclass(frozen=True)
class Line:
    """What was looked at, its state (OK, WRONG or why there was no look) and what was found there; where it is wrong,
    one sentence with the next step."""

    what: str
    state: str
    found: str


def in_columns(lines: Sequence[Line]) -> list[str]:
    """Each of the lines, of which there is at least one, for a terminal: the columns aligned."""
    state_width = max(len(line.state) for line in lines)
    what_width = max(len(line.what) for line in lines)
    return [f"  {line.state:<{state_width}}  {line.what:<{what_width}}  {line.found}".rstrip() for line in lines]
