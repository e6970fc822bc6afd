"""A place without walls, for machines that cannot build them: limits on each process, and nothing hidden.

Everything runs as the grader's own user. A submission can then read what that user can, and reach other accounts on
this machine by their ports; the report says so.
"""

import contextlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from lab.grading.limits import Limits
from lab.grading.places import Layout, Role, Running, Watch, environment

_MARK = "LAB_GRADING_PLACE"
_LIMITED = Path(__file__).with_name("limited_main.py")


class Open:
    """A place in the open: a temporary folder, found again by a mark in its processes' environment."""

    def __init__(self, layout: Layout, limits: Limits) -> None:
        self._limits = limits
        self._mark = secrets.token_hex(8)
        self._folder = Path(tempfile.mkdtemp(prefix="lab-place-"))
        self.port = layout.network_of.port if layout.network_of else _free_port()
        for role in Role:
            self.room(role).mkdir(mode=0o700)
        (self._folder / "tmp").mkdir()
        (self.project / "build").mkdir(parents=True)
        for name, path in layout.shown.items():
            target = self.project / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, target, dirs_exist_ok=True)
            else:
                shutil.copyfile(path, target)
        self._watch = Watch(limits, self._resident, self._written, self._end)

    @property
    def project(self) -> Path:
        return self._folder / "lab"

    @property
    def broken(self) -> str | None:
        return self._watch.broken

    @property
    def peak(self) -> int:
        """The most memory its processes had resident together, bytes."""
        return self._watch.peak

    def room(self, role: Role) -> Path:
        return self._folder / role.value

    def spawn(self, role: Role, command: Sequence[str], **pipes: Any) -> Running:
        """Start a command with the limits that a process cannot lift again."""
        process = subprocess.Popen(
            [sys.executable, "-I", str(_LIMITED), str(self._limits.file_size), *command],
            env={**environment(self.project, self.room(role), self.port, self._folder / "tmp"), _MARK: self._mark},
            cwd=self.project,
            start_new_session=True,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, **pipes},
        )
        return Running(process)

    def end(self, role: Role) -> None:
        """End every process of a role, as far as they can be told from the others."""
        for member in self._members():
            with contextlib.suppress(psutil.Error, OSError):
                if member.environ().get("HOME") == str(self.room(role)):
                    member.kill()

    def _members(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(_MARK) == self._mark:
                    found.append(process)
        return found

    def _resident(self) -> int:
        total = 0
        for process in self._members():
            with contextlib.suppress(psutil.Error, OSError):
                total += process.memory_info().rss
        return total

    def _written(self) -> int:
        total = 0
        for path in self._folder.rglob("*"):
            with contextlib.suppress(OSError):
                total += path.lstat().st_size
        return total

    def _end(self) -> None:
        for _ in range(20):  # what forks while it is being ended is found in the next round
            members = self._members()
            for member in members:
                with contextlib.suppress(psutil.Error):
                    member.send_signal(signal.SIGKILL)
            psutil.wait_procs(members, timeout=2)
            if not members:
                return

    def close(self) -> None:
        """End every process that can be found, and remove what they wrote."""
        self._watch.stop()
        self._end()
        shutil.rmtree(self._folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
