"""Servers in processes of their own, ready when they answer and ended by their id."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.account import PROJECT, free_port

_POLL = 0.1  # seconds


def answers(url: str) -> bool:
    """Whether a server answers a GET of this address, with whatever status below 400."""
    try:
        urllib.request.urlopen(url, timeout=60).close()
    except (urllib.error.URLError, OSError):
        return False
    return True


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
