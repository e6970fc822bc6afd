"""up, down and status against real processes; about 20 s in all."""

import io
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from lab.core import session
from lab.core.session import local_status
from localaws import cli, control
from localaws.account import client as make_client
from localaws.machine.account_folder import AccountFolder, AccountState
from localaws.machine.processes import clean_environment, same_process
from tests.support.account import EmbeddedAccount, free_port
from tests.support.processes import running


def zipped(source: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr("main.py", source)
    return packed.getvalue()


def family(account: EmbeddedAccount) -> list[int]:
    state = json.loads((account.home / "account.json").read_text())
    root = psutil.Process(state["pid"])
    return [root.pid, *(child.pid for child in root.children(recursive=True))]


def wait_for_cluster(account: EmbeddedAccount) -> None:
    """Wait until JobManager, TaskManager, driver and the watcher of them are started beside the account."""
    while len(family(account)) < 5:
        time.sleep(0.1)


@pytest.mark.slow  # about 8 s
def test_up_is_idempotent_and_down_leaves_no_process_and_no_file_of_no_use(
    make_account: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "the system's temporary folder"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    account = make_account()
    again = account.command("up")
    assert again.returncode == 0 and "already up" in again.stdout
    wait_for_cluster(account)
    while not list((account.home / "clusters").rglob("flink-table-planner_*.jar")):  # 41 MB, which Flink unpacks
        time.sleep(0.1)
    pids = family(account)
    assert list(scratch.iterdir()) == []
    assert account.command("down").returncode == 0
    assert running(pids) == []
    assert list(scratch.iterdir()) == []
    assert {one.name for one in account.home.iterdir()} == {"account.log", "control_plane", "lock"}
    assert account.command("status").returncode == 1
    assert "was not running" in account.command("down").stdout


def test_an_account_that_is_slow_to_answer_is_neither_gone_nor_ended(
    make_account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands still until both have asked, and whoever asks waits half a minute and longer for the answer."""
    account = make_account("home", "--cold")
    account.client("kinesis").create_stream(StreamName="kept", ShardCount=1)
    pid = account.pid
    monkeypatch.setenv("LOCALAWS_PORT", str(account.port))
    monkeypatch.setenv("LOCALAWS_HOME", str(account.home))
    given: list[float] = []
    asked = threading.Semaphore(0)

    def watched(ask: Callable[..., Any]) -> Callable[..., Any]:
        def asks(url: str, timeout: float) -> Any:
            given.append(timeout)
            asked.release()
            return ask(url, timeout=timeout)

        return asks

    monkeypatch.setattr("lab.core.session._open", watched(session._open))
    monkeypatch.setattr(control, "open_url", watched(control.open_url))
    os.kill(pid, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor() as pool:
            seen, again = pool.submit(local_status), pool.submit(control.up, AccountFolder(account.home), account.port)
            asked.acquire()
            asked.acquire()
            os.kill(pid, signal.SIGCONT)
            assert seen.result() is not None
            assert again.result()[1] is False  # nothing was started
    finally:
        os.kill(pid, signal.SIGCONT)
    assert min(given) >= 30
    assert account.pid == pid
    assert account.client("kinesis").list_streams()["StreamNames"] == ["kept"]


PROXY = "http://127.0.0.1:9"  # where nobody listens
IN_A_SHELL_BEHIND_A_PROXY = [
    dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), PROXY),
    dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), PROXY) | {"NO_PROXY": "localhost"},
]


@pytest.mark.parametrize("shell", IN_A_SHELL_BEHIND_A_PROXY, ids=["lower case", "upper case"])
def test_no_proxy_stands_between_us_and_the_account(
    make_account: Any, monkeypatch: pytest.MonkeyPatch, shell: dict[str, str]
) -> None:
    for name, value in shell.items():
        monkeypatch.setenv(name, value)
    account = make_account("home", "--cold")
    make_client("kinesis", account.endpoint).create_stream(StreamName="kept", ShardCount=1)
    assert json.loads(account.command("status", "--json").stdout)["up"] is True
    again = account.command("up")
    assert again.returncode == 0 and "already up" in again.stdout
    assert make_client("kinesis", account.endpoint).list_streams()["StreamNames"] == ["kept"]


def test_an_account_that_does_not_answer_is_named_and_lives_on(
    make_account: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = make_account("home", "--cold")
    pid = account.pid
    monkeypatch.setattr(control, "_ANSWER_TIMEOUT", 0.2)  # seconds, in place of a minute
    os.kill(pid, signal.SIGSTOP)
    try:
        for command in ("up", "status"):
            assert cli.main([command, "--home", str(account.home), "--port", str(account.port)]) == 1
            assert f"runs (process {pid}) and did not answer" in capsys.readouterr().err
    finally:
        os.kill(pid, signal.SIGCONT)
    assert account.pid == pid
    assert account.command("status").returncode == 0


@pytest.mark.slow  # about 8 s
def test_the_processes_of_a_killed_account_end_by_themselves(make_account: Any) -> None:
    account = make_account()
    wait_for_cluster(account)
    functions = account.client("lambda")
    functions.create_function(
        FunctionName="waits", Runtime="python3.12", Role="arn:aws:iam::000000000000:role/LabRole",
        Handler="main.handler", Code={"ZipFile": zipped("def handler(event, context):\n    return 1\n")},
    )  # fmt: skip
    functions.invoke(FunctionName="waits")
    members = [psutil.Process(pid) for pid in family(account)]
    os.kill(members[0].pid, signal.SIGKILL)
    assert psutil.wait_procs(members, timeout=60)[1] == []


def test_up_says_which_application_was_damaged(make_account: Any) -> None:
    account = make_account("home", "--cold")
    account.client("kinesisanalyticsv2").create_application(
        ApplicationName="student",
        RuntimeEnvironment="FLINK-1_20",
        ServiceExecutionRole="arn:aws:iam::000000000000:role/LabRole",
    )
    account.command("down")
    (saved,) = (account.home / "control_plane").iterdir()
    saved.write_text("{")
    started = account.command("up", "--cold")
    assert started.returncode == 0
    assert "The application of 000000000000-us-east-1-student.json is gone" in started.stderr


@pytest.mark.slow  # about 6 s
def test_down_finds_the_flink_processes_of_a_killed_account(make_account: Any) -> None:
    account = make_account()
    wait_for_cluster(account)
    pids = family(account)
    os.kill(pids[0], signal.SIGKILL)
    assert account.command("down").returncode == 0
    assert running(pids) == []


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        account = EmbeddedAccount(holder.getsockname()[1], tmp_path / "home")
        answer = account.command("up")
    assert answer.returncode == 1
    assert f"Port {account.port} on 127.0.0.1 is taken by process {os.getpid()}" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_stale_state_file_never_makes_us_signal_a_stranger(tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        account = EmbeddedAccount(free_port(), tmp_path / "home")
        created = psutil.Process(stranger.pid).create_time() - 100
        AccountFolder(account.home).write_state(AccountState(stranger.pid, created, account.port))
        (account.home / "children.json").write_text(json.dumps({"owner": 1, "children": {stranger.pid: created}}))
        assert "was not running" in account.command("down").stdout
        assert stranger.poll() is None
        assert same_process(stranger.pid, created) is None
    finally:
        stranger.kill()
        stranger.wait()


def test_the_home_is_private_and_children_get_no_credentials(
    account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stat.S_IMODE(account.home.stat().st_mode) == 0o700
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the user's own")
    monkeypatch.setenv("AWS_PROFILE", "private")
    assert not any(name.startswith("AWS_") for name in clean_environment())
