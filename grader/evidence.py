"""Hold what is known of one submission: what its notebooks said, and what the grader found twice."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.submissions import NOTEBOOKS
from lab.checks.probe import Finding
from lab.core.errors import LabError
from lab.core.names import LABELS_FILE, REVIEWS_FILE

PARAMETERS = {
    "target": "local", "region": "us-east-1", "shards": 0, "clock": "replay", "rate": 10.0, "test_reviews": 100,
    "window_seconds": 60, "slide_seconds": 30, "threshold": 1, "watermark_delay_seconds": 5,
    "reviews_file": f"data/{REVIEWS_FILE}", "labels_file": f"data/{LABELS_FILE}",
}  # fmt: skip


LONGEST = 2_000  # characters of what is said of a check or a notebook


@dataclass(frozen=True)
class Data:
    """Describe two folders with sample.json and labels.csv: for the submission's own run, and for the proof."""

    run: Path
    proof: Path


@dataclass(frozen=True)
class NotebookRun:
    """Hold what one notebook did, as it said itself."""

    name: str
    status: str
    seconds: float
    said: str


@dataclass
class Ran:
    """Hold what the notebooks did, as they said themselves: for people, never for points."""

    results: list[NotebookRun] = field(default_factory=list)
    executed: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    timed_out: bool = False

    def read(self, lines: Sequence[bytes]) -> None:
        """Take in the events of `run_notebooks`: one a notebook, whatever else is among them."""
        for line in lines:
            try:
                event = json.loads(line)
                if event["event"] != "notebook":
                    continue
                name, result = str(event["name"]), event["result"] or {}
                if name not in NOTEBOOKS or any(run.name == name for run in self.results):
                    raise ValueError(name)
                failure = str((result.get("failure") or {}).get("sentence") or "")
                said = str(event["said"] or failure or "every cell ran")[:LONGEST]
                status = str(result.get("status") or "not run")[:LONGEST]
                run = NotebookRun(name, status, float(result.get("seconds", 0)), said)
                self.results.append(run)
                self.timed_out |= bool(event.get("timed_out"))
                if event["nb"]:
                    self.executed[name] = str(event["nb"])
            except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
                self.said.append("What runs the notebooks said something that is no report; the rest was not read.")
                return


@dataclass(frozen=True)
class Evidence:
    """Describe all there is about one submission: the notebooks' own words, and what the grader found twice."""

    ran: Ran
    looked: dict[str, Finding]
    proved: dict[str, Finding]
    notes: tuple[str, ...]
    seconds: float
    peak: int  # bytes resident at most


class NotGraded(LabError):
    """Say that the grading came to no result, for a reason that may not be the submission's."""


class Cancelled(NotGraded):
    """Say that the grading of this submission was cancelled."""

    def __init__(self) -> None:
        super().__init__("The grading was interrupted")
