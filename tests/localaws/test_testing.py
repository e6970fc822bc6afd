"""What others test their applications with: the README's lines, and an application that stops, starts and fails."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from localaws.errors import AccountDidNotStart, ApplicationFailed
from localaws.testing import RunningAccount
from tests.support.account import PROJECT, EmbeddedAccount, running_account

README = (PROJECT / "localaws" / "README.md").read_text()
MAIN, _, PLUGIN, TEST = re.findall(r"^```python\n(.*?)^```$", README, re.M | re.S)


@pytest.fixture
def application(tmp_path: Path) -> Path:
    """The README's application."""
    folder = tmp_path / "app"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "__pycache__" / "main.cpython-311.pyc").write_bytes(b"no source")
    (folder / "main.py").write_text(MAIN)
    return folder


@pytest.mark.slow  # about 30 s
def test_the_readmes_test_passes(tmp_path: Path, application: Path) -> None:
    (tmp_path / "conftest.py").write_text(PLUGIN)
    (tmp_path / "test_it.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'temporary'}"]
    mine = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=tmp_path, env=mine, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1].startswith("1 passed"), done.stdout + done.stderr
    (home,) = (tmp_path / "temporary").glob("localaws[0-9]")
    assert not (home / "account.json").exists()  # the account is down


@pytest.fixture(scope="module")
def warm_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    with running_account(tmp_path_factory.mktemp("account") / "home") as account:
        yield account


@pytest.fixture
def account(warm_account: EmbeddedAccount) -> Iterator[EmbeddedAccount]:
    """An account without applications, and without any afterwards."""
    account = warm_account
    yield account
    assert account.client("kinesisanalyticsv2").list_applications()["ApplicationSummaries"] == []
    assert account.client("logs").describe_log_groups()["logGroups"] == []


@pytest.mark.slow  # about 50 s
def test_an_application_stops_with_a_snapshot_and_starts_again(account: EmbeddedAccount, application: Path) -> None:
    properties = {"group": {"key": "value"}}
    with account.run("counts", application, properties, ApplicationDescription="described") as counts:
        flink = account.client("kinesisanalyticsv2")
        detail = flink.describe_application(ApplicationName="counts")["ApplicationDetail"]
        assert detail["ApplicationDescription"] == "described"
        described = detail["ApplicationConfigurationDescription"]["EnvironmentPropertyDescriptions"]
        assert {group["PropertyGroupId"]: group["PropertyMap"] for group in described["PropertyGroupDescriptions"]} == {
            "kinesis.analytics.flink.run.options": {"python": "main.py"},
            "group": {"key": "value"},
        }
        counts.stop()
        assert counts.status == "READY"
        assert len(flink.list_application_snapshots(ApplicationName="counts")["SnapshotSummaries"]) == 1
        counts.start()
        assert counts.status == "RUNNING"


@pytest.mark.slow  # about 30 s
def test_an_application_that_fails_says_why_and_is_removed(account: EmbeddedAccount, application: Path) -> None:
    (application / "main.py").write_text(MAIN.replace("SELECT n FROM", "SELECT m FROM"))
    with pytest.raises(ApplicationFailed) as failed, account.run("wrong", application):
        pass
    said = "wrong is READY and not RUNNING. The application failed: "
    assert str(failed.value).startswith(said) and "Column 'm' not found in any table" in str(failed.value)
    assert "\n" not in str(failed.value)
    (note,) = failed.value.__notes__
    assert note == failed.value.cause and "line 6, in <module>" in note


def test_an_account_that_does_not_start_says_why(tmp_path: Path) -> None:
    refused = pytest.raises(AccountDidNotStart, match="rain")
    with refused, RunningAccount.running(tmp_path / "home", "--faults", "rain=0.5"):
        pass


def test_clients_reach_the_account_whatever_the_environment_says(
    make_account: Callable[..., EmbeddedAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account("home", "--cold")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    account.client("kinesis").create_stream(StreamName="numbers", ShardCount=1)
    for name, value in account.aws_variables.items():
        monkeypatch.setenv(name, value)
    assert boto3.Session().client("kinesis").meta.endpoint_url == account.endpoint
    assert account.client("kinesis").list_streams()["StreamNames"] == ["numbers"]
