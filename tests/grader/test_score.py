"""Points: which evidence each needs, and what is written of them."""

import csv
import io
import json
from pathlib import Path

from grader import grade_table, result_files
from grader.grade_table import Row
from grader.hidden_run.account_findings import NOTEBOOKS
from grader.hidden_run.proof import OF_APPLICATION, OF_FUNCTIONS
from grader.score import Grade, needs, score
from lab.checks.check import Finding, checks_of
from lab.exercises.catalog import EXERCISES

CHECKS = [check for number in NOTEBOOKS for check in checks_of(number)]
GOOD, BAD = Finding(True, "it", "fine"), Finding(False, "it", "<b>wrong</b>")
EVERYTHING = {check.name: GOOD for check in CHECKS}


def grade(looked: dict[str, Finding], proved: dict[str, Finding], *notes: str, name: str = "ada") -> Grade:
    return Grade(name, score(CHECKS, looked, proved, notes), (), notes, 12.0, 1 << 30, "f00d", None)


def test_every_proof_is_of_a_check() -> None:
    assert {*OF_APPLICATION, *OF_FUNCTIONS} <= {check.name for check in CHECKS}
    assert {exercise.title for exercise in EXERCISES.values()} <= {check.name for check in CHECKS}


def test_everything_right_is_everything() -> None:
    full = grade(EVERYTHING, EVERYTHING)
    assert full.score == full.max_score == sum(check.points for check in CHECKS)


def test_an_account_that_was_filled_by_hand_earns_nothing_that_must_be_computed() -> None:
    made_up = grade(EVERYTHING, {check.name: BAD for check in CHECKS})
    earned = {check.name for check in made_up.checks if check.earned}
    assert earned == {check.name for check in CHECKS if needs(check) == "account"}
    said = {check.name: check.message for check in made_up.checks}
    assert "does not bring it about" in said["Every window equals the reference"]


def test_code_that_works_earns_its_points_without_the_notebooks() -> None:
    only_code = grade({}, EVERYTHING, "It was ended.")
    earned = {check.name for check in only_code.checks if check.earned}
    assert earned == {check.name for check in CHECKS if needs(check) == "proof"}
    assert EXERCISES["window"].title in earned
    assert "Every window equals the reference" not in earned
    assert only_code.sentence == "It was ended."


def test_nothing_looked_at_is_nothing_earned() -> None:
    assert grade({}, {}).score == 0


def test_results_json_is_gradescopes(tmp_path: Path) -> None:
    result_files.write(
        tmp_path, grade(EVERYTHING, {**EVERYTHING, "Every window equals the reference": BAD}), {"01_streams": "{}"}
    )
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["score"] == sum(test["score"] for test in results["tests"])
    assert {"name", "score", "max_score", "status", "output"} <= set(results["tests"][0])
    assert {test["status"] for test in results["tests"]} == {"passed", "failed"}
    page = (tmp_path / "report.html").read_text()
    assert "&lt;b&gt;wrong&lt;/b&gt;" in page and "<b>wrong</b>" not in page
    assert (tmp_path / "executed" / "01_streams.ipynb").exists()


def test_tables_have_everyone(tmp_path: Path) -> None:
    for name in ("ada", "=cmd()"):
        result_files.write(tmp_path / name, grade(EVERYTHING, EVERYTHING, name=name), {})
    rows = [Row(name, grade_table.read_results(tmp_path / name)) for name in ("ada", "=cmd()")]
    rows.append(Row("eve", None, "It could not be graded."))
    grade_table.write(tmp_path, rows)
    lines = list(csv.DictReader(io.StringIO((tmp_path / "grades.csv").read_text())))
    assert [line["submission"] for line in lines] == ["ada", "'=cmd()", "eve"]
    assert [line["state"] for line in lines] == ["graded", "graded", "not graded"]
    assert int(lines[0]["score"]) == sum(int(lines[0][f"{check.notebook}: {check.name}"]) for check in CHECKS)
    book = list(csv.DictReader(io.StringIO((tmp_path / "nbgrader.csv").read_text())))
    assert [line["student_id"] for line in book] == ["ada", "'=cmd()"]
    assert tuple(book[0]) == grade_table.NBGRADER_COLUMNS
    assert "eve" in (tmp_path / "grades.html").read_text()


def test_a_results_json_of_somebody_else_is_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps({"score": 170, "tests": []}))
    assert grade_table.read_results(tmp_path) is None
    (tmp_path / "results.json").write_text("{")
    assert grade_table.read_results(tmp_path) is None
