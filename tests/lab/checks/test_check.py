from typing import Any

import pytest

from lab.checks import check as check_module
from lab.checks.check import Check, Finding, Lab, checks_of, run_check
from lab.core.errors import CheckFailed, StepMissing
from lab.core.session import Session

SESSION = Session("local", "us-east-1", "000000000000", "http://127.0.0.1:1", "run-1")


def test_every_notebook_has_its_checks_and_the_points_are_as_announced() -> None:
    points = {number: sum(check.points for check in checks_of(number)) for number in ("01", "02", "03", "04")}
    assert points == {"01": 25, "02": 35, "03": 60, "04": 50}


def test_what_cannot_be_looked_at_is_a_failed_check_with_the_reason() -> None:
    def missing(lab: Lab) -> Finding:
        raise StepMissing("The stream reviews does not exist", "01_streams")

    finding = run_check(Check("02_producer", "x", 1, missing), Lab(SESSION))
    assert not finding.passed
    assert "run 01_streams first" in finding.message


def test_results_are_left_for_the_runner_and_a_failure_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[dict[str, Any]] = []
    found = [
        Check("01_streams", "good", 2, lambda lab: Finding(True, "here", "fine")),
        Check("01_streams", "bad", 3, lambda lab: Finding(False, "there", "do this next")),
    ]
    monkeypatch.setattr(check_module, "checks_of", lambda notebook: found)
    monkeypatch.setattr(check_module, "leave", lambda mime, data, text, html: left.append(data))
    with pytest.raises(CheckFailed, match="1 check of 01_streams failed: do this next"):
        check_module.check("01", SESSION, shards=0)
    (data,) = left
    assert [(one["name"], one["points"], one["passed"], one["run_id"]) for one in data["checks"]] == [
        ("good", 2, True, "run-1"),
        ("bad", 3, False, "run-1"),
    ]


def test_a_dead_account_fails_every_check_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "000000000000",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    lab = Lab(SESSION, {"shards": 0, "reviews_file": "data/sample.json"})
    for check in checks_of("01"):
        finding = run_check(check, lab)
        assert not finding.passed
        assert "nothing answers at http://127.0.0.1:1" in finding.message
