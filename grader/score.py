"""Turn findings into points: which evidence each point needs, and what is said of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from grader.evidence import LONGEST, NotebookRun
from grader.hidden_run.application_proof import OF_APPLICATION
from grader.hidden_run.function_proof import OF_FUNCTIONS
from lab.checks.probe import FAILED, Finding, Probe

_CODE_FILE = ("window", "watermark", "groups")  # exercises whose answer is a function of the application
Needs = Literal["account", "proof", "both"]


@dataclass(frozen=True)
class Graded:
    """Hold one check with the points it earned; `evidence` is where they come from."""

    notebook: str
    slug: str
    title: str
    points: int
    earned: int
    attempted: bool
    looked_at: str
    message: str
    evidence: Needs


@dataclass(frozen=True)
class Grade:
    """Describe all there is to say about one submission. `notebooks` is what they say they did, for people."""

    name: str
    checks: tuple[Graded, ...]
    notebooks: tuple[NotebookRun, ...]
    notes: tuple[str, ...]
    seconds: float
    peak: int  # bytes of memory, at most
    fingerprint: str
    unisolated: str | None  # why there were none; None where there were

    @property
    def score(self) -> int:
        return sum(check.earned for check in self.checks)

    @property
    def max_score(self) -> int:
        return sum(check.points for check in self.checks)

    @property
    def sentence(self) -> str:
        """Say what to know first."""
        if self.notes:
            return self.notes[0]
        if self.score == self.max_score:
            return "Everything is there and right."
        blank = sum(not check.attempted for check in self.checks)
        failed = sum(check.attempted and check.earned < check.points for check in self.checks)
        parts = [f"{failed} {'check' if failed == 1 else 'checks'} failed"] if failed else []
        parts += [f"{blank} {'waits' if blank == 1 else 'wait'} for an exercise"] if blank else []
        return f"{' and '.join(parts)}: the list says what to do next."


def needs(check: Probe) -> Needs:
    """Say which evidence a check's points need.

    What a student's code computes is proved; what is to be seen in the student's own account is looked at there; output
    needs both, since there it may have been put in by hand.
    """
    if check.slug in OF_FUNCTIONS or check.slug in _CODE_FILE:
        return "proof"
    return "both" if check.slug in OF_APPLICATION else "account"


def score(
    checks: Sequence[Probe], looked: Mapping[str, Finding], proved: Mapping[str, Finding], notes: Sequence[str]
) -> tuple[Graded, ...]:
    """Give every check its points by its slug. What was not looked at has none."""
    why = notes[0] if notes else "It was not looked at."
    return tuple(_graded(check, looked, proved, Finding(FAILED, why, "nothing")) for check in checks)


def _graded(check: Probe, looked: Mapping[str, Finding], proved: Mapping[str, Finding], missing: Finding) -> Graded:
    kind = needs(check)
    own, proof = looked.get(check.slug, missing), proved.get(check.slug, missing)
    found = {"account": own, "proof": proof, "both": own}[kind]
    if kind == "both" and own.passed and not proof.passed:
        said = (
            "The account holds it, but the application that was handed in does not bring it about when the grader runs "
            f"it on other data: {proof.message}"
        )
        found = Finding(proof.state, said, proof.looked_at)
    return Graded(
        check.notebook, check.slug, check.title, check.points, check.points if found.passed else 0, found.attempted,
        found.looked_at, found.message[:LONGEST], kind,
    )  # fmt: skip
