"""Make a sandbox without namespaces, for machines that refuse them (a container without privileges, macOS, no root).

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
from grader.sandbox.memory import resident
from grader.sandbox.sandbox import Layout, Role, Running, Sandbox, environment, users

_MARK = "LAB_GRADING_SANDBOX"
_LIMITED = Path(__file__).with_name("limited_main.py")
_SOMEBODY = 1_800_000_000  # a user to try with
_PORTS = range(10_000, 20_000)
_draw = random.SystemRandom()


@cache
def own_users() -> bool:
    """Say whether a process can be another user here and still run Python."""
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


class Unisolated(Sandbox):
    """Provide a sandbox that is a temporary folder, with users of its own where there can be."""

    def __init__(self, layout: Layout, limits: Limits) -> None:
        self._limits = limits
        self._mark = secrets.token_hex(8)
        self._users = users() if own_users() else dict.fromkeys(Role, 0)
        self._folder = Path(tempfile.mkdtemp(prefix="lab-sandbox-"))
        self._folder.chmod(0o711)
        if other := layout.network_of:
            self.port, self.account_home = other.port, other.account_home
        else:
            self.port, self.account_home = _free_port(), self.home(Role.ACCOUNT) / "localaws"
        (self._folder / "tmp").mkdir()
        (self._folder / "tmp").chmod(0o1777)
        (self.project / "build").mkdir(parents=True)
        for role in Role:
            self.home(role).mkdir(mode=0o700)
            self._give(self.home(role), role)
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
        self._memory = layout.memory.inside(self._folder.name) if layout.memory else None

    def _give(self, folder: Path, role: Role) -> None:
        if user := self._users[role]:
            os.chown(folder, user, user)

    @property
    def project(self) -> Path:
        return self._folder / "lab"

    def home(self, role: Role) -> Path:
        return self._folder / role.value

    def spawn(self, role: Role, command: Sequence[str], **pipes: Any) -> Running:
        """Start a command with the limits that a process cannot lift again."""
        limits = self._limits
        limited = _limited(limits.file_size, limits.processes, self._users[role], command)
        own = environment(self.project, self.home(role), self.account_home, self.port, self._folder / "tmp")
        return self._started(limited, {**own, _MARK: self._mark}, self.project, **pipes)

    def end(self, role: Role) -> None:
        """End every process of a role, as far as they can be told from the others."""
        if user := self._users[role]:
            # As that user, kill(-1) misses none that forks meanwhile.
            subprocess.run(_limited(1 << 20, 1 << 20, user, ["sh", "-c", "kill -KILL -1"]), check=False)
            return
        for member in self._members():
            with contextlib.suppress(psutil.Error, OSError):
                if member.environ().get("HOME") == str(self.home(role)):
                    member.kill()

    def _members(self) -> list[psutil.Process]:
        mine = {user for user in self._users.values() if user}
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.uids().real in mine or (not mine and process.environ().get(_MARK) == self._mark):
                    found.append(process)
        return found

    def memory(self) -> int:
        if self._memory:
            return self._memory.used()
        members = self._members()
        if sys.platform.startswith("linux"):
            return resident(Path("/proc", str(member.pid)) for member in members)
        total = 0
        for member in members:
            with contextlib.suppress(psutil.Error):
                total += member.memory_info().rss
        return total

    def written(self) -> int:
        total = 0
        for role in Role:
            for path in self.home(role).rglob("*"):
                with contextlib.suppress(OSError):
                    total += path.lstat().st_size
        return total

    def end_all(self) -> None:
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
        self.end_all()
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._memory:
            self._memory.close()


def _limited(size: int, processes: int, user: int, command: Sequence[str]) -> list[str]:
    # With Python's own start-up files left out, since the program it becomes may be anybody's.
    return [sys.executable, "-I", str(_LIMITED), str(size), str(processes), str(user), *command]


def _free_port() -> int:
    """Draw a loopback port nobody listens on, of those that no system hands out by itself."""
    while True:
        port = _draw.choice(_PORTS)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
