"""Processes that tests start, watch and end by their id; a server is ready when it answers."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.support.account import PROJECT, free_port

_POLL = 0.1  # seconds


def answers(url: str) -> bool:
    """Whether a server answers a GET of this address, with whatever status below 400."""
    try:
        urllib.request.urlopen(url, timeout=60).close()
    except (urllib.error.URLError, OSError):
        return False
    return True


def running(pids: list[int]) -> list[int]:
    """Those of the process ids that belong to a process that has not ended; a zombie has."""
    found = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
    return found


def wait_gone(pid: int) -> None:
    """Wait until the process has ended."""
    while running([pid]):
        time.sleep(_POLL / 2)


@contextmanager
def server(
    command: list[str], environment: dict[str, str], log: Path, ready: Callable[[], bool], folder: Path = PROJECT
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a server, wait until it is ready or has ended, and end it afterwards; `log` takes what it prints."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        while not ready():
            assert process.poll() is None, log.read_text()[-2000:]
            time.sleep(_POLL)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def ministack_server(folder: Path) -> Iterator[str]:
    """The endpoint of a MiniStack that keeps its files in `folder`."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "hypercorn", "ministack.app:app", "--bind", f"127.0.0.1:{port}"]
    own = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "LOG_LEVEL": "ERROR"}
    environment = {**os.environ, **own}
    with server(command, environment, folder / "log", lambda: answers(f"{endpoint}/_ministack/health"), folder):
        yield endpoint
