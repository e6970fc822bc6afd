"""Write the table of everyone: CSV, HTML, and the CSV of nbgrader's gradebook. Made from the results.json of each."""

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.result_files import RESULTS
from lab.core.paths import write_atomically
from lab.runner.report import page

CSV, HTML, NBGRADER = "grades.csv", "grades.html", "nbgrader.csv"
ASSIGNMENT = "flink-anomaly-lab"
# The columns of `nbgrader export`, in its order.
NBGRADER_COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
    "late_submission_penalty", "score", "max_score",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Row:
    """Describe one submission in the table: its results.json, or why there is none."""

    name: str
    results: dict[str, Any] | None
    problem: str = ""

    @property
    def score(self) -> int:
        return self.results["score"] if self.results else 0

    @property
    def max_score(self) -> int:
        return self.results["extra_data"]["max_score"] if self.results else 0

    @property
    def said(self) -> str:
        return self.results["output"] if self.results else self.problem


def read_results(folder: Path) -> dict[str, Any] | None:
    """Return the results.json of a folder, None where there is none that the grader finished."""
    try:
        found = json.loads((folder / RESULTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or "fingerprint" not in found.get("extra_data", {}):
        return None
    return found if all("slug" in test.get("extra_data", {}) for test in found["tests"]) else None


def write(out: Path, rows: Sequence[Row]) -> None:
    """Write the three tables. Raises OSError."""
    write_atomically(out / CSV, grades_csv(rows))
    write_atomically(out / NBGRADER, nbgrader_csv(rows))
    write_atomically(out / HTML, grades_html(rows))


def grades_csv(rows: Sequence[Row]) -> str:
    """Return one line a submission: points in all and of every check."""
    titles = _titles(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["submission", "state", "score", "max_score", "seconds", *titles.values(), "said"])
    for row in rows:
        points = {_slug(test): test["score"] for test in row.results["tests"]} if row.results else {}
        seconds = row.results["execution_time"] if row.results else ""
        state = "graded" if row.results else "not graded"
        cells = [points.get(slug, "") for slug in titles]
        points_in_all = [row.score, row.max_score] if row.results else ["", ""]  # not graded is not 0
        writer.writerow([_safe(row.name), state, *points_in_all, seconds, *cells, _safe(row.said)])
    return text.getvalue()


def grades_html(rows: Sequence[Row]) -> str:
    """Return one line a submission with a link to its report, and how many passed each check."""
    graded = [row.results for row in rows if row.results]
    passed = Counter(_slug(test) for results in graded for test in results["tests"] if test["status"] == "passed")
    values = {"rows": rows, "titles": _titles(rows), "csv": CSV, "passed": passed, "graded": len(graded)}
    return page("grades.html.j2", values)


def nbgrader_csv(rows: Sequence[Row]) -> str:
    """Return the graded ones in the columns of nbgrader's gradebook; the student's id is the submission's name."""
    text = io.StringIO()
    writer = csv.DictWriter(text, NBGRADER_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        if row.results:
            writer.writerow(
                {
                    "assignment": ASSIGNMENT,
                    "student_id": _safe(row.name),
                    "raw_score": row.score,
                    "late_submission_penalty": 0,
                    "score": row.score,
                    "max_score": row.max_score,
                }
            )
    return text.getvalue()


def _titles(rows: Sequence[Row]) -> dict[str, str]:
    """Return the title of each check, by its slug."""
    return {_slug(test): test["name"] for row in rows if row.results for test in row.results["tests"]}


def _slug(test: dict[str, Any]) -> str:
    return test["extra_data"]["slug"]


def _safe(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
