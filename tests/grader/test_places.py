"""Places: what is behind walls, what a place without them still does, and that both end everything."""

import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.sandbox.limits import Limits
from grader.sandbox.namespaces import Walled, why_not
from grader.sandbox.sandbox import Layout, Place, Role
from grader.sandbox.unisolated import Open

needs_walls = pytest.mark.skipif(why_not() is not None, reason=f"no walls can be built here: {why_not()}")
KINDS = [pytest.param(Walled, marks=needs_walls), Open]


def python(place: Place, role: Role, code: str) -> str:
    """What a program prints in a place."""
    running = place.spawn(role, [sys.executable, "-c", code], stdout=-1)
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
    place = kind(Layout({"some/folder": tmp_path / "shown"}), Limits())
    mark = str(100_000 + hash(str(tmp_path)) % 100_000)
    try:
        assert python(place, Role.WORK, "print(open('some/folder/file').read())") == "here"
        write = "import os, pathlib; p = pathlib.Path(os.environ['HOME'], 'x'); p.write_text('y'); print(p.exists())"
        assert python(place, Role.WORK, write) == "True"
        escape = (
            f"import subprocess; subprocess.Popen(['sleep', '{mark}'], start_new_session=True, stdout=-3, stderr=-3)"
        )
        python(place, Role.WORK, escape)
        assert until(lambda: sleepers(mark))
        place.end(Role.WORK)
        assert until(lambda: not sleepers(mark))
        python(place, Role.ACCOUNT, escape)
        assert until(lambda: sleepers(mark))
    finally:
        place.close()
    assert until(lambda: not sleepers(mark))
    place.close()  # twice is no error


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_words_are_all_there_and_no_pipe_stays_open(kind: Any) -> None:
    place = kind(Layout({}), Limits())
    try:
        talks = place.spawn(Role.WORK, [sys.executable, "-c", "import sys; sys.exit('x' * 50_000 + 'the last word')"])
        assert talks.process.wait(60) == 1
        assert talks.said().strip().endswith("the last word")
        abandoned = place.spawn(Role.WORK, ["sleep", "600"])
    finally:
        place.close()
    assert until(lambda: talks.process.stderr.closed and abandoned.process.stderr.closed)


@pytest.mark.parametrize("kind", KINDS)
def test_who_writes_or_takes_too_much_is_ended(kind: Any) -> None:
    place = kind(Layout({}), Limits(disk=20 << 20, memory=300 << 20))
    try:
        fill = "import os, time; open(os.environ['HOME'] + '/x', 'wb').write(bytes(40 << 20)); time.sleep(60)"
        running = place.spawn(Role.WORK, [sys.executable, "-c", fill])
        assert until(lambda: place.broken)
        assert place.broken == "It wrote more than 20 MiB and was ended."
        assert until(lambda: running.process.poll() is not None)
    finally:
        place.close()
    place = kind(Layout({}), Limits(memory=300 << 20))
    try:
        place.spawn(Role.WORK, [sys.executable, "-c", "x = bytearray(b'x') * (400 << 20); import time; time.sleep(60)"])
        assert until(lambda: place.broken)
        assert place.broken == "It used more than 300 MiB of memory and was ended."
    finally:
        place.close()


@needs_walls
def test_behind_walls_nothing_of_the_machine_is_in_sight(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        place = Walled(Layout({}), Limits())
        other = Walled(Layout({}, network_of=place), Limits())
        try:
            look = (
                "import os, pathlib, socket\n"
                "s = socket.socket(); s.settimeout(1)\n"
                f"print(s.connect_ex(('127.0.0.1', {port})) != 0, pathlib.Path({str(tmp_path)!r}).exists(),\n"
                "      os.getuid() > 10**9, len([n for n in os.listdir('/proc') if n.isdigit()]))"
            )
            assert python(place, Role.WORK, look) == "True False True 1"
            home = "import os; print(os.access('/room/account', os.R_OK), os.access('/lab', os.W_OK))"
            assert python(place, Role.WORK, home) == "False False"
            assert python(place, Role.WORK, "import os; os.setuid(0)") == ""
            serve = "import socket; s = socket.create_server(('127.0.0.1', 4566)); s.accept()[0].sendall(b'account')"
            place.spawn(Role.ACCOUNT, [sys.executable, "-c", serve])
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
            place.close()
