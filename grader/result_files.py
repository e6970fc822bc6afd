"""Write the files of a grade: results.json in Gradescope's shape, the report, and the executed notebooks."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.score import Grade, Graded
from lab.core.paths import write_atomically
from lab.runner.report import page

RESULTS, REPORT, EXECUTED = "results.json", "report.html", "executed"
_MARKS = {"passed": "✔ passed", "failed": "✘ FAILED", "open": "○ not attempted"}
_SURROGATE = re.compile("[\ud800-\udfff]")


def write(folder: Path, grade: Grade, executed: Mapping[str, str]) -> None:
    """Write everything of one grade; results.json comes last, so that where it is, all is. Raises OSError."""
    (folder / EXECUTED).mkdir(parents=True, exist_ok=True)
    for name, text in executed.items():
        write_atomically(folder / EXECUTED / f"{name}.ipynb", printable(text))
    write_atomically(folder / REPORT, printable(report(grade)))
    results = json.dumps(gradescope(grade), indent=2, allow_nan=False, ensure_ascii=False)
    # In JSON a backslash is written twice.
    write_atomically(folder / RESULTS, printable(results, backslash="\\\\") + "\n")


def printable(text: str, backslash: str = "\\") -> str:
    """Write half of a surrogate pair, which a student's code can say, as its escape."""
    return _SURROGATE.sub(lambda one: f"{backslash}u{ord(one[0]):04x}", text)


def gradescope(grade: Grade) -> dict[str, Any]:
    """Return the grade in the shape of Gradescope's results.json."""
    return {
        "score": grade.score,
        "output": grade.sentence,
        "execution_time": round(grade.seconds, 1),
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            {
                "name": f"{check.notebook}: {check.title}",
                "score": check.earned,
                "max_score": check.points,
                "status": "passed" if state(check) == "passed" else "failed",
                "output": f"Looked at {check.looked_at}.\n{check.message}",
                "extra_data": {"slug": check.slug},
            }
            for check in grade.checks
        ],
        "extra_data": {
            "submission": grade.name,
            "fingerprint": grade.fingerprint,
            "max_score": grade.max_score,
            "attempted": [check.slug for check in grade.checks if check.attempted],
            "notes": list(grade.notes),
            "unisolated": grade.unisolated,
            "memory_mb": grade.peak >> 20,
        },
    }


def state(check: Graded) -> str:
    """Say passed, failed, or open (an exercise that was not attempted)."""
    if check.earned == check.points:
        return "passed"
    return "failed" if check.attempted else "open"


def report(grade: Grade) -> str:
    """Return the grade as one page of HTML. Everything a submission said is text on it, never markup."""
    return page("graded.html.j2", {"grade": grade, "state": state, "marks": _MARKS})
