import re
from html.parser import HTMLParser

from lab.runner import report
from lab.runner.outcome import CheckResult, Failure, NotebookResult, SeriesResult, Step
from lab.runner.page_outputs import Exhibit
from lab.runner.run_folder import Run

RESULT = SeriesResult(
    "20261123-232131-3fa9",
    "2026-11-23T23:21:31+00:00",
    41.26,
    (
        NotebookResult(
            "01_streams",
            "passed",
            4.0,
            14,
            14,
            (CheckResult("active", "ACTIVE", 5, True, "both streams", "<b>Both</b>."),),
        ),
        NotebookResult("03_flink_job", "passed", 20.0, 9, 9, (), (Step("StartApplication to RUNNING", 9.25),)),
    ),
    parameters={"shards": 4, "labels_file": ""},
)
CHART = Exhibit("chart", "Who was flagged", "iVBORw0KGgo=", alt='7 < 9 & "more"')
TABLE = Exhibit("table", "Who was flagged", "<table><tr><td>Ann</td></tr></table>", left_out=3)


class Page(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.elements = []
        self.text = ""
        self.feed(html)
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_the_page_holds_verdict_checks_charts_tables_times_and_parameters():
    page = Page(report.render(RESULT, {"01_streams": [CHART, TABLE]}))
    for said in (
        "✓ Passed",
        "5 of 5",
        "<b>Both</b>.",
        "StartApplication to RUNNING",
        "9.2",
        "shards",
        "(empty)",
        "Ann",
    ):
        assert said in page.text
    assert "3 more rows are in the executed notebook" in page.text
    assert [a["alt"] for tag, a in page.elements if tag == "img"] == ['7 < 9 & "more"']
    assert page.text.count("Who was flagged") == 1


def test_the_page_loads_nothing_and_runs_nothing():
    page = Page(report.render(RESULT, {"01_streams": [CHART, TABLE]}))
    loaded = [value for _, a in page.elements for name, value in a.items() if name in ("src", "href")]
    assert all(value.startswith(("data:", "#")) for value in loaded)
    assert not any(tag == "script" or name.startswith("on") for tag, a in page.elements for name in a)
    anchors = {a["id"] for _, a in page.elements if "id" in a}
    assert {value[1:] for value in loaded if value.startswith("#")} <= anchors


def test_a_failure_is_said_at_the_top_with_its_traceback_below():
    failure = Failure("02_producer, code cell 7: it failed.", True, "Traceback <module>")
    failed = NotebookResult("02_producer", "failed", failure=failure)
    html = report.render(SeriesResult("r", "2026", 1.0, (failed,)), {})
    page = Page(html)
    assert page.text.index("✗ Failed") < page.text.index("it failed.") < page.text.index("Traceback <module>")
    assert "No check of this run was seen." in page.text


def test_a_notebook_that_was_cut_off_while_saving_leaves_the_rest_of_the_report(tmp_path):
    (tmp_path / "01_streams.ipynb").write_text('{"cells": [')
    run = Run("r", tmp_path)
    report.write(run, RESULT)
    assert "✓ Passed" in run.report.read_text()


def test_versions_name_what_the_run_ran_on():
    versions = report.versions()
    assert versions["Python"].startswith("3.11.")
    assert re.match(r"\d+\.\d+", versions["papermill"])
