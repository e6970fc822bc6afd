"""Start, stop and ask one embedded account from outside its process."""

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psutil

from localaws.control_plane.store import forget
from localaws.errors import AccountDidNotStart, AccountDiffers, AccountSilent, PortTaken
from localaws.machine.account_folder import PACKAGE_FOLDER, AccountFolder, AccountState
from localaws.machine.loopback import open_url
from localaws.machine.ports import try_port
from localaws.machine.processes import ChildRegister, clean_environment, processor_seconds, same_process, stop_processes
from localaws.options import AccountOptions

DEFAULT_OPTIONS = AccountOptions()
_NAMING_TIMEOUT = 3.0  # seconds; who has a port and does not say its name has its process named
_STILL = 60.0  # seconds in which a starting account uses no processor time before it is taken for hung
_ANSWER_TIMEOUT = 60.0  # seconds; on a busy machine an account is slow, and ending it would lose what is in it


def up(home: AccountFolder, port: int, options: AccountOptions = DEFAULT_OPTIONS) -> tuple[dict[str, Any], bool]:
    """Start the account if it is not running; its status, and whether this call started it.

    Raises PortTaken, AccountSilent where one runs and does not answer, AccountDiffers where one runs without the
    options asked for, FaultsNotUnderstood, FlinkNotUsable, or AccountDidNotStart with the end of the account's log.
    """
    options.check()
    with _lock(home):
        running = running_state(home)
        if running is not None:
            answer = _ask(running.port)
            if answer:
                missing = options.differences(answer)
                if missing:
                    raise AccountDiffers(missing)
                return answer, False
            raise AccountSilent(running.pid)
        _require_free(port)
        with open(home.log_file, "ab", opener=_private) as log:  # noqa: PTH123 - Path.open takes no opener
            process = subprocess.Popen(  # noqa: S603
                [
                    sys.executable,
                    "-m",
                    "localaws.server",
                    "--port",
                    str(port),
                    "--home",
                    str(home.root),
                    *options.arguments(),
                ],
                env=clean_environment(PYTHONPATH=str(PACKAGE_FOLDER)),
                cwd=home.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        worked, deadline = 0.0, time.monotonic() + _STILL
        while time.monotonic() < deadline:
            answer = _ask(port)
            state = running_state(home)
            if answer and state is not None and state.pid == process.pid:
                return answer, True
            if process.poll() is not None:
                break
            if (now := processor_seconds(process.pid)) > worked:
                worked, deadline = now, time.monotonic() + _STILL
            time.sleep(0.05)
        stop_processes([psutil.Process(process.pid)] if process.poll() is None else [])
        raise AccountDidNotStart(
            f"The embedded account did not start on port {port}; the end of {home.log_file} says:\n{tail(home)}"
        )


def down(home: AccountFolder, forget_applications: bool = False) -> bool:
    """Stop the account and every process it started; whether there was anything to stop.

    Applications and their snapshots stay on disk for the next ``up``, unless they are to be forgotten.
    """
    with _lock(home):
        ended = _end(home)
        if forget_applications:
            forget(home.root)
        return ended


def _end(home: AccountFolder) -> bool:
    state = running_state(home)
    if state is not None:
        process = same_process(state.pid, state.created)
        if process is not None:
            process.terminate()
            try:
                process.wait(timeout=15)
            except psutil.TimeoutExpired:
                stop_processes([process])
    survivors = ChildRegister.survivors(home.children_file)
    stop_processes(survivors)
    home.children_file.unlink(missing_ok=True)
    home.clear_scratch()
    home.state_file.unlink(missing_ok=True)
    return state is not None or bool(survivors)


def status(home: AccountFolder) -> dict[str, Any]:
    """Return what the account says of itself, or ``{"up": False}``; raises AccountSilent."""
    state = running_state(home)
    if state is None:
        return {"up": False, "home": str(home.root)}
    answer = _ask(state.port)
    if not answer:
        raise AccountSilent(state.pid)
    process = psutil.Process(state.pid)
    family = [process, *process.children(recursive=True)]
    memory = 0
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            memory += member.memory_info().rss
    return {**answer, "home": str(home.root), "pid": state.pid, "processes": len(family), "memory_mb": memory >> 20}


def running_state(home: AccountFolder) -> AccountState | None:
    """Return the state file's account, if that very process still runs."""
    state = home.read_state()
    if state is not None and same_process(state.pid, state.created) is not None:
        return state
    return None


def tail(home: AccountFolder, lines: int = 20) -> str:
    """Return the last lines of the account's own log."""
    with contextlib.suppress(FileNotFoundError):
        return "\n".join(home.log_file.read_text(errors="replace").splitlines()[-lines:])
    return ""


def _ask(port: int, timeout: float | None = None) -> dict[str, Any] | None:
    try:
        with open_url(f"http://127.0.0.1:{port}/_localaws/status", timeout=timeout or _ANSWER_TIMEOUT) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None


def _require_free(port: int) -> None:
    try:
        try_port(port)
    except OSError as error:
        raise PortTaken(port, _holder(port)) from error


def _holder(port: int) -> str:
    if answer := _ask(port, _NAMING_TIMEOUT):
        return f"the embedded account of {answer.get('home')}"
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.AccessDenied:
        return "another process"
    return "another process"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@contextlib.contextmanager
def _lock(home: AccountFolder) -> Iterator[None]:
    """Hold the lock of a home: one up or down at a time."""
    with open(home.root / "lock", "w", opener=_private) as file:  # noqa: PTH123
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
