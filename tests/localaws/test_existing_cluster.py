"""Applications on a Flink cluster that the account did not start."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from localaws.errors import ApplicationFailed, FlinkNotUsable
from localaws.flink_cluster.existing_cluster import ExistingCluster, cancel_jobs, check_flink, rest_address
from localaws.flink_cluster.rest import FlinkRest
from localaws.machine.processes import ChildRegister
from tests.support.account import ACCOUNT, EmbeddedAccount, free_port
from tests.support.pipeline import WINDOWS, Pipeline
from tests.support.plain_flink import PlainFlink

SHARDS, MANAGERS = 4, 2


@contextmanager
def answering(answers: dict[str, bytes]) -> Iterator[str]:
    """A server on loopback that answers GET by path, and 404 to the rest; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answers.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"nothing here")

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_address_is_http_with_host_and_port() -> None:
    assert rest_address("flink.example:8081") == "http://flink.example:8081"
    assert rest_address("http://127.0.0.1:8081/") == "http://127.0.0.1:8081"
    for wrong in (
        "127.0.0.1",
        "https://127.0.0.1:8081",
        "http://127.0.0.1:8081/overview",
        "http://a:b@c:1",
        "host:port",
    ):
        with pytest.raises(FlinkNotUsable, match="give it as http://HOST:PORT"):
            rest_address(wrong)


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"/overview": b'{"flink-version": "1.19.1"}'}, "is 1.19.1, and applications of FLINK-1_20 need 1.20"),
        ({"/overview": b'{"flink-version": "2.0.0"}'}, "is 2.0.0"),
        ({"/overview": b'{"version": "1.20.0"}'}, "is not Flink"),
        ({"/overview": b"[1]"}, "is not Flink"),
        ({"/overview": b"<html>"}, "is not a JobManager"),
        ({}, "The JobManager refused GET /overview"),
    ],
)
def test_what_is_not_a_cluster_of_this_version_is_named(answers: dict[str, bytes], sentence: str) -> None:
    with answering(answers) as url, pytest.raises(FlinkNotUsable, match=sentence):
        check_flink(url)


def test_a_cluster_of_this_version_is_taken() -> None:
    with answering({"/overview": b'{"flink-version": "1.20.5", "slots-total": 2}'}) as url:
        assert check_flink(url)["slots-total"] == 2


def test_up_refuses_an_address_where_nothing_answers(tmp_path: Path) -> None:
    account = EmbeddedAccount(free_port(), tmp_path / "home")
    for address in (f"127.0.0.1:{free_port()}", "no address"):
        answer = account.command("up", "--flink-rest", address)
        assert answer.returncode == 1
        assert answer.stderr.count("\n") == 1 and "Flink cluster" in answer.stderr
        assert not (account.home / "account.json").exists()


def test_more_tasks_than_slots_are_refused(tmp_path: Path) -> None:
    overview = b'{"flink-version": "1.20.5", "slots-total": 4, "slots-available": 3, "jobs-running": 0}'
    with answering({"/overview": overview}) as url:
        cluster = ExistingCluster(url, tmp_path, tmp_path / "jobs.json", ChildRegister(tmp_path / "children.json"), {})
        cluster.request_slots(3)
        assert cluster.missing_slots() == ""
        cluster.request_slots(4)
        assert cluster.missing_slots() == "1 slots of a job that has just ended are not free yet"
        cluster.request_slots(5)
        with pytest.raises(ApplicationFailed, match="needs 5 slots, and the Flink cluster at .* has 3 free of 4"):
            cluster.missing_slots()


def test_slots_that_other_jobs_hold_are_not_waited_for(tmp_path: Path) -> None:
    overview = b'{"flink-version": "1.20.5", "slots-total": 4, "slots-available": 3, "jobs-running": 1}'
    with answering({"/overview": overview}) as url:
        cluster = ExistingCluster(url, tmp_path, tmp_path / "jobs.json", ChildRegister(tmp_path / "children.json"), {})
        cluster.request_slots(4)
        with pytest.raises(ApplicationFailed, match="needs 4 slots, and the Flink cluster at .* has 3 free of 4"):
            cluster.missing_slots()


def test_a_checkpoint_must_be_where_this_machine_sees_it(tmp_path: Path) -> None:
    cluster = ExistingCluster("http://127.0.0.1:1", tmp_path, tmp_path / "j", ChildRegister(tmp_path / "c"), {})
    with pytest.raises(ApplicationFailed, match="set LOCALAWS_HOME to a folder that is the same"):
        cluster.check_checkpoint(tmp_path, "job")
    (tmp_path / "checkpoints" / "job" / "chk-1").mkdir(parents=True)
    (tmp_path / "checkpoints" / "job" / "chk-1" / "_metadata").touch()
    cluster.check_checkpoint(tmp_path, "job")


def test_jobs_of_a_cluster_that_is_gone_need_no_end() -> None:
    assert cancel_jobs(FlinkRest(f"http://127.0.0.1:{free_port()}"), ["a"]) is False
    with answering({"/jobs/overview": b'{"jobs": []}'}) as url:
        assert cancel_jobs(FlinkRest(url), ["a"], appear=0.0) is True


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[PlainFlink]:
    """Two TaskManagers, as Flink's own scripts start them; their tasks work in the embedded account."""
    options = {"taskmanager.memory.process.size": "1280m"}
    made = PlainFlink(tmp_path / "flink", free_port(), free_port(), SHARDS // MANAGERS, MANAGERS, options)
    try:
        made.start_cluster({"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "local"})
        yield made
    finally:
        made.stop()


@pytest.mark.slow  # about 40 s: a cluster by Flink's scripts, two starts on it
def test_the_lab_runs_there(
    cluster: PlainFlink, make_account: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account("home", "--flink-rest", cluster.url)
    lab = Pipeline(account, tmp_path, monkeypatch, SHARDS)
    lab.build()
    lab.start()
    board = lab.dashboard()
    assert board.url == cluster.url
    job = board.running_job()
    assert job is not None
    source = board.vertices(job["jid"])[0]["id"]
    assert len(board.get(f"/jobs/{job['jid']}/vertices/{source}/taskmanagers")["taskmanagers"]) == MANAGERS
    lab.create_second()
    with pytest.raises(lab.flink.exceptions.InvalidArgumentException, match="The application student runs on"):
        lab.flink.start_application(ApplicationName="second")

    lab.send(limit=1500, end_markers=False)
    lab.stop()
    assert state(cluster, job["jid"]) == "FINISHED"
    lab.start("RESTORE_FROM_LATEST_SNAPSHOT")
    lab.send(limit=1500)
    comparison = lab.compare()
    assert comparison.equal, comparison.sentence
    assert comparison.expected == 2 * WINDOWS[1500]

    (left,) = [one["jid"] for one in FlinkRest(cluster.url).jobs() if one["state"] == "RUNNING"]
    os.kill(account.pid, signal.SIGKILL)
    assert account.command("up", "--flink-rest", cluster.url).returncode == 0
    assert state(cluster, left) == "CANCELED"
    assert json.loads(account.command("status", "--json").stdout)["flink_rest"] == cluster.url


def state(cluster: PlainFlink, job_id: str) -> str:
    return {job["jid"]: job["state"] for job in FlinkRest(cluster.url).jobs()}[job_id]
