"""Hold the outcome of a run: of each check, each notebook and the series, with points."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class CheckResult:
    """Hold what one check of a notebook found and what it is worth; `slug` tells it from the others."""

    slug: str
    title: str
    points: int
    passed: bool
    looked_at: str
    message: str
    attempted: bool = True  # False: an exercise that is still blank


@dataclass(frozen=True)
class Step:
    """Describe a named part of a notebook and how many seconds it took."""

    name: str
    seconds: float


@dataclass(frozen=True)
class Stop:
    """Hold why execution ended before the notebook did, as the runner saw it."""

    reason: Literal["kernel died", "timeout", "kernel did not start", "interrupted", "output", "runner"]
    detail: str
    cell: int | None = None  # position in the executed notebook's list of cells
    traceback: str = ""


@dataclass(frozen=True)
class Failure:
    """Hold why a notebook failed: one sentence.

    `died` where it was not a check that said so, `blank` where all that is wrong is an exercise that was not attempted,
    so that the series can go on.
    """

    sentence: str
    died: bool
    traceback: str = ""
    blank: bool = False


@dataclass(frozen=True)
class NotebookResult:
    """Hold what a notebook did. `status` is "not run" where an earlier one failed; `seconds` is wall-clock."""

    name: str
    status: Literal["passed", "failed", "not run"]
    seconds: float = 0.0
    code_cells: int = 0
    cells_run: int = 0
    checks: tuple[CheckResult, ...] = ()
    steps: tuple[Step, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True)
class SeriesResult:
    """Hold what a run did. `ended` is the sentence of what stopped the run itself, if anything (a full disk)."""

    run_id: str
    started: str  # ISO-8601, UTC
    seconds: float
    notebooks: tuple[NotebookResult, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    ended: str | None = None

    @property
    def sentence(self) -> str | None:
        """Return the first failure in one sentence, or None when everything passed."""
        failures = sorted((n.failure for n in self.notebooks if n.failure), key=lambda failure: failure.blank)
        if not failures or self.ended:
            return self.ended
        if not failures[0].blank:
            return failures[0].sentence
        count = sum(not check.attempted for check in self.checks)
        return f"{count} {'check waits' if count == 1 else 'checks wait'} for an exercise. {failures[0].sentence}"

    @property
    def passed(self) -> bool:
        return self.sentence is None and bool(self.notebooks) and all(n.status == "passed" for n in self.notebooks)

    @property
    def checks(self) -> list[CheckResult]:
        return [check for notebook in self.notebooks for check in notebook.checks]

    @property
    def score(self) -> int:
        """Return points of the passed checks; 0 as soon as anything died, since what ran after it proves nothing."""
        if self.ended or any(n.failure and n.failure.died for n in self.notebooks):
            return 0
        return sum(check.points for check in self.checks if check.passed)

    @property
    def max_score(self) -> int:
        return sum(check.points for check in self.checks)
