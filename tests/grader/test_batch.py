"""A class: whatever one submission causes, everybody else is graded, and everybody has a row."""

import csv
import io
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from grader import batch
from grader.batch import Batch
from grader.evidence import Evidence, NotGraded, Ran
from grader.sandbox.limits import Limits
from grader.submissions import NOTEBOOKS, find
from lab.checks.probe import PASSED, Finding

SURROGATE = "\ud800"


class FakeGrading:
    """Behaves as the name of the submission says; knows what was tried."""

    tried: list[tuple[str, bool]] = []
    at_once = most = 0
    lock = threading.Lock()

    def __init__(self, submission: Any, *_given: Any) -> None:
        self.name, self.last = submission.name, _given[-1]

    def run(self) -> Evidence:
        with self.lock:
            self.tried.append((self.name, self.last))
        if self.name.startswith("raises"):
            raise RuntimeError(SURROGATE)
        if self.name.startswith("slow") and not self.last:
            raise NotGraded("The embedded account did not start")
        ran = Ran()
        said = f"{SURROGATE} broken"
        ran.read([json.dumps({"event": "notebook", "name": "01_streams", "result": None, "said": said, "nb": said})
                  .encode()])  # fmt: skip
        looked = {"landing_zone": Finding(PASSED, SURROGATE, SURROGATE)}
        return Evidence(ran, looked, {}, (SURROGATE,), 1.0, 1)

    def cancel(self) -> None:
        pass


@pytest.fixture
def graded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Grade a folder; its rows by name."""
    FakeGrading.tried = []

    class NoFiles:
        base = None

        def __init__(self, _folder: Path) -> None:
            pass

    monkeypatch.setattr(batch, "Grading", FakeGrading)
    monkeypatch.setattr(batch, "TrustedFiles", NoFiles)
    monkeypatch.setattr(batch.hidden_data, "draw", lambda *_given: None)

    def grade(folder: Path) -> dict[str, dict[str, str]]:
        Batch(find(folder), tmp_path / "out", 2, Limits(), progress=False).run()
        table = csv.DictReader(io.StringIO((tmp_path / "out" / "grades.csv").read_text("utf-8")))
        return {row["submission"]: row for row in table}

    return grade


def hand_in(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name / "notebooks").mkdir(parents=True)
        (folder / name / "notebooks" / "01_streams.ipynb").write_text("{}")
    return folder


def test_one_submission_costs_itself_only(tmp_path: Path, graded: Any) -> None:
    folder = hand_in(tmp_path / "in", "ada", "raises", "slow")
    (folder / "damaged.zip").write_bytes(b"PK\x03\x04 and nothing else")
    (folder / "packed.rar").write_bytes(b"Rar!\x1a\x07")
    os.mkdir(os.fsencode(folder) + b"/Andr\xe9")  # noqa: PTH102 - bytes that are no UTF-8
    rows = graded(folder)
    assert {name: row["state"] for name, row in rows.items()} == {
        "ada": "graded", "Andr\\xe9": "graded", "damaged": "graded", "packed": "graded",
        "raises": "not graded", "slow": "graded",
    }  # fmt: skip
    assert int(rows["ada"]["score"]) == int(rows["slow"]["score"]) > 0
    assert rows["damaged"]["score"] == rows["packed"]["score"] == rows["Andr\\xe9"]["score"] == "0"
    assert "hand in a zip" in rows["packed"]["said"]
    assert rows["raises"]["score"] == ""  # not 0: nobody knows
    assert rows["raises"]["said"] == "It is not graded (RuntimeError: \\ud800): run the command again."
    results = json.loads((tmp_path / "out" / "ada" / "results.json").read_text("utf-8"))
    assert results["output"] == "\\ud800"
    assert "\\ud800 broken" in (tmp_path / "out" / "ada" / "report.html").read_text("utf-8")


def test_what_came_to_no_result_is_graded_once_more_at_the_end(tmp_path: Path, graded: Any) -> None:
    graded(hand_in(tmp_path / "in", "a", "raises", "slow", "z"))
    assert sorted(FakeGrading.tried[:4]) == [("a", False), ("raises", False), ("slow", False), ("z", False)]
    assert FakeGrading.tried[4:] == [("raises", True), ("slow", True)]


def test_started_again_only_what_has_no_grade_or_changed_is_graded(tmp_path: Path, graded: Any) -> None:
    folder = hand_in(tmp_path / "in", "a", "b", "raises")
    graded(folder)
    (folder / "b" / "notebooks" / "01_streams.ipynb").write_text("{ }")
    FakeGrading.tried = []
    graded(folder)
    assert sorted(FakeGrading.tried[:2]) == [("b", False), ("raises", False)]
    assert FakeGrading.tried[2:] == [("raises", True)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
EVENTS = st.fixed_dictionaries(
    {"event": st.just("notebook") | JSON},
    optional={
        "name": st.sampled_from(NOTEBOOKS) | JSON,
        "result": st.fixed_dictionaries({}, optional={"seconds": JSON, "status": JSON, "failure": JSON}) | JSON,
        "said": JSON,
        "nb": JSON,
        "timed_out": JSON,
    },
)


def test_what_a_notebook_says_of_itself_is_bounded() -> None:
    ran = Ran()
    long = "x" * 1_000_000
    event = {"event": "notebook", "name": "01_streams", "result": {"status": long}, "said": long, "nb": None}
    ran.read([json.dumps(event).encode()])
    [run] = ran.results
    assert len(run.said) == len(run.status) == 2_000


@settings(deadline=None)
@given(events=st.lists(EVENTS | JSON, max_size=8), tail=st.binary(max_size=9))
def test_whatever_the_events_are_they_are_at_most_one_for_each_notebook(events: list[Any], tail: bytes) -> None:
    ran = Ran()
    ran.read([*(json.dumps(event).encode() for event in events), tail])
    names = [run.name for run in ran.results]
    assert len(set(names)) == len(names) and set(names) <= set(NOTEBOOKS) and set(ran.executed) <= set(names)
    for run in ran.results:
        assert isinstance(run.status, str) and isinstance(run.said, str)
        assert f"{run.seconds:.1f}"
