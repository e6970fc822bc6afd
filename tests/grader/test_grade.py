"""The grader on real submissions, honest and hostile, as a teacher starts it; about 140 s on two quiet cores.

One grading of them all: small hostile ones, which wait for nothing, beside whole ones (the honest solution, the blank
edition, one that copies), which wait for what does not come.
"""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from grader.sandbox.namespaces import why_not_isolated
from lab.checks.check import CHECKS
from lab.exercises.catalog import EXERCISES
from tests.support import hostile
from tests.support.account import PROJECT

pytestmark = pytest.mark.slow  # about 140 s in all
needs_isolation = pytest.mark.skipif(why_not_isolated() is not None, reason=f"no namespaces here: {why_not_isolated()}")
OUTPUT = (
    "03_flink_job: Events are visible in suspicious_activity",
    "04_validate: Every window equals the reference",
)


class Graded:
    """What a grading left."""

    def __init__(self, out: Path, said: str, code: int) -> None:
        self.out, self.said, self.code = out, said, code

    def results(self, name: str) -> dict[str, Any]:
        return json.loads((self.out / name / "results.json").read_text())

    def earned(self, name: str) -> dict[str, int]:
        """Points by check, of those that earned any."""
        return {test["name"]: test["score"] for test in self.results(name)["tests"] if test["score"]}

    def report(self, name: str) -> str:
        return (self.out / name / "report.html").read_text()


def command(submissions: Path, out: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "lab", "grade", str(submissions), "--out", str(out), *arguments]


def grade(submissions: Path, out: Path, *arguments: str) -> Graded:
    finished = subprocess.run(
        command(submissions, out, *arguments), cwd=PROJECT, capture_output=True, text=True, check=False
    )
    return Graded(out, finished.stdout + finished.stderr, finished.returncode)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """All of them, three at a time; the spy knows where the others are."""
    folder, out = tmp_path_factory.mktemp("submissions"), tmp_path_factory.mktemp("out")
    secret = tmp_path_factory.mktemp("grader") / "secret.txt"
    secret.write_text("the grader's own")
    hostile.blank(folder / "blank")
    hostile.breaker(folder / "breaker")
    hostile.copier(folder / "copier")
    hostile.forger(folder / "forger")
    hostile.filler(folder / "filler")
    hostile.forker(folder / "forker")
    hostile.honest(folder / "honest")
    hostile.knower(folder / "knower")
    wanted = [str(path) for path in (secret, folder, out, PROJECT / "tests", PROJECT / "data")]
    wanted += ["/lab/grader", "/lab/trusted_producer", "/etc/shadow", "/root", "/home/account", "/proc/1/environ"]
    hostile.spy(folder / "spy", wanted, ["/lab", "/lab/lab", "/usr", "/etc", "/home", str(out), "/home/work"])
    hostile.zip_of(folder / "out.zip", {"../../out.py": b"x", "notebooks/01_streams.ipynb": b"{}"})
    return grade(folder, out, "--jobs", "3", "--cell-timeout", "40", "--timeout", "600", "--disk", "600")


def test_everyone_is_graded_whatever_the_others_do(graded: Graded) -> None:
    assert graded.code == 0, graded.said
    assert "10 of 10 graded" in graded.said
    lines = (graded.out / "grades.csv").read_text().splitlines()
    names = ["blank", "breaker", "copier", "filler", "forger", "forker", "honest", "knower", "out", "spy"]
    assert [line.split(",")[0] for line in lines[1:]] == names
    assert "Traceback" not in graded.said


def test_what_exits_dies_hangs_or_prints_without_end_costs_its_own_points(graded: Graded) -> None:
    assert graded.results("breaker")["score"] == 0
    said = graded.report("breaker")
    assert "called sys.exit" in said
    assert "the kernel died" in said
    assert "still running after 40 s" in said
    assert "printed more than 4 MB" in said
    assert sum(path.stat().st_size for path in (graded.out / "breaker").rglob("*")) < 20 << 20


def test_what_is_said_is_worth_nothing(graded: Graded) -> None:
    assert graded.results("forger")["score"] == 0
    assert len(graded.results("forger")["tests"]) == len(CHECKS)


def test_a_zip_that_leads_out_is_refused_and_scores_nothing(graded: Graded) -> None:
    assert graded.results("out")["score"] == 0
    assert "leads out of its folder" in graded.results("out")["output"]


@needs_isolation
def test_processes_and_bytes_without_end_are_bounded(graded: Graded) -> None:
    assert graded.results("filler")["score"] == graded.results("forker")["score"] == 0
    assert "It wrote more than 600 MiB and was ended" in graded.report("filler")
    # Whichever bound was met first: the number of processes, or the memory of all of them.
    executed = "".join(path.read_text() for path in (graded.out / "forker" / "executed").glob("*.ipynb"))
    assert "forks ended" in executed or "of memory and was ended" in graded.report("forker")


@needs_isolation
def test_neither_other_accounts_nor_files_nor_processes_are_in_sight(graded: Graded) -> None:
    executed = json.loads((graded.out / "spy" / "executed" / "01_streams.ipynb").read_text())
    printed = "".join(
        "".join(output.get("text", "")) for cell in executed["cells"] for output in cell.get("outputs", [])
    )
    found = json.loads(re.search(r"FOUND (.*)", printed).group(1))
    assert found["open"] == [4566, 4566]  # its own account, and its own once more
    assert found["wrote"] == ["/home/work"]
    # /root may hold the Python that runs the lab; what is in it besides that is not there.
    assert all(name == "/lab/grader" and not names for name, names in found["read"] if name != "/root")
    assert found["user"] > 1_000_000_000
    # No channel of the runner can be taken over, through which it says what the notebooks did.
    assert (found["taken"], found["why"]) == ([], "Operation not permitted")
    assert not [line for line in found["processes"] if "grader" in line or "lab\0grade" in line]


def test_the_honest_solution_earns_every_point(graded: Graded) -> None:
    results = graded.results("honest")
    missing = [test for test in results["tests"] if test["score"] < test["max_score"]]
    assert not missing, missing
    assert results["score"] == results["extra_data"]["max_score"]
    assert len(list((graded.out / "honest" / "executed").glob("*.ipynb"))) == 4


def test_the_blank_edition_earns_what_needs_no_exercise(graded: Graded) -> None:
    results = graded.results("blank")
    tests = {test["name"]: test for test in results["tests"]}
    for exercise in EXERCISES.values():
        test = tests[f"{exercise.notebook}: {exercise.title}"]
        assert test["score"] == 0
        assert "Not attempted yet: fill the blank" in test["output"]
    assert results["score"] == 70
    assert "Traceback" not in graded.report("blank") + graded.said
    for path in (graded.out / "blank" / "executed").glob("*.ipynb"):
        assert '"output_type": "error"' not in path.read_text(), path.name


def test_output_that_nothing_computed_earns_nothing(graded: Graded) -> None:
    """The reference's windows are in the account, put in by hand; the application itself finds none."""
    results = graded.results("copier")
    said = {test["name"]: test for test in results["tests"]}
    for name in OUTPUT:
        assert said[name]["score"] == 0
        assert "The account holds it, but the application" in said[name]["output"], said[name]
    assert said[f"03_flink_job: {EXERCISES['window'].title}"]["score"] == 0
    groups = said[f"04_validate: {EXERCISES['groups'].title}"]
    assert groups["score"] == 0 and "let the count go down" in groups["output"], groups
    # What is there is there, and what was solved is solved.
    lost = sum(said[name]["max_score"] for name in OUTPUT) + EXERCISES["window"].points
    lost += EXERCISES["groups"].points
    assert results["score"] == results["extra_data"]["max_score"] - lost


def test_known_answers_earn_nothing(graded: Graded) -> None:
    earned = graded.earned("knower")
    # Its second statement is the honest one: it computes the groups of whatever it reads.
    computed = {f"03_flink_job: {EXERCISES['watermark'].title}", f"04_validate: {EXERCISES['groups'].title}"}
    assert set(earned) <= computed, earned
    tests = {test["name"]: test["output"] for test in graded.results("knower")["tests"]}
    assert "There is a window from" in tests[f"03_flink_job: {EXERCISES['window'].title}"] or (
        "windows have no row" in tests[f"03_flink_job: {EXERCISES['window'].title}"]
    )


def test_started_again_it_goes_on_where_it_was(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    for name in ("a", "b"):
        hostile.zip_of(_made(folder) / f"{name}.zip", {"../out": b""})
    hostile.notebook(folder / "z", "01_streams", "while True:\n    pass")
    began = subprocess.Popen(
        command(folder, out, "--cell-timeout", "100"), cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    while not (out / "b" / "results.json").exists():
        assert began.poll() is None
        time.sleep(0.1)
    began.send_signal(signal.SIGTERM)
    said, _ = began.communicate()
    assert began.returncode == 130, said
    assert b"goes on where it was" in said
    assert "z,not graded" in (out / "grades.csv").read_text()
    (folder / "z").rename(folder.parent / "z")
    before = (out / "a" / "results.json").stat().st_mtime_ns
    again = grade(folder, out)
    assert again.code == 0, again.said
    assert again.said.count("graded before") == 2
    assert (out / "a" / "results.json").stat().st_mtime_ns == before


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
