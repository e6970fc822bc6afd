import os
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from lab.core.errors import BadParameter
from lab.core.paths import ROOT, project_path
from lab.core.session import AccountNotReached, connect, local_status
from tests.support.account import EmbeddedAccount


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """connect() changes the process's environment; put it back afterwards."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(BadParameter, match="target = 'gcp'"):
        connect("gcp")


def test_paths_start_at_the_projects_root(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert project_path("data/sample.json") == ROOT / "data" / "sample.json"
    assert project_path("/somewhere/else.json").is_absolute()


def test_local_sets_the_sdks_variables_and_forgets_the_users(
    account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "LOCALAWS_PORT", str(account.port))
    monkeypatch.setitem(os.environ, "AWS_PROFILE", "private")
    monkeypatch.setitem(os.environ, "AWS_SESSION_TOKEN", "private")
    session = connect("local", "eu-west-1")
    assert (session.account, session.region, session.endpoint) == ("000000000000", "eu-west-1", account.endpoint)
    assert session.landing_zone == "000000000000-landing-zone"
    assert os.environ["AWS_ENDPOINT_URL"] == account.endpoint
    assert "AWS_PROFILE" not in os.environ and "AWS_SESSION_TOKEN" not in os.environ


def test_aws_uses_the_sdks_own_chain(account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": account.endpoint,
        "AWS_ACCESS_KEY_ID": "123456789012",
        "AWS_SECRET_ACCESS_KEY": "x",
    }.items():
        monkeypatch.setenv(name, value)
    session = connect("aws", "us-west-2")
    assert (session.target, session.account) == ("aws", "123456789012")
    assert session.role_arn == "arn:aws:iam::123456789012:role/LabRole"


def test_a_taken_port_ends_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        monkeypatch.setenv("LOCALAWS_PORT", str(holder.getsockname()[1]))
        monkeypatch.setenv("LOCALAWS_HOME", str(tmp_path))
        with pytest.raises(AccountNotReached, match=r"^Port \d+ on 127\.0\.0\.1 is taken by process \d+"):
            connect("local")


@pytest.mark.parametrize("said", [b"not json", b"[]", b'"up"'])
def test_who_says_nothing_readable_is_no_account(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        Thread(target=server.handle_request, daemon=True).start()
        monkeypatch.setenv("LOCALAWS_PORT", str(server.server_port))
        assert local_status() is None
