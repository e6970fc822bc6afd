import os
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import boto3
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


def use(monkeypatch: pytest.MonkeyPatch, account: EmbeddedAccount) -> None:
    monkeypatch.setenv("LOCALAWS_PORT", str(account.port))
    monkeypatch.setenv("LOCALAWS_HOME", str(account.home))


def test_paths_start_at_the_projects_root(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert project_path("data/sample.json") == ROOT / "data" / "sample.json"
    assert project_path("/somewhere/else.json").is_absolute()


def test_local_sets_the_sdks_variables_and_forgets_the_users(
    account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, account)
    monkeypatch.setitem(os.environ, "AWS_PROFILE", "private")
    monkeypatch.setitem(os.environ, "AWS_SESSION_TOKEN", "private")
    session = connect("local", "eu-west-1")
    assert (session.account, session.region, session.endpoint) == ("000000000000", "eu-west-1", account.endpoint)
    assert session.landing_zone == "000000000000-landing-zone"
    assert os.environ["AWS_ENDPOINT_URL"] == account.endpoint
    assert "AWS_PROFILE" not in os.environ and "AWS_SESSION_TOKEN" not in os.environ


@pytest.mark.parametrize("region", ["us-esat-1", "US-EAST-1", ""])
def test_a_region_that_aws_does_not_have_is_refused(
    account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    use(monkeypatch, account)
    with pytest.raises(BadParameter, match="AWS has no such region"):
        connect("local", region)
    assert connect("local").region == "us-east-1"


SERVICES = ("s3", "kinesis", "lambda", "iam", "sts", "logs", "kinesisanalyticsv2")
ELSEWHERE = "http://127.0.0.1:9"  # where nobody listens
# What people have in their shells and files, each seen to send local calls elsewhere or to stop them; origin:
# localstack/localstack issue 239 and boto/boto3 issue 3179 (proxies).
SETTINGS: dict[str, dict[str, str]] = {
    "an endpoint for one service": {"AWS_ENDPOINT_URL_S3": ELSEWHERE, "AWS_ENDPOINT_URL_KINESIS": ELSEWHERE},
    "configured endpoints ignored": {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
    "other kinds of endpoints": {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
    "a profile": {"AWS_PROFILE": "nobody"},
    "a proxy": {"http_proxy": ELSEWHERE, "HTTPS_PROXY": ELSEWHERE, "all_proxy": ELSEWHERE},
    "a proxy with exceptions": {"http_proxy": ELSEWHERE, "no_proxy": "localhost", "NO_PROXY": "example.org"},
}
# ~/.aws/credentials as Learner Labs leave it, and what is said of each; origin: techservicesillinois/awscli-login issue
# 93 ([default] twice), aws/aws-cli issue 5101 (no section), jorgebastida/awslogs issue 367 (a key twice).
DAMAGED_FILES = {
    "[default]\naws_access_key_id = a\n[default]\naws_access_key_id = b\n": "line 3 holds a section that stands there",
    "aws_access_key_id = a\n": "line 1 holds something before the first section",
    "\ufeff[default]\naws_access_key_id = a\n": "line 1 holds something before the first section",
    "Copy the following into ~/.aws/credentials\n[default]\naws_access_key_id = a\n": "line 1 holds something",
    "[default]\naws_access_key_id = a\naws_access_key_id = b\n": "line 3 holds a key that its section has",
    "[default]\nasdf\n": "line 2 holds a line that is neither",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_local_is_local_for_every_service(
    account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    for variable, value in SETTINGS[name].items():
        monkeypatch.setenv(variable, value)
    config = tmp_path / "config"
    config.write_text(
        f"[default]\nendpoint_url = {ELSEWHERE}\nservices = mine\n[services mine]\ns3 =\n  endpoint_url = {ELSEWHERE}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    use(monkeypatch, account)
    connect("local")
    assert {boto3.client(service).meta.endpoint_url for service in SERVICES} == {account.endpoint}
    assert boto3.client("sts").get_caller_identity()["Account"] == "000000000000"


@pytest.mark.parametrize("content", DAMAGED_FILES)
def test_a_damaged_file_of_credentials(
    account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "credentials"
    path.write_text(content, encoding="utf-8")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    use(monkeypatch, account)
    connect("local")
    assert boto3.client("sts").get_caller_identity()["Account"] == "000000000000"
    with pytest.raises(AccountNotReached) as refused:
        connect("aws")
    assert f"{path} cannot be read: {DAMAGED_FILES[content]}" in str(refused.value)
    assert "AWS was not asked" in str(refused.value)


def test_aws_after_local_has_the_users_own_variables_again(
    account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, account)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "123456789012")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    connect("local")
    monkeypatch.setenv("AWS_ENDPOINT_URL", account.endpoint + "/")  # set anew since, so it stays
    assert connect("aws").account == "123456789012"
    assert "AWS_CONFIG_FILE" not in os.environ


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


def test_the_account_of_another_folder_is_never_taken(
    account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch, account)
    monkeypatch.setenv("LOCALAWS_HOME", str(tmp_path / "mine"))
    assert local_status() is None
    taken = f"^Port {account.port} on 127.0.0.1 is taken by the embedded account of {account.home}; .* LOCALAWS_PORT"
    with pytest.raises(AccountNotReached, match=taken):
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
