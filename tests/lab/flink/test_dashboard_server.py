"""What stands behind the launcher card: a Flink dashboard that only shows, or one sentence."""

import http.client
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lab.flink import dashboard_server
from lab.flink.dashboard_server import DashboardHandler, DashboardServer


class Flink(BaseHTTPRequestHandler):
    """Answers every path with the request it got."""

    asked: list[str] = []

    def do_GET(self):
        self.asked.append(f"{self.command} {self.path}")
        body = f"host {self.headers['Host']}, cookie {self.headers['Cookie']}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_POST = do_PATCH = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture
def flink() -> Iterator[str]:
    Flink.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Flink) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


class Door:
    """Asks the server at its socket."""

    def __init__(self, path: str) -> None:
        self.path = path

    def ask(self, path: str, method: str = "GET") -> tuple[int, str, str]:
        """Status, Location, and body."""
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(60)
        connection.sock.connect(self.path)
        connection.request(method, path, headers={"Cookie": "jupyter-session"})
        with connection.getresponse() as answer:
            return answer.status, answer.headers.get("Location", ""), answer.read().decode()


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The dashboards the embedded account is said to have; it is up."""
    running: dict[str, str] = {}
    monkeypatch.setattr(dashboard_server, "dashboards", lambda: dict(running))
    monkeypatch.setattr(dashboard_server, "local_status", lambda: {"up": True})
    return running


@pytest.fixture
def door(running: dict[str, str]) -> Iterator[Door]:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own paths are too long for a socket
        path = str(Path(folder) / "socket")
        with DashboardServer(path, DashboardHandler) as server:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            yield Door(path)
            server.shutdown()


def test_the_card_leads_to_the_one_application(door: Door, running: dict[str, str], flink: str) -> None:
    running["student"] = flink
    assert door.ask("/")[:2] == (302, "student/")
    assert door.ask("/student")[:2] == (302, "student/")
    assert door.ask("/student/jobs/overview?a=b")[2] == f"host {flink}, cookie None"
    assert Flink.asked == ["GET /jobs/overview?a=b"]
    assert door.ask("/student/", "HEAD")[0] == 200


def test_of_several_applications_one_chooses(door: Door, running: dict[str, str], flink: str) -> None:
    running.update({"student": flink, "other-1.x": flink})
    code, _, body = door.ask("/")
    assert code == 200 and 'href="other-1.x/"' in body and 'href="student/"' in body


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_looking_is_let_through(door: Door, running: dict[str, str], flink: str, method: str) -> None:
    running["student"] = flink
    code, _, body = door.ask("/student/jars/upload", method)
    assert code == 405 and "only shows" in body and Flink.asked == []


@pytest.mark.parametrize(
    "path", ["jobs/1/yarn-cancel", "jobs/1/yarn-stop", "jobs/1/yarn%2Dcancel", "v1/jobs/1/yarn-stop/"]
)
def test_flinks_changes_by_get_are_closed(door: Door, running: dict[str, str], flink: str, path: str) -> None:
    running["student"] = flink
    assert door.ask(f"/student/jobs/{path}")[0] == 403
    assert Flink.asked == []


def test_nothing_runs(door: Door, running: dict[str, str], flink: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, body = door.ask("/")
    assert code == 200 and "run 03_flink_job" in body and 'http-equiv="refresh"' in body
    assert door.ask("/student/")[0] == 404
    running["other"] = flink
    assert "No application &lt;b&gt; is running here; running: other." in door.ask("/%3Cb%3E/")[2]
    monkeypatch.setattr(dashboard_server, "local_status", lambda: None)
    running.clear()
    assert "run 01_streams, which starts it" in door.ask("/")[2]


def test_a_cluster_that_does_not_answer(door: Door, running: dict[str, str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        running["student"] = f"127.0.0.1:{unused.getsockname()[1]}"
        code, _, body = door.ask("/student/")
    assert code == 502 and "starts or stops" in body


def test_it_ends_with_the_process_that_started_it(running: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    parents = iter([os.getpid(), os.getpid(), 1])
    monkeypatch.setattr(dashboard_server.os, "getppid", lambda: next(parents))
    monkeypatch.setattr(DashboardServer, "timeout", 0.01)
    with tempfile.TemporaryDirectory() as folder, DashboardServer(f"{folder}/socket", DashboardHandler) as server:
        server.serve_while_parent(os.getpid())
    assert next(parents, None) is None
