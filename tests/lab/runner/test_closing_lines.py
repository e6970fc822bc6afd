import pytest

from lab.runner import closing_lines
from lab.runner.outcome import CheckResult, NotebookResult, SeriesResult
from lab.runner.run_folder import Run, point_latest

RESULT = SeriesResult(
    "20261123-232131-3fa9",
    "",
    41.26,
    (NotebookResult("01", "passed", checks=(CheckResult("a", "a", 5, True, "", ""),)),),
)


@pytest.fixture
def run(tmp_path):
    run = Run("20261123-232131-3fa9", tmp_path / "runs" / "20261123-232131-3fa9")
    run.folder.mkdir(parents=True)
    run.report.write_text("")
    return run


@pytest.fixture
def account(tmp_path, monkeypatch):
    """account(source) makes `python -m localaws` that program."""
    monkeypatch.setattr(closing_lines, "ROOT", tmp_path)

    def make(source):
        (tmp_path / "localaws").mkdir()
        (tmp_path / "localaws" / "__init__.py").write_text("")
        (tmp_path / "localaws" / "__main__.py").write_text(f"import sys\n{source}")

    return make


def test_stopping_the_account_passes_on_what_it_complains_about(account):
    account("sys.exit('Port 4566 is held by another process.')")
    assert closing_lines.stop_account() == (
        "The embedded account could not be stopped (Port 4566 is held by another process.); run `make down`."
    )


def test_stopping_the_account_leaves_it_alone_with_the_terminals_signals(account, tmp_path):
    account("import os; open('sid', 'w').write(f'{os.getsid(0) == os.getpid()}')")
    assert closing_lines.stop_account() is None
    assert (tmp_path / "sid").read_text() == "True"


def test_the_last_lines_say_where_everything_is(run, monkeypatch):
    point_latest(run)
    monkeypatch.chdir(run.folder.parent.parent)
    monkeypatch.delenv("LOCALAWS_PORT", raising=False)
    status = {"dashboards": {"student": "http://127.0.0.1:8081/"}}
    assert closing_lines.last_lines(RESULT, run, status, stopped=False) == [
        "PASSED      1 of 1 checks, 5 of 5 points, 41.3 s",
        "report      runs/latest/report.html",
        "dashboard   http://127.0.0.1:8081/ (application student; open it in a browser)",
        "account     http://127.0.0.1:4566 stays up: `make down` stops everything",
    ]
    assert closing_lines.last_lines(RESULT, run, None, stopped=True)[2:] == ["account     stopped"]


@pytest.mark.parametrize("status", [None, {}])
def test_without_an_account_and_a_link_the_last_lines_are_the_verdict_and_the_report(run, status):
    lines = closing_lines.last_lines(RESULT, run, status, stopped=False)
    assert len(lines) == 2 and lines[1].endswith("20261123-232131-3fa9/report.html")


def test_no_report_is_named_that_is_not_there(run):
    run.report.unlink()
    assert len(closing_lines.last_lines(RESULT, run, None, stopped=False)) == 1
