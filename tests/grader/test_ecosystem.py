"""What other tools read of a grading: nbgrader's gradebook, and Gradescope's results.json."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jsonschema import validate

from grader import grade_table
from grader.grade_table import ASSIGNMENT, Row
from tests.support.account import PROJECT

# The fields of https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
NUMBER, TEXT = {"type": "number"}, {"type": "string"}
TEST = {
    "score": NUMBER, "max_score": NUMBER, "status": {"enum": ["passed", "failed"]}, "name": TEXT, "name_format": FORMAT,
    "number": TEXT, "output": TEXT, "output_format": FORMAT, "tags": {"type": "array", "items": TEXT},
    "visibility": VISIBILITY, "extra_data": {"type": "object"},
}  # fmt: skip
LEADERBOARD = {"name": TEXT, "value": {"type": ["number", "string"]}, "order": {"enum": ["asc", "desc"]}}


def closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


RESULTS = closed(
    {
        "score": NUMBER, "execution_time": NUMBER, "output": TEXT, "output_format": FORMAT,
        "test_output_format": FORMAT,
        "test_name_format": FORMAT, "visibility": VISIBILITY, "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"}, "tests": {"type": "array", "items": closed(TEST)},
        "leaderboard": {"type": "array", "items": closed(LEADERBOARD, "name", "value")},
    },
    "score",
)  # fmt: skip


def results(score: int) -> dict[str, Any]:
    return {"score": score, "output": "", "tests": [], "execution_time": 1.0, "extra_data": {"max_score": 170}}


def test_the_csv_is_what_nbgraders_own_gradebook_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}")  # nbgrader calls alembic
    from nbgrader.api import Gradebook
    from nbgrader.plugins import CsvExportPlugin

    rows = [Row("ada", results(170)), Row("bob", results(0)), Row("eve", None, "It is not graded.")]
    ours = list(csv.DictReader(grade_table.nbgrader_csv(rows).splitlines()))
    book = Gradebook(f"sqlite:///{tmp_path}/gradebook.db")
    book.add_assignment(ASSIGNMENT)
    book.add_notebook("all", ASSIGNMENT)
    book.add_grade_cell("points", "all", ASSIGNMENT, max_score=float(ours[0]["max_score"]), cell_type="code")
    for row in ours:
        book.add_student(row["student_id"])
        book.add_submission(ASSIGNMENT, row["student_id"])
        book.find_grade("points", "all", ASSIGNMENT, row["student_id"]).manual_score = float(row["score"])
    book.db.commit()
    exporter = CsvExportPlugin(parent=None)
    exporter.to, exporter.coursedir = str(tmp_path / "theirs.csv"), SimpleNamespace()
    exporter.export(book)
    book.close()
    theirs = list(csv.DictReader((tmp_path / "theirs.csv").read_text().splitlines()))
    assert list(theirs[0]) == list(ours[0])
    numbers = ("raw_score", "score", "max_score", "late_submission_penalty")
    for one, other in zip(ours, theirs, strict=True):
        assert one["student_id"] == other["student_id"]
        assert [float(one[name]) for name in numbers] == [float(other[name]) for name in numbers]


def test_gradescopes_folders_get_a_results_json_of_its_documented_fields(tmp_path: Path) -> None:
    """Laid out as Gradescope's /autograder, with the student's only file refused, so that nothing has to run."""
    submission = tmp_path / "submission"
    submission.mkdir()
    (submission / "project.rar").write_bytes(b"Rar!\x1a\x07")
    shutil.copyfile(PROJECT / "grader" / "gradescope" / "run_autograder", tmp_path / "run_autograder")
    given = {"LAB_PROJECT": str(PROJECT), "LAB_SUBMISSION": str(submission), "LAB_RESULTS": str(tmp_path / "results")}
    subprocess.run(["bash", str(tmp_path / "run_autograder")], env={**os.environ, **given}, check=True, timeout=280)
    found = json.loads((tmp_path / "results" / "results.json").read_text())
    validate(found, RESULTS)
    assert found["score"] == 0 and found["visibility"] == "visible"
    assert "hand in a zip" in found["output"]
    assert sum(test["max_score"] for test in found["tests"]) == found["extra_data"]["max_score"]
