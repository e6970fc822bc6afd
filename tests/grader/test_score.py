"""Points: which evidence each needs, and what is written of them."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from grader import grade_table, result_files
from grader.grade_table import Row
from grader.hidden_run import account_findings
from grader.hidden_run.application_proof import OF_APPLICATION
from grader.hidden_run.function_proof import OF_FUNCTIONS
from grader.score import Grade, needs, score
from lab.checks.blanks import blank_functions
from lab.checks.check import CHECKS
from lab.checks.probe import FAILED, Finding, Place, Probe
from lab.exercises.catalog import EXERCISES

GOOD, BAD = Place("it").passed("fine"), Place("it").failed("<b>wrong</b>")
SLUGS = {check.slug for check in CHECKS}
EVERYTHING = dict.fromkeys(SLUGS, GOOD)


def grade(
    looked: dict[str, Finding],
    proved: dict[str, Finding],
    *notes: str,
    name: str = "ada",
    checks: Sequence[Probe] = CHECKS,
) -> Grade:
    return Grade(name, score(checks, looked, proved, notes), (), notes, 12.0, 1 << 30, "f00d", None)


def test_every_proof_is_of_a_check() -> None:
    assert {*OF_APPLICATION, *OF_FUNCTIONS} <= SLUGS
    assert set(EXERCISES) <= SLUGS


def test_everything_right_is_everything() -> None:
    full = grade(EVERYTHING, EVERYTHING)
    assert full.score == full.max_score == sum(check.points for check in CHECKS)


def test_an_account_that_was_filled_by_hand_earns_nothing_that_must_be_computed() -> None:
    made_up = grade(EVERYTHING, dict.fromkeys(SLUGS, BAD))
    earned = {check.slug for check in made_up.checks if check.earned}
    assert earned == {check.slug for check in CHECKS if needs(check) == "account"}
    said = {check.slug: check.message for check in made_up.checks}
    assert "does not bring it about" in said["windows_equal"]


def test_code_that_works_earns_its_points_without_the_notebooks() -> None:
    only_code = grade({}, EVERYTHING, "It was ended.")
    earned = {check.slug for check in only_code.checks if check.earned}
    assert earned == {check.slug for check in CHECKS if needs(check) == "proof"}
    assert "window" in earned
    assert "windows_equal" not in earned
    assert only_code.sentence == "It was ended."


def test_a_changed_title_changes_no_points_and_no_proof() -> None:
    renamed = [replace(check, title=f"Renamed: {check.title}") for check in CHECKS]
    nothing_proved: dict[str, Finding] = dict.fromkeys(SLUGS, BAD)
    for looked, proved in ((EVERYTHING, EVERYTHING), (EVERYTHING, nothing_proved), ({}, EVERYTHING)):
        before, after = grade(looked, proved), grade(looked, proved, checks=renamed)
        points = [(check.slug, check.earned, check.evidence) for check in before.checks]
        assert [(check.slug, check.earned, check.evidence) for check in after.checks] == points
    assert grade(EVERYTHING, nothing_proved, checks=renamed).score < grade(EVERYTHING, EVERYTHING).score


def test_a_table_of_results_before_and_after_a_title_changed_has_one_column_a_check(tmp_path: Path) -> None:
    renamed = [replace(check, title=f"Renamed: {check.title}") for check in CHECKS]
    for name, checks in (("ada", CHECKS), ("eve", renamed)):
        result_files.write(tmp_path / name, grade(EVERYTHING, EVERYTHING, name=name, checks=checks), {})
    rows = [Row(name, grade_table.read_results(tmp_path / name)) for name in ("ada", "eve")]
    header, *lines = csv.reader(io.StringIO(grade_table.grades_csv(rows)))
    assert len(header) == len(CHECKS) + 6
    assert lines[0][2:-1] == lines[1][2:-1]


def test_nothing_looked_at_is_nothing_earned() -> None:
    assert grade({}, {}).score == 0


def test_results_json_is_gradescopes(tmp_path: Path) -> None:
    result_files.write(tmp_path, grade(EVERYTHING, {**EVERYTHING, "windows_equal": BAD}), {"01_streams": "{}"})
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
    assert int(lines[0]["score"]) == sum(int(lines[0][f"{check.notebook}: {check.title}"]) for check in CHECKS)
    book = list(csv.DictReader(io.StringIO((tmp_path / "nbgrader.csv").read_text())))
    assert [line["student_id"] for line in book] == ["ada", "'=cmd()"]
    assert tuple(book[0]) == grade_table.NBGRADER_COLUMNS
    assert "eve" in (tmp_path / "grades.html").read_text()


def test_a_results_json_of_somebody_else_is_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps({"score": 170, "tests": []}))
    assert grade_table.read_results(tmp_path) is None
    (tmp_path / "results.json").write_text("{")
    assert grade_table.read_results(tmp_path) is None


def test_a_check_that_breaks_on_what_was_left_costs_its_own_points_only() -> None:
    def ask(_lab: Any) -> Finding:
        raise RecursionError("nested too deep")

    found = account_findings.looked(Probe("window", "The window", ask), cast(Any, SimpleNamespace(endpoint=None)))
    assert found.state == FAILED
    assert found.message == "It cannot be read (RecursionError: nested too deep)."


@pytest.mark.parametrize("source", ["x = '\0'", "x = " + "-" * 50_000 + "1", "x = " + "+".join(["1"] * 20_000)])
def test_a_file_that_cannot_be_parsed_holds_no_blank(source: str) -> None:
    assert blank_functions(source) == set()
