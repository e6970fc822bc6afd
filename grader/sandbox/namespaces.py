"""Make a sandbox of Linux namespaces, with a user of its own for every role. Needs root and util-linux.

Its processes see a file system of their own (`namespaces_init` builds it: the system's programs, Python, the trusted
files, their home), processes of their own, and a network that has nothing but a loopback. They write into a file system
of memory of a fixed size. They run as users that exist nowhere else, without capabilities.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from grader.sandbox.limits import Limits
from grader.sandbox.memory import resident
from grader.sandbox.sandbox import Layout, Role, Running, Sandbox, environment, users
from lab.core.errors import LabError

PROJECT, HOME, PORT = Path("/lab"), Path("/home"), 4566
SYSTEM = ("usr", "bin", "sbin", "lib", "lib64", "lib32", "etc")
_NEEDED = ("unshare", "nsenter", "setpriv", "prlimit")
_INIT = Path(__file__).with_name("namespaces_init.py")


class IsolationFailed(LabError):
    """Say that the namespaces could not be made."""


@cache
def why_not_isolated() -> str | None:
    """Say why no namespaces here, as half a sentence; None where they can."""
    if not sys.platform.startswith("linux"):
        return "this is not Linux"
    if os.geteuid() != 0:
        return "the grader does not run as root"
    if missing := [name for name in _NEEDED if shutil.which(name) is None]:
        return f"{missing[0]} (util-linux) is not installed"
    try:
        Isolated(Layout({}), Limits()).close()
    except IsolationFailed as error:
        return f"the system refused them ({error})"
    return None


class Isolated(Sandbox):
    """Provide a sandbox of namespaces. Raises IsolationFailed where the system refuses."""

    project, port, account_home = PROJECT, PORT, HOME / Role.ACCOUNT.value / "localaws"

    def __init__(self, layout: Layout, limits: Limits) -> None:
        self._limits = limits
        self._users = users()
        self.pid: int
        self._root = Path(tempfile.mkdtemp(prefix="lab-sandbox-"))
        other = layout.network_of
        network = ["nsenter", "--target", str(other.pid), "--net", "--"] if isinstance(other, Isolated) else []
        own_network = [] if network else ["--net"]
        self._memory = layout.memory.inside(self._root.name) if layout.memory else None
        self._unshare = subprocess.Popen(
            self._joined([*network, "unshare", *own_network, "--pid", "--mount", "--ipc", "--fork", "--kill-child",
                          "--", sys.executable, "-I", str(_INIT)]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self._closing, self._closed = threading.Lock(), False
        try:
            self._begin(layout, own_network)
        except BaseException:
            self.close()
            raise

    def _begin(self, layout: Layout, own_network: list[str]) -> None:
        specification = {
            "root": str(self._root),
            "system": SYSTEM,
            "disk": self._limits.disk,
            "folders": [
                *([role.value, self._users[role], 0o700] for role in Role),
                *(["tmp", 0, 0o1777], ["build", self._users[Role.WORK], 0o700]),
            ],
            "shown": [*_python(), *([str(path), f"{PROJECT}/{name}"] for name, path in layout.shown.items())],
            "bound": [["tmp", "/tmp"], ["build", f"{PROJECT}/build"]],  # noqa: S108
            "loopback": layout.loopback and bool(own_network),
        }
        assert self._unshare.stdin and self._unshare.stdout and self._unshare.stderr
        try:
            self._unshare.stdin.write(json.dumps(specification).encode() + b"\n")
            self._unshare.stdin.flush()
        except BrokenPipeError:
            pass  # what it says of why is read below
        if self._unshare.stdout.readline() != b"ready\n":
            self._unshare.kill()
            said = self._unshare.stderr.read().decode(errors="replace").strip().splitlines()
            raise IsolationFailed(said[-1] if said else "no reason was given")
        self.pid = psutil.Process(self._unshare.pid).children()[0].pid

    def home(self, role: Role) -> Path:
        return HOME / role.value

    def spawn(self, role: Role, command: Sequence[str], **pipes: Any) -> Running:
        """Start a command as the role's user."""
        limits = self._limits
        bound = ["prlimit", f"--nproc={limits.processes}", f"--fsize={limits.file_size}", "--core=0", "--"]
        return self._start(role, command, bound, **pipes)

    def _start(self, role: Role, command: Sequence[str], bound: list[str], **pipes: Any) -> Running:
        user = self._users[role]
        enter = ["nsenter", f"--target={self.pid}", "--net", "--pid", "--mount", "--ipc", "--root"]
        lower = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs",
                 "--bounding-set=-all", "--inh-caps=-all"]  # fmt: skip
        whole = [*enter, "--", *bound, *lower, "--", "env", f"--chdir={PROJECT}", *command]
        own = environment(PROJECT, self.home(role), self.account_home, PORT, Path("/tmp"))  # noqa: S108
        return self._started(whole, own, **pipes)

    def end(self, role: Role) -> None:
        """End every process of a role, at once: kill(-1) as its user misses none that forks meanwhile."""
        if not self.broken:
            self._start(role, ["sh", "-c", "kill -KILL -1"], []).process.wait()

    def memory(self) -> int:
        if self._memory:
            return max(0, self._memory.used() - self.written())  # its files are memory too, and bounded as `disk`
        inside = Path("/proc", str(self.pid), "root", "proc")
        try:
            return resident(path for path in inside.iterdir() if path.name.isdigit())
        except OSError:
            return 0

    def written(self) -> int:
        try:
            found = os.statvfs(f"/proc/{self.pid}/root{HOME}")
        except OSError:
            return 0
        return (found.f_blocks - found.f_bfree) * found.f_frsize

    def end_all(self) -> None:
        # With its first process the kernel kills every other of the namespace, also those that fork faster than anyone
        # can count.
        self._unshare.kill()

    def close(self) -> None:
        """End every process behind the unisolated; their files go with them."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self.end_all()
        self._unshare.wait()
        for pipe in (self._unshare.stdin, self._unshare.stdout, self._unshare.stderr):
            if pipe:
                pipe.close()
        with suppress(FileNotFoundError):
            self._root.rmdir()
        if self._memory:
            self._memory.close()


def _python() -> list[list[str]]:
    """List Python and its packages at the paths they have outside, since a virtual environment holds absolute ones."""
    wanted = dict.fromkeys((sys.base_prefix, sys.prefix))
    return [[path, path] for path in wanted if not path.startswith("/usr/") and path != "/usr"]
