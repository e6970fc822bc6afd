"""Start child processes with a clean environment, know them by pid and start time, and stop them."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterable
from pathlib import Path

import psutil

from localaws.machine.account_folder import write_atomically

# What a child inherits from the user's shell. Credentials, profiles and proxies are not among them.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_CLOCK_TOLERANCE = 0.05  # seconds two readings of one process's start time may differ by


def clean_environment(**extra: str) -> dict[str, str]:
    """Return the part of the user's environment that a child needs, plus ``extra``."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {**kept, **extra}


def give_memory_back() -> None:
    """Return freed memory to the system, which glibc's malloc keeps otherwise; other systems do it by themselves."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def same_process(pid: int, created: float) -> psutil.Process | None:
    """Return the process if it still runs and is the one that started at ``created``; else None."""
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - created) < _CLOCK_TOLERANCE and process.status() != psutil.STATUS_ZOMBIE:
            return process
    except psutil.NoSuchProcess:
        return None
    return None


def processor_seconds(pid: int) -> float:
    """Return seconds of processor time a process has used; 0.0 where it has ended."""
    with contextlib.suppress(psutil.Error):
        used = psutil.Process(pid).cpu_times()
        return used.user + used.system
    return 0.0


def stop_processes(processes: Iterable[psutil.Process], grace: float = 3.0) -> None:
    """Terminate processes and their descendants; kill what has not ended after ``grace`` seconds."""
    family: dict[int, psutil.Process] = {}
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            for member in (process, *process.children(recursive=True)):
                family[member.pid] = member
    for member in family.values():
        with contextlib.suppress(psutil.NoSuchProcess):
            member.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(list(family.values()), timeout=grace)
    for member in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(alive, timeout=grace)


class ChildRegister:
    """Keep the children's pids on disk, so that a later ``down`` finds them even if the account was killed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._children: dict[int, float] = {}

    def spawn(
        self, command: list[str], env: dict[str, str], cwd: Path, log: Path, **options: object
    ) -> subprocess.Popen[bytes]:
        """Start a child in a session of its own (ctrl-C in the terminal does not reach it), output into ``log``."""
        with log.open("ab") as out:
            child = subprocess.Popen(  # noqa: S603
                command,
                env=env,
                cwd=cwd,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **{"stdin": subprocess.DEVNULL, **options},  # type: ignore[call-overload]
            )
        with self._lock:
            with contextlib.suppress(psutil.NoSuchProcess):
                self._children[child.pid] = psutil.Process(child.pid).create_time()
            self._write()
        return child

    def kill(self, children: Iterable[subprocess.Popen[bytes]]) -> None:
        """Kill children of ``spawn`` with all they started, wait for them and forget them.

        A TaskManager's Python workers outlive it otherwise. Their group keeps its number from being given away for as
        long as one of them runs, so it is right also where the child itself is gone.
        """
        children = list(children)
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        for child in children:
            child.wait()
            if child.stdin is not None:
                child.stdin.close()
        with self._lock:
            for child in children:
                self._children.pop(child.pid, None)
            self._write()

    def _write(self) -> None:
        write_atomically(self._path, json.dumps({"owner": os.getpid(), "children": self._children}))

    @staticmethod
    def survivors(path: Path, owner: int | None = None) -> list[psutil.Process]:
        """Return the children an earlier account (the one with the pid ``owner``) left that still run."""
        try:
            content = json.loads(path.read_text())
            recorded = content["children"] if owner in (None, content["owner"]) else {}
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return []
        found = (same_process(int(pid), created) for pid, created in recorded.items())
        return [process for process in found if process is not None]
