"""Children of the account end with everything they started."""

import sys
from pathlib import Path

import psutil
import pytest

from localaws.machine.processes import ChildRegister, clean_environment

WORKER = "import time; time.sleep(600)"
LEADER = f"""
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", {WORKER!r}]).pid, flush=True)
time.sleep(float(sys.argv[1]))
"""


@pytest.mark.parametrize("lives", [600, 0], ids=["leader runs", "leader gone"])
def test_what_a_child_started_ends_with_it(tmp_path: Path, lives: int) -> None:
    log = tmp_path / "log"
    register = ChildRegister(tmp_path / "children.json")
    command = [sys.executable, "-u", "-c", LEADER, str(lives)]
    leader = register.spawn(command, clean_environment(), tmp_path, log)
    if not lives:
        leader.wait()
    while not log.read_text().endswith("\n"):
        assert leader.poll() is None, log.read_text()
    worker = psutil.Process(int(log.read_text()))
    register.kill([leader])
    assert leader.poll() is not None
    assert psutil.wait_procs([worker], timeout=60)[1] == []
