"""The student edition as it is handed out, run unattended: nothing but "not attempted", and no traceback anywhere."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lab.exercises.catalog import EXERCISES
from lab.exercises.release import write_whole
from tests.support.account import PROJECT
from tests.support.series import fresh_account


@pytest.mark.slow  # about 60 s
def test_every_blank_is_not_attempted_with_its_hint(tmp_path: Path) -> None:
    account = fresh_account(tmp_path / "home")
    edition = tmp_path / "edition"
    write_whole(edition)
    (edition / ".cache").symlink_to(PROJECT / ".cache")  # the connector's jar is the same
    try:
        finished = subprocess.run(
            [sys.executable, "-m", "lab", "run", "--out", str(tmp_path / "runs")],
            cwd=edition,
            env={**account.environment, "PYTHONPATH": str(edition)},
            capture_output=True,
            text=True,
            check=False,
        )
        said = finished.stdout + finished.stderr
        assert finished.returncode == 1, said
        folder = (tmp_path / "runs" / "latest").resolve()
        results = json.loads((folder / "results.json").read_text())
        tests = {test["name"]: test for test in results["tests"]}
        for exercise in EXERCISES.values():
            name = f"{exercise.notebook}: {exercise.title}"
            assert name in tests, f"{name} was not reached: {said}"
            test = tests[name]
            assert test["score"] == 0
            assert "Not attempted yet: fill the blank" in test["output"]
            assert exercise.hint in test["output"]
        others = {name for name, test in tests.items() if test["max_score"] and test["status"] == "passed"}
        assert len(others) == 11, others  # what needs no exercise is there and passes
        assert "Traceback" not in said
        for path in folder.glob("0*.ipynb"):
            assert '"output_type": "error"' not in path.read_text(), path.name
        last = finished.stderr.splitlines()[-1]
        assert last.startswith("11 checks wait for an exercise. 01_streams: “Exercise 1: choose")
    finally:
        account.command("down")
