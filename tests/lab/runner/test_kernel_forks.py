"""Kernels that are forked: each is a process of its own in all that a notebook can see, and jupyter_client rules it."""

import contextlib
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from jupyter_core.utils import run_sync

from lab.runner.kernel_forks import can_fork
from lab.runner.kernels import Kernels

pytestmark = [
    pytest.mark.slow,  # about 5 s in all
    pytest.mark.skipif(not can_fork(Path(tempfile.gettempdir())), reason="kernels are not forked here"),
]
LOOK = """
import json, os, random, signal, sys
import numpy, matplotlib
os.write(1, b"past the notebook")
open("made", "w").close()
print(json.dumps({
    "pid": os.getpid(), "session": os.getsid(0), "drawn": [random.random(), float(numpy.random.rand())],
    "given": os.environ["GIVEN"], "backend": matplotlib.get_backend(),
    "names": [name for name in ("pandas", "pd", "lab") if name in globals()],
    "blocked": [int(n) for n in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
    "models": sys.modules["lab.core.aws_models"].loader.cache_info().currsize,
}))
"""


class Kernel:
    """One kernel and a client of it."""

    def __init__(self, kernels):
        self.manager = kernels.take()
        self.client = self.manager.client()
        self.client.start_channels()
        run_sync(self.client.wait_for_ready)(timeout=60)

    def close(self):
        self.client.stop_channels()

    def run(self, code):
        """(what it printed, its last reply)"""
        said = []
        hook = lambda message: said.append(message["content"].get("text", ""))  # noqa: E731
        reply = run_sync(self.client.execute_interactive)(code, output_hook=hook, timeout=60)
        return "".join(said), reply["content"]


@pytest.fixture
def kernels(tmp_path, monkeypatch):
    monkeypatch.setenv("GIVEN", "by the runner")
    (tmp_path / "cwd").mkdir()
    made = Kernels(tmp_path / "cwd", tmp_path / "log")
    made.prepare()
    yield made
    made.close()


@pytest.fixture
def kernel(kernels):
    with contextlib.closing(Kernel(kernels)) as made:
        yield made


def test_each_is_a_session_of_its_own_with_its_own_environment_folder_log_and_luck(kernels, tmp_path):
    found = []
    for _ in range(2):
        with contextlib.closing(Kernel(kernels)) as kernel:
            found.append(json.loads(kernel.run(LOOK)[0]))
    for one in found:
        assert one["session"] == one["pid"]
        assert (one["given"], one["names"], one["blocked"]) == ("by the runner", [], [])
        assert one["backend"] == "module://matplotlib_inline.backend_inline"
        assert one["models"] == 1  # read before the fork
    assert not {*found[0]["drawn"]} & {*found[1]["drawn"]}
    assert (tmp_path / "cwd" / "made").exists()
    assert (tmp_path / "log").read_bytes().count(b"past the notebook") == 2
    kernels.close()
    assert not [one for one in found if psutil.pid_exists(one["pid"])]


def test_it_is_interrupted_and_goes_on(kernel):
    code = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)"
    assert kernel.run(code)[1]["ename"] == "KeyboardInterrupt"
    assert kernel.run("print(6 * 7)")[0] == "42\n"


def test_one_that_is_killed_is_seen_to_be_dead(kernel):
    os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)
    assert run_sync(kernel.manager.provisioner.wait)() == -signal.SIGKILL
    assert not run_sync(kernel.manager.is_alive)()


def test_what_was_to_happen_at_exit_happens(kernels, kernel, tmp_path):
    kernel.run("import atexit, pathlib\natexit.register(lambda: pathlib.Path('at exit').touch())")
    kernels.retire(kernel.manager)
    kernels.close()
    assert (tmp_path / "cwd" / "at exit").exists()


def test_no_fork_where_the_path_of_its_socket_would_be_too_long():
    assert not can_fork(Path("/" + "t" * 70))
    assert can_fork(Path("/tmp")) == (sys.platform == "linux")
