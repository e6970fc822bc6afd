from dataclasses import replace
from typing import Any

import pytest

from lab.checks import check as check_module
from lab.checks.check import CHECKS, CheckReport, checks_of
from lab.checks.pipeline import Pipeline
from lab.checks.probe import Finding, Place, probe, take
from lab.core.errors import CheckFailed, StepMissing
from lab.core.session import Session
from lab.exercises.catalog import EXERCISES

SESSION = Session("local", "us-east-1", "000000000000", "http://127.0.0.1:1", "run-1")


@probe("It is <fine>", "01_streams", 2)
def good(lab: Pipeline) -> Finding:
    return Place("here").passed("fine")


@probe("It is wrong", "01_streams", 3)
def bad(lab: Pipeline) -> Finding:
    return Place("there").failed("do this next" + " and that" * 20)


def test_every_notebook_has_its_checks_and_the_points_are_as_announced() -> None:
    points = {number: sum(check.points for check in checks_of(number)) for number in ("01", "02", "03", "04")}
    assert points == {"01": 25, "02": 35, "03": 60, "04": 50}
    assert sum(points.values()) == sum(check.points for check in CHECKS)


def test_no_two_checks_have_one_slug_and_every_exercise_has_one() -> None:
    slugs = [check.slug for check in CHECKS]
    assert len(set(slugs)) == len(slugs)
    assert set(EXERCISES) <= set(slugs)


def test_what_cannot_be_looked_at_is_a_failed_check_with_the_reason() -> None:
    def missing(lab: Pipeline) -> Finding:
        raise StepMissing("The stream reviews does not exist", "01_streams")

    finding = take(replace(good, ask=missing), Pipeline(SESSION))
    assert not finding.passed
    assert "run 01_streams first" in finding.message


def test_results_are_left_for_the_runner_and_a_failure_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[dict[str, Any]] = []
    monkeypatch.setattr(check_module, "CHECKS", (good, bad))
    monkeypatch.setattr(check_module, "leave", lambda mime, data, text, html: left.append(data))
    with pytest.raises(CheckFailed, match="1 check of 01_streams failed: do this next"):
        check_module.check("01", SESSION, shards=0)
    (data,) = left
    assert [(one["slug"], one["name"], one["points"], one["passed"], one["run_id"]) for one in data["checks"]] == [
        ("good", "It is <fine>", 2, True, "run-1"),
        ("bad", "It is wrong", 3, False, "run-1"),
    ]


def test_a_table_says_state_points_place_and_the_whole_message() -> None:
    report = CheckReport(((good, good.ask(None)), (bad, bad.ask(None))))
    for part in ("✔ passed", "✘ FAILED", "looked at", "It is &lt;fine&gt;", "here", " and that" * 20):
        assert part in report.html
    assert report.text.splitlines()[:2] == ["  passed  It is <fine>  (2 points)", "      looked at here: fine"]


def test_an_answer_that_is_known_must_be_one_that_is_asked_for() -> None:
    assert Pipeline(SESSION, known={"parallelism": (4, 4)}).parallelism == (4, 4)
    with pytest.raises(AttributeError):
        Pipeline(SESSION, known={"paralelism": (4, 4)})


def test_a_dead_account_fails_every_check_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "000000000000",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    lab = Pipeline(SESSION, {"shards": 0, "reviews_file": "data/sample.json"})
    for check in checks_of("01"):
        finding = take(check, lab)
        assert not finding.passed
        assert "nothing answers at http://127.0.0.1:1" in finding.message
