"""The runner on small odd series, with real kernels: what dies must not pass; about 60 s in all."""

import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import psutil
import pytest

from lab.runner.series import Interrupted, Signals
from tests.lab.series import make_series
from tests.support.account import PROJECT

pytestmark = pytest.mark.slow  # about 60 s in all


def command(folder: Path, *arguments: str) -> list[str]:
    notebooks, out = folder / "notebooks", folder / "runs"
    return [sys.executable, "-m", "lab", "run", "--notebooks", str(notebooks), "--out", str(out), *arguments]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "LOCALAWS_HOME": str(folder / "home"), "LOCALAWS_PORT": "1"}


def run(folder: Path, *fixtures: str, arguments: tuple[str, ...] = ()) -> tuple[int, str, dict[str, Any]]:
    """Run four notebooks of these fixtures; (exit code, last line, results.json)."""
    make_series(folder / "notebooks", *(fixtures + ("good",) * (4 - len(fixtures))))
    finished = subprocess.run(
        command(folder, *arguments),
        cwd=PROJECT,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    results = folder / "runs" / "latest" / "results.json"
    content = json.loads(results.read_text()) if results.exists() else {}
    return finished.returncode, (finished.stdout + finished.stderr).strip().splitlines()[-1], content


def test_a_good_series_passes_and_leaves_everything(tmp_path: Path) -> None:
    code, _, results = run(tmp_path, "good", "pictures")
    assert code == 0
    assert results["score"] == sum(test["max_score"] for test in results["tests"]) > 0
    latest = tmp_path / "runs" / "latest"
    assert {path.suffix for path in latest.iterdir()} >= {".ipynb", ".html", ".json", ".xml"}
    assert xml.etree.ElementTree.parse(latest / "junit.xml").getroot().tag in ("testsuite", "testsuites")
    assert 'alt="' in (latest / "report.html").read_text()


@pytest.mark.parametrize(
    ("fixture", "said"),
    [
        ("failing_cell", "code cell"),
        ("exits", "code cell"),
        ("killed", "kernel"),
        ("failing_check", "01_failing_check"),
        ("forged_check", "01_forged_check"),
        ("no_checks", "01_no_checks"),
        ("sentence", "01_sentence"),
    ],
)
def test_what_does_not_pass_says_where_and_scores_nothing(tmp_path: Path, fixture: str, said: str) -> None:
    code, last, results = run(tmp_path, fixture)
    assert code == 1
    assert last.startswith(f"01_{fixture}"), last
    assert said in last
    failed = [test for test in results["tests"] if test["status"] == "failed"]
    assert failed and all(test["score"] == 0 for test in failed)


def test_an_endless_cell_ends_with_its_time(tmp_path: Path) -> None:
    code, last, results = run(tmp_path, "endless", arguments=("--cell-timeout", "2"))
    assert code == 1
    assert "01_endless" in last
    assert results["score"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-p", "no_such_parameter", "1"), "No notebook has a parameter no_such_parameter"),
        (("-f", "none.yaml"), "none.yaml"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_runs(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    code, last, results = run(tmp_path, arguments=arguments)
    assert code == 2
    assert said in last
    assert results == {}


def start_and_wait(folder: Path) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """A run that hangs in its first notebook, and its kernels."""
    make_series(folder / "notebooks", "endless", "good", "good", "good")
    running = subprocess.Popen(
        command(folder),
        cwd=PROJECT,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while not psutil.Process(running.pid).children(recursive=True):
        assert running.poll() is None
        time.sleep(0.1)
    assert running.stdout is not None
    for line in running.stdout:
        if "started" in line:
            break
    return running, psutil.Process(running.pid).children(recursive=True)


def test_ctrl_c_ends_the_kernels_and_says_where(tmp_path: Path) -> None:
    running, kernels = start_and_wait(tmp_path)
    running.send_signal(signal.SIGINT)
    printed, _ = running.communicate()
    assert running.returncode == 130
    assert "interrupted" in printed
    assert json.loads((tmp_path / "runs" / "latest" / "results.json").read_text())["score"] == 0
    _, alive = psutil.wait_procs(kernels, timeout=60)
    assert alive == []


def test_a_signal_whose_exception_python_ignores_is_sent_again() -> None:
    class Ignored:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            sum(range(100))  # the handler runs in here, where its exception is printed and forgotten

    with Signals().installed() as signals, pytest.raises(Interrupted):
        one = Ignored()
        del one
        assert signals.received
        time.sleep(60)
        raise AssertionError("the signal was lost")


def test_a_killed_runner_leaves_valid_results_that_say_zero(tmp_path: Path) -> None:
    running, kernels = start_and_wait(tmp_path)
    running.kill()
    running.communicate()
    for kernel in kernels:
        if kernel.is_running():
            kernel.kill()
    results = json.loads((tmp_path / "runs" / "latest" / "results.json").read_text())
    assert results["score"] == 0
    assert "did not finish" in results["output"]
