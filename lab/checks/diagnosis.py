"""Why is my output empty? Walks the pipeline from the landing zone to the last window and names the first thing that is
wrong.

`diagnose()` reads the account through AWS's own APIs and the Flink dashboard's address, as the notebooks do, and
changes nothing. Where the dashboard does not answer a program (on AWS it wants a browser), the streams are asked.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import pandas as pd

from lab.checks.probe import OK, WRONG, Line, Look, in_columns
from lab.core.errors import LabError
from lab.core.tables import as_text, table_html

UNREACHED = "not reached"


@dataclass(frozen=True)
class Diagnosis:
    """Every step in the order of the data; at most one is WRONG, and those behind it were not reached."""

    steps: tuple[Line, ...]

    @property
    def wrong(self) -> Line | None:
        """The first thing that is wrong, or None."""
        return next((step for step in self.steps if step.state == WRONG), None)

    @property
    def sentence(self) -> str:
        """The first thing that is wrong and what to do next, in one sentence."""
        return self.wrong.found if self.wrong else f"Nothing is wrong: {self.steps[-1].found}"

    @property
    def table(self) -> pd.DataFrame:
        """All steps: DataFrame[step, state, found]."""
        return pd.DataFrame([(step.what, step.state, step.found) for step in self.steps], columns=_COLUMNS)

    @property
    def text(self) -> str:
        """Sentence and steps for a terminal."""
        return "\n".join([*in_columns(self._seen), "", self.sentence])

    @property
    def _seen(self) -> list[Line]:
        """The steps without the sentence of the wrong one, which is said by itself."""
        return [step if step.state == OK else replace(step, found="") for step in self.steps]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        mark = "✘" if self.wrong else "✔"
        shown = self.table.assign(found=[step.found for step in self._seen])
        table = table_html(shown, "From the landing zone to the last window", len(shown))
        return {
            "text/html": f"<p><b>{mark} {escape(self.sentence)}</b></p>{table}",
            "text/plain": f"{self.sentence}\n{as_text(shown)}",
        }


_COLUMNS = ["step", "state", "found"]


def walk(looks: Iterable[tuple[str, Look]]) -> Diagnosis:
    """Take the looks (place, function) in order. A function returns what it saw, or raises a LabError with what is
    wrong there; after the first that does, nothing more is looked at."""
    steps: list[Line] = []
    state = OK
    for place, look in looks:
        if state != OK:
            steps.append(Line(place, UNREACHED, ""))
            continue
        try:
            found = look()
        except LabError as error:
            state, found = WRONG, str(error)
        steps.append(Line(place, state, found))
    return Diagnosis(tuple(steps))


def diagnose(session: Any = None) -> Diagnosis:
    """Name the first thing that is wrong between the landing zone and the last window.

    Works in the account of the last `lab.connect` (or the one of `session`). The window, slide, threshold and delay are
    those the application itself was given. Raises nothing: what cannot be looked at is what is wrong.
    """
    from lab.checks.diagnosis_flow import Looks

    return walk(Looks(session).in_order())
