"""Provide pytest with an account and helpers that run a PyFlink application in it.

``pytest_plugins = ["localaws.testing"]`` in the uppermost ``conftest.py`` gives the fixture ``localaws_account``, an
account of the test session on a free port, with its home in a temporary folder.
"""

import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from localaws.account import ACCOUNT, REGION, client, client_environment
from localaws.errors import AccountDidNotStart, ApplicationFailed
from localaws.job_description import RUN_OPTIONS
from localaws.machine.account_folder import PACKAGE_FOLDER, AccountFolder
from localaws.machine.ports import ACCOUNT_PORTS, free_port

_UNDER_WAY = ("STARTING", "STOPPING", "FORCE_STOPPING", "UPDATING", "ROLLING_BACK")
_END_OF_LOG = 5000  # characters
_BUCKET = "localaws-testing"  # the code of every application


@dataclass(frozen=True)
class RunningAccount:
    """Describe an account that is up: how to reach it, and how to talk to its command line."""

    port: int
    home: Path

    @classmethod
    @contextmanager
    def running(cls, home: Path, *options: str) -> Iterator[Self]:
        """Start an account on a free port with these options of ``localaws up``; it is down afterwards.

        Raises AccountDidNotStart.
        """
        account = cls(free_port(ACCOUNT_PORTS), home)
        try:
            started = account.command("up", *options)
            if started.returncode != 0:
                raise AccountDidNotStart(started.stderr.strip())
            yield account
        finally:
            account.command("down")

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def aws_variables(self) -> dict[str, str]:
        """Return the environment variables that lead code with clients of its own to this account."""
        return client_environment(self.endpoint)

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of programs that find this account as the command ``localaws`` does."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**kept, "LOCALAWS_PORT": str(self.port), "LOCALAWS_HOME": str(self.home)}

    def client(self, service: str, region: str = REGION, account: str = ACCOUNT, retries: int = 0) -> Any:
        """Return a boto3 client of this account, whatever the environment says."""
        return client(service, self.endpoint, account, region, retries, read_timeout=320)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``localaws status``, ``logs NAME`` or another command for this account."""
        return subprocess.run(  # noqa: S603
            [sys.executable, "-m", "localaws", *arguments],
            cwd=PACKAGE_FOLDER,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def deploy(
        self, name: str, folder: Path, properties: Mapping[str, Mapping[str, str]] | None = None, **members: Any
    ) -> "DeployedApplication":
        """Create an application of a folder's files, with a log stream; it is READY.

        ``properties`` are the runtime properties by group; without the group of the run options, the main file is
        ``main.py``. ``members`` are further members of CreateApplication.
        """
        with tempfile.TemporaryDirectory() as scratch:
            package = _zip(folder, Path(scratch) / "code.zip")
            s3 = self.client("s3")
            s3.create_bucket(Bucket=_BUCKET)
            s3.upload_file(str(package), _BUCKET, f"{name}.zip")
        application = DeployedApplication(self, name)
        logs = self.client("logs")
        logs.create_log_group(logGroupName=application.log_group)
        logs.create_log_stream(logGroupName=application.log_group, logStreamName="log")
        groups = {RUN_OPTIONS: {"python": "main.py"}, **(properties or {})}
        code = {"S3ContentLocation": {"BucketARN": f"arn:aws:s3:::{_BUCKET}", "FileKey": f"{name}.zip"}}
        stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{application.log_group}:log-stream:log"
        configuration = {
            "ApplicationCodeConfiguration": {"CodeContentType": "ZIPFILE", "CodeContent": code},
            "EnvironmentProperties": {
                "PropertyGroups": [
                    {"PropertyGroupId": group, "PropertyMap": dict(pairs)} for group, pairs in groups.items()
                ]
            },
            **members.pop("ApplicationConfiguration", {}),
        }
        self.client("kinesisanalyticsv2").create_application(
            **{
                "ApplicationName": name,
                "RuntimeEnvironment": "FLINK-1_20",
                "ServiceExecutionRole": f"arn:aws:iam::{ACCOUNT}:role/localaws-testing",
                "CloudWatchLoggingOptions": [{"LogStreamARN": stream}],
                "ApplicationConfiguration": configuration,
                **members,
            }
        )
        return application

    @contextmanager
    def run(
        self, name: str, folder: Path, properties: Mapping[str, Mapping[str, str]] | None = None, **members: Any
    ) -> Iterator["DeployedApplication"]:
        """Create an application as ``deploy`` does: it is RUNNING inside the ``with``, and removed afterwards.

        Raises ApplicationFailed.
        """
        application = self.deploy(name, folder, properties, **members)
        try:
            application.start()
            yield application
        finally:
            application.remove()


@dataclass(frozen=True)
class DeployedApplication:
    """Describe an application of an account by its name, and start, stop and remove it."""

    account: RunningAccount
    name: str

    @property
    def log_group(self) -> str:
        return f"/aws/kinesis-analytics/{self.name}"

    @property
    def status(self) -> str:
        """Return what DescribeApplication says: READY, STARTING, RUNNING ..."""
        return self._detail()["ApplicationStatus"]

    def start(self) -> None:
        """Start it, from its newest snapshot where it has one, and wait until it is RUNNING.

        The account says when a start has failed. Raises ApplicationFailed with the account's sentence, the cause in a
        note.
        """
        self._flink().start_application(ApplicationName=self.name, RunConfiguration={})
        self._wait_for("RUNNING")

    def stop(self, force: bool = False) -> None:
        """Stop it with a snapshot, or with ``force`` without one, and wait until it is READY.

        Raises ApplicationFailed.
        """
        self._flink().stop_application(ApplicationName=self.name, Force=force)
        self._wait_for("READY")

    def remove(self) -> None:
        """Stop it where it runs, and delete it with its log."""
        if self.status != "READY":
            self.stop(force=True)
        self._flink().delete_application(ApplicationName=self.name, CreateTimestamp=self._detail()["CreateTimestamp"])
        self.account.client("logs").delete_log_group(logGroupName=self.log_group)

    def _flink(self) -> Any:
        return self.account.client("kinesisanalyticsv2")

    def _detail(self) -> dict[str, Any]:
        return self._flink().describe_application(ApplicationName=self.name)["ApplicationDetail"]

    def _wait_for(self, wanted: str) -> None:
        while (status := self.status) in _UNDER_WAY:
            time.sleep(0.1)
        if status != wanted:
            sentence, _, cause = (AccountFolder(self.account.home).last_failure(self.name) or "").partition("\n")
            failure = ApplicationFailed(f"{self.name} is {status} and not {wanted}. {sentence}", cause)
            failure.add_note(cause or self.account.command("logs", self.name).stdout[-_END_OF_LOG:])
            raise failure


def _zip(folder: Path, target: Path) -> Path:
    """Write the files below a folder into a zip, as Managed Flink takes them."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                package.write(path, path.relative_to(folder))
    return target


@pytest.fixture(scope="session")
def localaws_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAccount]:
    """Start an account of this test session; it is down at the end."""
    with RunningAccount.running(tmp_path_factory.mktemp("localaws")) as account:
        yield account
