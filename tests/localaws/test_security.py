"""What an account started from a shell full of secrets lets through: nothing; about 8 s in all."""

import io
import json
import os
import stat
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yaml

from tests.support.account import EmbeddedAccount, free_port

SECRET = "only-the-user-knows"
SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "HTTPS_PROXY", "API_TOKEN")
SHOW_ENVIRONMENT = "import os\ndef handler(event, context):\n    return dict(os.environ)\n"


class SecretiveShell(EmbeddedAccount):
    """Runs every command with secrets in its environment."""

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, **dict.fromkeys(SECRETS, SECRET), "NO_PROXY": "127.0.0.1"}


@pytest.fixture(scope="module")
def secretive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    account = SecretiveShell(free_port(), tmp_path_factory.mktemp("secretive"))
    started = account.command("up")
    assert started.returncode == 0, started.stderr
    while not jobmanager_answers(account):
        time.sleep(0.1)
    yield account
    account.command("down")


def dashboard(account: EmbeddedAccount) -> str:
    (conf,) = (account.home / "clusters").glob("*/conf/config.yaml")
    return f"http://127.0.0.1:{yaml.safe_load(conf.read_text())['rest.port']}"


def answered(url: str, method: str = "GET", body: bytes | None = None, kind: str = "application/json") -> int:
    request = urllib.request.Request(url, body, {"Content-Type": kind}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def jobmanager_answers(account: EmbeddedAccount) -> bool:
    try:
        return answered(dashboard(account) + "/overview") == 200
    except (OSError, ValueError):
        return False


def family(account: EmbeddedAccount) -> list[psutil.Process]:
    root = psutil.Process(account.pid)
    return [root, *root.children(recursive=True)]


def listening_addresses(account: EmbeddedAccount) -> set[str]:
    found = set()
    for process in family(account):
        with suppress(psutil.NoSuchProcess):  # a driver that has done its work
            connections = process.net_connections("inet")
            found |= {one.laddr.ip.removeprefix("::ffff:") for one in connections if one.status == psutil.CONN_LISTEN}
    return found


def test_every_listening_socket_is_on_loopback(secretive: EmbeddedAccount) -> None:
    # While it starts, PyFlink's gateway looks for a free port by opening one for a moment on any address; what listens
    # once the cluster stands must be on loopback.
    deadline = time.monotonic() + 60
    while not listening_addresses(secretive) <= {"127.0.0.1", "::1"} and time.monotonic() < deadline:
        time.sleep(0.2)
    assert "127.0.0.1" in listening_addresses(secretive)
    assert listening_addresses(secretive) <= {"127.0.0.1", "::1"}


def test_no_process_has_the_users_secrets(secretive: EmbeddedAccount) -> None:
    assert len(family(secretive)) >= 3
    for process in family(secretive):
        environment = process.environ()
        assert SECRET not in environment.values(), process
        assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "API_TOKEN"} & set(environment), process
        assert environment.get("HTTPS_PROXY") in (None, secretive.endpoint), process
        assert SECRET not in " ".join(process.cmdline())


def test_a_function_has_the_accounts_credentials_only(secretive: EmbeddedAccount) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr("main.py", SHOW_ENVIRONMENT)
    functions = secretive.client("lambda")
    functions.create_function(
        FunctionName="show",
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/LabRole",
        Handler="main.handler",
        Code={"ZipFile": packed.getvalue()},
    )
    environment = json.load(functions.invoke(FunctionName="show")["Payload"])
    assert SECRET not in environment.values()
    assert environment["AWS_ENDPOINT_URL"] == secretive.endpoint
    assert environment["AWS_ACCESS_KEY_ID"] == "000000000000"
    assert not {"AWS_PROFILE", "HTTPS_PROXY", "API_TOKEN"} & set(environment)


def test_the_dashboard_takes_no_jar(secretive: EmbeddedAccount) -> None:
    url = dashboard(secretive)
    boundary = "x"
    jar = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="jarfile"; filename="stranger.jar"\r\n'
        f"Content-Type: application/x-java-archive\r\n\r\nPK\r\n--{boundary}--\r\n"
    ).encode()
    assert answered(url + "/jars/upload", "POST", jar, f"multipart/form-data; boundary={boundary}") >= 400
    assert [path for path in secretive.home.rglob("*stranger*")] == []
    assert answered(url + "/jars/stranger.jar/run", "POST", b"{}") == 404
    assert answered(url + "/jars") == 404
    assert json.load(urllib.request.urlopen(url + "/config", timeout=60))["features"]["web-submit"] is False


def test_nobody_else_reads_the_home(secretive: EmbeddedAccount) -> None:
    for folder, _, files in os.walk(secretive.home):
        for path in (Path(folder), *(Path(folder, name) for name in files)):
            if path.is_symlink() or path.is_socket() or not path.exists():
                continue
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode & 0o077 == 0, f"{path} is {mode:o}"
