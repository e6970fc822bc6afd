"""Describe a sandbox: a project to read, a folder to write in, processes, limits, and a port.

The project folder holds the trusted `lab` and `localaws`, the submission's own notebooks, application and producer.
"""

import io
import itertools
import os
import secrets
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO, Any

from grader.sandbox.limits import Limits
from grader.sandbox.memory import MemoryGroup

# What a process gets of the grader's environment: nothing that could hold a secret.
_PASSED = ("LANG", "LC_ALL", "TZ", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_WATCH_SECONDS = 0.5
_KEPT = 64 << 10  # bytes of what a process says past its own pipes
_LONGEST_LINE = 32 << 20  # bytes; a notebook with all its outputs
_MOST_BYTES = 64 << 20  # of all lines of a process
_MOST_LINES = 2_000  # a line is a cell that begins, a notebook that ends, or a step of the grader's own work


class Role(Enum):
    """Hold who a process is: each is a user of its own in the sandbox."""

    ACCOUNT = "account"  # the embedded account, the function and the Flink job in it
    WORK = "work"  # the notebooks
    FUNCTIONS = "functions"  # the functions of the exercises, called one by one
    CHECK = "check"  # the grader's own look at an account


_FIRST_USER = 1_900_000_000  # far above what systems and container engines give out
# Begun anywhere: two gradings on one machine must not have users in common, or each could end what the other started.
_numbers = itertools.count(secrets.randbelow(1 << 24))


def users() -> dict[Role, int]:
    """Return numbers of users, one a role, that no other sandbox has."""
    number = next(_numbers) % (1 << 24)
    return {role: _FIRST_USER + number * len(Role) + index for index, role in enumerate(Role)}


@dataclass(frozen=True)
class Layout:
    """Hold what a sandbox shows (paths of the machine, by their path in its project) and shares with others."""

    shown: Mapping[str, Path]
    network_of: "Sandbox | None" = None
    loopback: bool = True  # False: not even that
    memory: MemoryGroup | None = None  # the submission's, where there is one


class Running:
    """Hold a process of a sandbox, and the end of what it said on pipes that nobody else reads."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self._said = b""
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()

    def _drain(self) -> None:
        with self.process.stderr or io.BytesIO() as pipe:  # a process that nobody waits for would keep it open
            while chunk := pipe.read1(1 << 16):  # type: ignore[attr-defined]
                self._said = (self._said + chunk)[-_KEPT:]

    def said(self) -> str:
        """Return the last lines it said.

        Once it has ended these are its last ones, not what was read by chance by then.
        """
        if self.process.poll() is not None:
            self._reader.join(timeout=1)  # a child of its own may hold the pipe open for longer
        return self._said.decode(errors="replace")


class Lines:
    """Read the lines of a process as they come, within bounds in number and bytes; the rest is thrown away."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        assert pipe is not None
        self._pipe = pipe
        self._lines: list[bytes] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def count(self) -> int:
        """Return how many there are by now."""
        return len(self._lines)

    def _read(self) -> None:
        kept = 0
        with self._pipe:
            while len(self._lines) < _MOST_LINES and (line := self._pipe.readline(_LONGEST_LINE)):
                kept += len(line)
                if kept > _MOST_BYTES or not line.endswith(b"\n"):
                    break
                self._lines.append(line)
            while self._pipe.read(1 << 16):
                pass  # nothing may wait for a pipe nobody reads

    def all(self) -> list[bytes]:
        """Return every line of a process that has ended.

        A child of its own that holds the pipe open is not waited for.
        """
        self._thread.join(timeout=10)
        return list(self._lines)


class Sandbox(ABC):
    """Provide a sandbox for processes; `close` ends them all. `port` and `account_home` are the embedded account's."""

    port: int
    account_home: Path
    _memory: MemoryGroup | None = None  # the sandbox's own, where there is one
    broken: str | None = None  # the limit that was passed, as a sentence; every process was ended then

    @property
    @abstractmethod
    def project(self) -> Path:
        """Return the project's folder, as the processes see it."""

    @abstractmethod
    def home(self, role: Role) -> Path:
        """Return the folder the role may write in, as its processes see it."""

    @abstractmethod
    def spawn(self, role: Role, command: Sequence[str], **pipes: Any) -> Running:
        """Start a command. `stdin` and `stdout` as of Popen; by default there is neither."""

    def _joined(self, command: Sequence[str]) -> Sequence[str]:
        return self._memory.joined(command) if self._memory else command

    def _started(
        self, command: Sequence[str], env: Mapping[str, str], cwd: Path | None = None, **pipes: Any
    ) -> Running:
        """Start a command in the sandbox's control group, as a session of its own."""
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, **pipes}
        return Running(subprocess.Popen(self._joined(command), env=env, cwd=cwd, start_new_session=True, **pipes))

    @abstractmethod
    def end(self, role: Role) -> None:
        """End every process of a role."""

    @abstractmethod
    def end_all(self) -> None:
        """End every process."""

    @abstractmethod
    def memory(self) -> int:
        """Return bytes of memory its processes use, shared memory included, what they wrote left out."""

    @abstractmethod
    def written(self) -> int:
        """Return bytes its processes wrote."""

    @abstractmethod
    def close(self) -> None:
        """End every process and remove what they wrote."""


def environment(project: Path, home: Path, account: Path, port: int, scratch: Path) -> dict[str, str]:
    """Return the environment of every process of a sandbox; ``account`` is the home of its embedded account."""
    kept = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {
        **kept,
        "PATH": f"{Path(sys.prefix) / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "USER": "student",  # the number is of no user that the system knows, and PyFlink asks for the name
        "TMPDIR": str(scratch),
        "PYTHONPATH": str(project),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LOCALAWS_PORT": str(port),
        "LOCALAWS_HOME": str(account),
        "AWS_EC2_METADATA_DISABLED": "true",
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": str(home / "matplotlib"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


class Watch:
    """End the sandboxes of one submission that use more memory together, or write more each, than they may."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._sandboxes: list[Sandbox] = []
        self._stopped = threading.Event()
        self.peak = 0  # bytes of memory, all sandboxes together
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, sandbox: Sandbox) -> None:
        """Watch one more."""
        self._sandboxes.append(sandbox)

    def stop(self) -> None:
        """Watch no longer."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        most, disk = self._limits.memory, self._limits.disk
        while not self._stopped.wait(_WATCH_SECONDS):
            used = {sandbox: sandbox.memory() for sandbox in list(self._sandboxes) if not sandbox.broken}
            self.peak = max(self.peak, sum(used.values()))
            if sum(used.values()) > most:
                self._break(max(used, key=used.__getitem__), f"It used more than {most >> 20:,} MiB of memory")
            for sandbox in used:
                if not sandbox.broken and sandbox.written() >= disk * 0.99:
                    self._break(sandbox, f"It wrote more than {disk >> 20:,} MiB")

    def _break(self, sandbox: Sandbox, why: str) -> None:
        sandbox.broken = f"{why} and was ended."
        sandbox.end_all()
