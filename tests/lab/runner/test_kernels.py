"""However a run ends, none of its kernels and none of their children goes on running."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from lab.core import paths
from lab.runner.kernels import _transport
from tests.lab.series import make_series

pytestmark = pytest.mark.slow  # about 6 s each


class Started:
    """A run that hangs in its first notebook, which has a child of its own."""

    def __init__(self, folder, *options):
        self.latest = folder / "runs" / "latest"
        series = make_series(folder / "series", "endless", "good")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lab", "run", "--notebooks", str(series), "--out", str(folder / "runs"), *options],
            cwd=paths.ROOT,
            env={**os.environ, "LOCALAWS_HOME": str(folder / "home"), "LOCALAWS_PORT": "1", "TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def family(self):
        """Waits for the endless cell and returns what runs by then: two kernels and the notebook's child."""
        while not self._hangs():
            assert self.process.poll() is None, self.process.stderr.read()
            time.sleep(0.05)
        found = psutil.Process(self.process.pid).children(recursive=True)
        assert sorted(process.cmdline()[0] for process in found) == [sys.executable, sys.executable, "sleep"]
        return found

    def _hangs(self):
        try:
            cells = json.loads((self.latest / "01_endless.ipynb").read_text())["cells"]
        except (FileNotFoundError, ValueError):  # not there yet, or being written
            return False
        return any(
            cell["metadata"]["papermill"]["status"] == "running" for cell in cells if "while" in cell["source"][0]
        )

    def end(self):
        _, stderr = self.process.communicate()
        return self.process.returncode, json.loads((self.latest / "results.json").read_text()), stderr


def kernels_of(family):
    return [process for process in family if "lab.runner.kernels" in process.cmdline()]


def running(processes, within):
    _, alive = psutil.wait_procs(processes, timeout=within)
    return [process.cmdline() for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_after_an_interruption_nothing_runs_and_the_score_is_zero(tmp_path, number):
    run = Started(tmp_path)
    family = run.family()
    run.process.send_signal(number)
    code, content, stderr = run.end()
    assert code == 130
    assert stderr.startswith("01_endless, code cell 6 (`while True:`): the run was interrupted here")
    assert stderr.count("\n") == 1 and (content["score"], content["output"]) == (0, stderr.strip())
    assert running(family, within=300) == []


def test_after_a_timeout_nothing_runs(tmp_path):
    run = Started(tmp_path, "--cell-timeout", "2")
    family = run.family()
    code, content, stderr = run.end()
    assert code == 1 and content["score"] == 0
    assert stderr.startswith("01_endless, code cell 6 (`while True:`): the cell was still running after 2 s; look at")
    assert running(family, within=300) == []


def test_when_the_runner_is_killed_its_kernels_end_by_themselves(tmp_path):
    run = Started(tmp_path)
    family = run.family()
    kernels = kernels_of(family)
    assert len(kernels) == 2
    run.process.kill()
    code, content, _ = run.end()
    assert code == -signal.SIGKILL
    assert (content["score"], content["tests"]) == (0, []) and "did not finish" in content["output"]
    assert running(kernels, within=300) == []
    for process in family:
        if process.is_running():
            process.kill()


def test_no_channel_of_a_kernel_has_a_port_that_others_could_take():
    with tempfile.TemporaryDirectory() as name:  # pytest's own path is too long for a socket
        run = Started(Path(name))
        kernels = kernels_of(run.family())
        sockets = [one.laddr for process in kernels for one in process.net_connections("unix") if "-ipc-" in one.laddr]
        run.process.send_signal(signal.SIGTERM)
        run.end()
        names = {f"kernel-0-ipc-{channel}" for channel in range(1, 6)}
        assert {Path(path).name for path in sockets} >= names  # the next kernel may still be starting
        assert all(path.startswith(name) and not Path(path).exists() for path in sockets)


def test_a_path_too_long_for_a_socket_means_ports():
    assert _transport(Path("/tmp/lab-kernels-abcdefgh/kernel-0.json")) == "ipc"
    assert _transport(Path("/" + "t" * 90 + "/kernel-0.json")) == "tcp"
