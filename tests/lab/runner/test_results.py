import json
import xml.etree.ElementTree as ET

import pytest

from lab.runner import results
from lab.runner.outcome import CheckResult, Failure, NotebookResult, SeriesResult
from lab.runner.run_folder import Run, RunFolderUnusable

PASSED = CheckResult("active", "the streams are ACTIVE", 5, True, "DescribeStreamSummary", "Both are.")
FAILED = CheckResult(
    "records", "as many records as reviews", 10, False, "the stream reviews", "99 of 100 \x1b[31m\x00\ufffe are there."
)


def series(*notebooks, ended=None):
    return SeriesResult("20261123-232131-3fa9", "2026-11-23T23:21:31+00:00", 41.26, notebooks, ended=ended)


GOOD = NotebookResult("01_streams", "passed", 4.0, 14, 14, (PASSED,))
BAD = NotebookResult(
    "02_producer", "failed", 9.5, 12, 7, (FAILED,), failure=Failure("02_producer: it failed.", False, "tb")
)
DEAD = NotebookResult("02_producer", "failed", 9.5, 12, 7, (), failure=Failure("02_producer: it died.", True))
UNRUN = NotebookResult("03_flink_job", "not run")


@pytest.fixture
def run(tmp_path):
    return Run("20261123-232131-3fa9", tmp_path)


def test_from_the_start_the_score_is_zero(run):
    results.begin(run)
    content = json.loads(run.results.read_text())
    assert content == {"score": 0, "output": "The run 20261123-232131-3fa9 did not finish.", "tests": []}


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    with pytest.raises(RunFolderUnusable, match=r"cannot be written \(No such file or directory\)"):
        results.begin(Run("x", tmp_path / "gone"))


def test_results_have_gradescopes_shape(run):
    results.write(run, series(GOOD, BAD, UNRUN))
    content = json.loads(run.results.read_text())
    assert content["score"] == 5 == sum(test["score"] for test in content["tests"])
    assert content["output"] == "02_producer: it failed."
    assert content["execution_time"] == 41.3
    assert [(t["name"], t["score"], t["max_score"], t["status"]) for t in content["tests"]] == [
        ("01_streams: every code cell runs", 0, 0, "passed"),
        ("01_streams: the streams are ACTIVE", 5, 5, "passed"),
        ("02_producer: every code cell runs", 0, 0, "failed"),
        ("02_producer: as many records as reviews", 0, 10, "failed"),
        ("03_flink_job: every code cell runs", 0, 0, "failed"),
    ]
    assert content["tests"][1]["output"] == "Looked at DescribeStreamSummary.\nBoth are."


@pytest.mark.parametrize("result", [series(GOOD, DEAD), series(GOOD, ended="The run failed.")])
def test_no_test_has_points_when_anything_died(result):
    content = results.gradescope(result)
    assert content["score"] == 0 and all(test["score"] == 0 for test in content["tests"])


def test_a_full_disk_leaves_the_zero_of_the_start(run, monkeypatch):
    results.begin(run)

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="No space left"):
        results.write(run, series(GOOD))
    results.try_zero(run, series(GOOD, ended="The disk is full."))
    assert json.loads(run.results.read_text())["score"] == 0


def test_junit_counts_cases_failures_errors_and_skips(run):
    results.write_junit(run, series(GOOD, BAD, UNRUN, ended="The disk is full."))
    root = ET.parse(run.junit).getroot()
    assert root.tag == "testsuites"
    assert {k: root.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6",
        "failures": "2",
        "errors": "1",
        "skipped": "1",
    }
    assert [suite.get("name") for suite in root] == ["01_streams", "02_producer", "03_flink_job", "the run"]
    assert root.find(".//testcase[@name='as many records as reviews']/failure").get("message").startswith("99 of 100")
    assert root.find(".//testcase[@name='every code cell runs']/failure").text == "tb"


def test_junit_calls_a_death_an_error():
    root = ET.fromstring(results.junit(series(DEAD)).encode())
    assert root.find(".//error").get("message") == "02_producer: it died."
