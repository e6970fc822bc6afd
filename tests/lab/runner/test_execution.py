"""Notebooks that misbehave as notebooks do, on real kernels: each run ends with one exact sentence."""

import json
import os
import resource
import subprocess
import sys

import pytest

from lab import cli
from lab.core import paths
from lab.core.cell_outputs import CHECK
from lab.runner.execution import _literal
from tests.lab.series import make_series


@pytest.fixture
def run_series(tmp_path, monkeypatch, capsys):
    """run_series(*fixtures, options=...) -> (exit code, results.json, what was printed to stderr)."""
    monkeypatch.setattr(cli.session, "local_status", lambda: None)

    def run(*fixtures, options=()):
        series = make_series(tmp_path / "series", *fixtures)
        code = cli.main(["run", "--notebooks", str(series), "--out", str(tmp_path / "runs"), *options])
        return code, json.loads((tmp_path / "runs" / "latest" / "results.json").read_text()), capsys.readouterr().err

    return run


def data_of(tmp_path, notebook):
    cells = json.loads((tmp_path / "runs" / "latest" / f"{notebook}.ipynb").read_text())["cells"]
    return [output["data"] for cell in cells for output in cell.get("outputs", []) if "data" in output]


@pytest.mark.slow  # about 5 s
def test_parameters_and_run_id_reach_a_kernel_that_is_this_python_in_the_root(run_series, tmp_path):
    options = ["--target", "aws", "-p", "shards", "4", "-p", "rate", "2"]
    code, content, stderr = run_series("good", "which_python", options=options)
    assert (code, content["score"], stderr) == (0, 10, "")
    good = data_of(tmp_path, "01_good")
    assert good[0]["text/plain"] == ["('aws', 4, 2.0, False)"]
    assert [data[CHECK]["run_id"] for data in good if CHECK in data] == [(tmp_path / "runs" / "latest").resolve().name]
    assert data_of(tmp_path, "02_which_python")[0]["text/plain"] == [repr(sys.executable)]


@pytest.mark.slow  # about 3 s each
@pytest.mark.parametrize(
    ("fixture", "sentence", "score"),
    [
        (
            "failing_cell",
            "01_failing_cell, code cell 4 (`# what follows cannot work`): KeyError: 'no such key'; the",
            0,
        ),
        (
            "failing_cell",
            "01_failing_cell, code cell 4 (`# what follows cannot work`): KeyError: 'no such key'; the",
            0,
        ),
        ("quiet_check", "01_quiet_check: the check “the streams are ACTIVE” failed: reviews is CREATING", 3),
        ("skipped", '01_skipped, code cell 3 (`"skipped"`): the cell never ran', 0),
        ("expected_error", "01_expected_error, code cell 3 (`1 / 0`): ZeroDivisionError: division by zero", 0),
    ],
)
def test_a_notebook_that_did_not_do_its_work_fails_the_run(run_series, tmp_path, fixture, sentence, score):
    code, content, stderr = run_series(fixture, "good")
    assert code == 1
    assert stderr.startswith(sentence) and stderr.count("\n") == 1 and stderr.endswith(".\n")
    assert (content["score"], content["output"]) == (score, stderr.strip())
    assert content["tests"][-1]["output"] == "Not run, because an earlier part failed."
    assert not (tmp_path / "runs" / "latest" / "02_good.ipynb").exists()
    assert "✗ Failed" in (tmp_path / "runs" / "latest" / "report.html").read_text()


@pytest.mark.slow  # about 6 s
def test_a_disk_that_takes_no_more_leaves_a_valid_zero_and_one_sentence(tmp_path):
    series = make_series(tmp_path / "series", "good", "pictures")
    run = subprocess.run(
        [sys.executable, "-m", "lab", "run", "--notebooks", str(series), "--out", str(tmp_path / "runs")],
        cwd=paths.ROOT,
        env={**os.environ, "LOCALAWS_HOME": str(tmp_path / "home"), "LOCALAWS_PORT": "1"},
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000)),
    )
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1 and "File too large" in run.stderr
    assert json.loads((tmp_path / "runs" / "latest" / "results.json").read_text())["score"] == 0
    assert not list((tmp_path / "runs").rglob(".*.tmp"))


def test_braces_in_a_path_are_no_placeholders(tmp_path):
    assert _literal(tmp_path / "{a}.ipynb").format() == str(tmp_path / "{a}.ipynb")
