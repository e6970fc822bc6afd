"""Where the processes of a submission run: behind walls where the machine lets us build them, else in the open.

A place shows a project folder (the trusted `lab` and `localaws`, the submission's own notebooks, application and
producer), an empty room to write in, and has a port of its own for an embedded account.
"""

import itertools
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO, Any, Protocol

from grader.sandbox.limits import Limits

# What a process gets of the grader's environment: nothing that could hold a secret.
_PASSED = ("LANG", "LC_ALL", "TZ", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_WATCH_SECONDS = 0.5
_KEPT = 64 << 10  # bytes of what a process says past its own pipes


class Role(Enum):
    """Who a process is: each is a user of its own behind walls."""

    ACCOUNT = "account"  # the embedded account, the function and the Flink job in it
    WORK = "work"  # the notebooks
    FUNCTIONS = "functions"  # the functions of the exercises, called one by one
    CHECK = "check"  # the grader's own look at an account


_FIRST_USER = 1_900_000_000  # far above what systems and container engines give out
# Begun anywhere: two gradings on one machine must not have users in common, or each could end what the other started.
_numbers = itertools.count(secrets.randbelow(1 << 24))


def users() -> dict[Role, int]:
    """Numbers of users, one a role, that no other place has."""
    number = next(_numbers) % (1 << 24)
    return {role: _FIRST_USER + number * len(Role) + index for index, role in enumerate(Role)}


@dataclass(frozen=True)
class Layout:
    """What a place shows: path of the machine by path in its project; and whose network it shares, if anybody's."""

    shown: Mapping[str, Path]
    network_of: "Place | None" = None
    loopback: bool = True  # False: not even that


class Running:
    """A process of a place, and the end of what it said on pipes that nobody else reads."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self._said = b""
        self._readers = [
            threading.Thread(target=self._drain, args=(pipe,), daemon=True)
            for pipe in (process.stderr,)
            if pipe is not None
        ]
        for reader in self._readers:
            reader.start()

    def _drain(self, pipe: IO[bytes]) -> None:
        with pipe:  # a process that nobody waits for would keep it open
            while chunk := pipe.read1(1 << 16):  # type: ignore[attr-defined]
                self._said = (self._said + chunk)[-_KEPT:]

    def said(self) -> str:
        """The last lines it said. Once it has ended these are its last ones, not what was read by chance by then."""
        if self.process.poll() is not None:
            for reader in self._readers:
                reader.join(timeout=1)  # a child of its own may hold the pipe open for longer
        return self._said.decode(errors="replace")


class Place(Protocol):
    """A place for processes; `close` ends them all."""

    port: int  # for the embedded account

    @property
    def project(self) -> Path:
        """The project's folder, as the processes see it."""

    @property
    def broken(self) -> str | None:
        """The limit that was passed, as a sentence; everything in the place was ended then."""

    def room(self, role: Role) -> Path:
        """The folder the role may write in, as its processes see it."""

    def spawn(self, role: Role, command: Sequence[str], **pipes: Any) -> Running:
        """Start a command. `stdin` and `stdout` as of Popen; by default there is neither."""

    def end(self, role: Role) -> None:
        """End every process of a role."""

    def close(self) -> None:
        """End every process of the place and remove what they wrote."""


def environment(project: Path, room: Path, port: int, scratch: Path) -> dict[str, str]:
    """The environment of every process of a place."""
    kept = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {
        **kept,
        "PATH": f"{Path(sys.prefix) / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(room),
        "TMPDIR": str(scratch),
        "PYTHONPATH": str(project),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LOCALAWS_PORT": str(port),
        "LOCALAWS_HOME": str(room / "localaws"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": str(room / "matplotlib"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


class Watch:
    """Ends a place whose processes use more memory than they may, or write more than they may."""

    def __init__(
        self, limits: Limits, resident: Callable[[], int], written: Callable[[], int], end: Callable[[], None]
    ) -> None:
        self._limits, self._resident, self._written, self._end = limits, resident, written, end
        self._stopped = threading.Event()
        self.broken: str | None = None
        self.peak = 0  # bytes resident
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(_WATCH_SECONDS):
            resident = self._resident()
            self.peak = max(self.peak, resident)
            if resident > self._limits.memory:
                self.broken = f"It used more than {self._limits.memory >> 20:,} MiB of memory and was ended."
            elif self._written() >= self._limits.disk * 0.99:
                self.broken = f"It wrote more than {self._limits.disk >> 20:,} MiB and was ended."
            if self.broken:
                self._end()
                return
