"""Sandboxes: what namespaces keep apart, what a sandbox without them still does, and that both end everything."""

import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.sandbox import namespaces
from grader.sandbox.limits import Limits
from grader.sandbox.memory import MemoryGroup
from grader.sandbox.namespaces import Isolated, why_not_isolated
from grader.sandbox.sandbox import Layout, Role, Sandbox, Watch
from grader.sandbox.unisolated import Unisolated

needs_isolation = pytest.mark.skipif(why_not_isolated() is not None, reason=f"no namespaces here: {why_not_isolated()}")
KINDS = [pytest.param(Isolated, marks=needs_isolation), Unisolated]


def python(sandbox: Sandbox, role: Role, code: str) -> str:
    """What a program prints in a sandbox."""
    running = sandbox.spawn(role, [sys.executable, "-c", code], stdout=-1)
    assert running.process.stdout is not None
    with running.process.stdout as pipe:
        printed = pipe.read()
    running.process.wait(60)
    return printed.decode().strip()


def until(condition: Callable[[], Any], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(condition())


def sleepers(seconds: str) -> list[psutil.Process]:
    """The processes that sleep for exactly so long: the number is their mark."""
    running = psutil.process_iter(["cmdline", "status"])
    return [
        process
        for process in running
        if (process.info["cmdline"] or [])[-1:] == [seconds] and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_place_shows_its_files_has_a_room_and_ends_what_it_started(kind: Any, tmp_path: Path) -> None:
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / "file").write_text("here")
    sandbox = kind(Layout({"some/folder": tmp_path / "shown"}), Limits())
    mark = str(100_000 + hash(str(tmp_path)) % 100_000)
    try:
        assert python(sandbox, Role.WORK, "print(open('some/folder/file').read())") == "here"
        write = "import os, pathlib; p = pathlib.Path(os.environ['HOME'], 'x'); p.write_text('y'); print(p.exists())"
        assert python(sandbox, Role.WORK, write) == "True"
        escape = (
            f"import subprocess; subprocess.Popen(['sleep', '{mark}'], start_new_session=True, stdout=-3, stderr=-3)"
        )
        python(sandbox, Role.WORK, escape)
        assert until(lambda: sleepers(mark))
        sandbox.end(Role.WORK)
        assert until(lambda: not sleepers(mark))
        python(sandbox, Role.ACCOUNT, escape)
        assert until(lambda: sleepers(mark))
    finally:
        sandbox.close()
    assert until(lambda: not sleepers(mark))
    sandbox.close()  # twice is no error


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_words_are_all_there_and_no_pipe_stays_open(kind: Any) -> None:
    sandbox = kind(Layout({}), Limits())
    try:
        talks = sandbox.spawn(Role.WORK, [sys.executable, "-c", "import sys; sys.exit('x' * 50_000 + 'the last word')"])
        assert talks.process.wait(60) == 1
        assert talks.said().strip().endswith("the last word")
        abandoned = sandbox.spawn(Role.WORK, ["sleep", "600"])
    finally:
        sandbox.close()
    assert until(lambda: talks.process.stderr.closed and abandoned.process.stderr.closed)


def broken_by(kind: Any, limits: Limits, code: str, grouped: bool = False) -> str | None:
    """Why the watch ended a sandbox in which this code runs."""
    group = MemoryGroup.make(limits) if grouped else None
    watch = Watch(limits)
    sandbox = kind(Layout({}, memory=group), limits)
    watch.add(sandbox)
    try:
        running = sandbox.spawn(Role.WORK, [sys.executable, "-c", f"{code}; import time; time.sleep(600)"])
        assert until(lambda: sandbox.broken)
        assert until(lambda: running.process.poll() is not None)
        return sandbox.broken
    finally:
        watch.stop()
        sandbox.close()
        if group:
            group.close()


TOO_MUCH = "It used more than 300 MiB of memory and was ended."
ORDINARY = "x = bytearray(b'x') * (400 << 20)"
# Held by a descriptor alone, mapped nowhere.
MEMORY_FILE = "import os; x = os.memfd_create('x'); [os.write(x, bytes(1 << 20)) for _ in range(400)]"
NO_LONGER_MAPPED = (
    "import mmap; x = mmap.mmap(-1, 400 << 20); x.write(b'x' * (400 << 20)); x.madvise(mmap.MADV_DONTNEED)"
)
_tried = MemoryGroup.make(Limits())
needs_group = pytest.mark.skipif(_tried is None, reason="no control group can be made here")
if _tried:
    _tried.close()


@pytest.mark.parametrize("kind", KINDS)
def test_who_writes_or_takes_too_much_is_ended(kind: Any) -> None:
    fill = "import os; open(os.environ['HOME'] + '/x', 'wb').write(bytes(40 << 20))"
    small = Limits(disk=20 << 20, memory=300 << 20)
    assert broken_by(kind, small, fill) == "It wrote more than 20 MiB and was ended."
    for code in (ORDINARY, MEMORY_FILE):
        assert broken_by(kind, Limits(memory=300 << 20), code) == TOO_MUCH


@needs_group
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", [ORDINARY, MEMORY_FILE, NO_LONGER_MAPPED])
def test_a_control_group_counts_shared_memory_wherever_it_is(kind: Any, code: str) -> None:
    assert broken_by(kind, Limits(memory=300 << 20), code, grouped=True) == TOO_MUCH


@needs_isolation
def test_no_system_v_memory_can_be_had() -> None:
    sandbox = Isolated(Layout({}), Limits())
    try:
        get = "import ctypes; print(ctypes.CDLL(None).shmget(0, 1 << 20, 0o1600), ctypes.CDLL(None).msgget(0, 0o1600))"
        assert python(sandbox, Role.WORK, get) == "-1 -1"
    finally:
        sandbox.close()


def test_the_limit_is_of_all_sandboxes_together_and_ends_the_largest() -> None:
    limits = Limits(memory=300 << 20)
    watch = Watch(limits)
    sandboxes = [Unisolated(Layout({}), limits) for _ in range(2)]
    try:
        for sandbox, size in zip(sandboxes, (220, 120), strict=True):
            watch.add(sandbox)
            hold = f"x = bytearray(b'x') * ({size} << 20); import time; time.sleep(600)"
            sandbox.spawn(Role.WORK, [sys.executable, "-c", hold])
            assert until(lambda: watch.peak > 220 << 20)  # noqa: B023 - the larger one first
        assert until(lambda: sandboxes[0].broken)
        assert sandboxes[1].broken is None
        assert watch.peak > 300 << 20
    finally:
        watch.stop()
        for sandbox in sandboxes:
            sandbox.close()


@needs_isolation
def test_python_may_stand_below_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "file").write_text("here")
    shown = namespaces._python()
    monkeypatch.setattr(namespaces, "_python", lambda: [*shown, [str(tmp_path / "python")] * 2])
    sandbox = Isolated(Layout({}), Limits())
    try:
        assert python(sandbox, Role.WORK, f"print(open({str(tmp_path / 'python' / 'file')!r}).read())") == "here"
    finally:
        sandbox.close()


@needs_isolation
def test_in_namespaces_nothing_of_the_machine_is_in_sight(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        sandbox = Isolated(Layout({}), Limits())
        other = Isolated(Layout({}, network_of=sandbox), Limits())
        try:
            look = (
                "import os, pathlib, socket\n"
                "s = socket.socket(); s.settimeout(1)\n"
                f"print(s.connect_ex(('127.0.0.1', {port})) != 0, pathlib.Path({str(tmp_path)!r}).exists(),\n"
                "      os.getuid() > 10**9, len([n for n in os.listdir('/proc') if n.isdigit()]))"
            )
            assert python(sandbox, Role.WORK, look) == "True False True 1"
            home = "import os; print(os.access('/home/account', os.R_OK), os.access('/lab', os.W_OK))"
            assert python(sandbox, Role.WORK, home) == "False False"
            assert python(sandbox, Role.WORK, "import os; os.setuid(0)") == ""
            serve = "import socket; s = socket.create_server(('127.0.0.1', 4566)); s.accept()[0].sendall(b'account')"
            sandbox.spawn(Role.ACCOUNT, [sys.executable, "-c", serve])
            ask = (
                "import socket, time\n"
                "for _ in range(100):\n"
                "    try:\n"
                "        print(socket.create_connection(('127.0.0.1', 4566)).recv(99)); break\n"
                "    except OSError:\n"
                "        time.sleep(0.1)"
            )
            assert python(other, Role.CHECK, ask) == "b'account'"
        finally:
            other.close()
            sandbox.close()
