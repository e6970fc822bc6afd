"""A place without walls, for machines that refuse them (a container without privileges, macOS, no root).

Where the grader runs as root and Python can be read by everybody, each role is still a user of its own, whose files the
others cannot read. Files that everybody may read, processes and the ports of other accounts are in sight. Where it does
not run as root, everything runs as the grader's own user. The report says which.
"""

import contextlib
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from grader.sandbox.limits import Limits
from grader.sandbox.sandbox import Layout, Role, Running, Watch, environment, users

_MARK = "LAB_GRADING_PLACE"
_LIMITED = Path(__file__).with_name("limited_main.py")
_SOMEBODY = 1_800_000_000  # a user to try with
_PORTS = range(10_000, 20_000)
_draw = random.SystemRandom()


@cache
def own_users() -> bool:
    """Whether a process can be another user here and still run Python."""
    if os.geteuid() != 0:
        return False
    tried = subprocess.run(
        _limited(1 << 20, 1000, _SOMEBODY, [sys.executable, "-c", "import pandas"]),
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return tried.returncode == 0


class Open:
    """A place in the open: a temporary folder, and users of its own where there can be."""

    def __init__(self, layout: Layout, limits: Limits) -> None:
        self._limits = limits
        self._mark = secrets.token_hex(8)
        self._users = users() if own_users() else dict.fromkeys(Role, 0)
        self._folder = Path(tempfile.mkdtemp(prefix="lab-place-"))
        self._folder.chmod(0o711)
        self.port = layout.network_of.port if layout.network_of else _free_port()
        (self._folder / "tmp").mkdir()
        (self._folder / "tmp").chmod(0o1777)
        (self.project / "build").mkdir(parents=True)
        for role in Role:
            self.room(role).mkdir(mode=0o700)
            self._give(self.room(role), role)
        self._give(self.project / "build", Role.WORK)
        for name, path in layout.shown.items():
            target = self.project / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, target, dirs_exist_ok=True)
            else:
                shutil.copyfile(path, target)
        if layout.network_of and self._users[Role.CHECK]:  # the grader's own: its data are nobody else's to read
            self._give(self._folder, Role.CHECK)
            self._folder.chmod(0o700)
        self._watch = Watch(limits, self._resident, self._written, self._end)

    def _give(self, folder: Path, role: Role) -> None:
        if user := self._users[role]:
            os.chown(folder, user, user)

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
        limits = self._limits
        process = subprocess.Popen(
            _limited(limits.file_size, limits.processes, self._users[role], command),
            env={**environment(self.project, self.room(role), self.port, self._folder / "tmp"), _MARK: self._mark},
            cwd=self.project,
            start_new_session=True,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, **pipes},
        )
        return Running(process)

    def end(self, role: Role) -> None:
        """End every process of a role, as far as they can be told from the others."""
        if user := self._users[role]:
            # As that user, kill(-1) misses none that forks meanwhile.
            subprocess.run(_limited(1 << 20, 1 << 20, user, ["sh", "-c", "kill -KILL -1"]), check=False)
            return
        for member in self._members():
            with contextlib.suppress(psutil.Error, OSError):
                if member.environ().get("HOME") == str(self.room(role)):
                    member.kill()

    def _members(self) -> list[psutil.Process]:
        mine = {user for user in self._users.values() if user}
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.uids().real in mine or (not mine and process.environ().get(_MARK) == self._mark):
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
        for role in Role:
            for path in self.room(role).rglob("*"):
                with contextlib.suppress(OSError):
                    total += path.lstat().st_size
        return total

    def _end(self) -> None:
        for role in Role:
            self.end(role)
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


def _limited(size: int, processes: int, user: int, command: Sequence[str]) -> list[str]:
    # With Python's own start-up files left out, since the program it becomes may be anybody's.
    return [sys.executable, "-I", str(_LIMITED), str(size), str(processes), str(user), *command]


def _free_port() -> int:
    """A loopback port nobody listens on, of those that no system hands out by itself before the account has it."""
    while True:
        port = _draw.choice(_PORTS)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
