"""The whole series with ``target=aws``: another region, another account, and nothing but the SDKs' own variables.

Run once for all tests that look at it: twice 01 to 04 (the second time everything is there already), the diagnosis, and
05 at the end. Every request and answer is written down.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from lab.deploy.policies import policy
from tests.aws.calls import Call, read_calls
from tests.support.account import PROJECT, EmbeddedAccount, free_port
from tests.support.processes import answers, server
from tests.support.series import Series, run_series

NUMBER, REGION = "111122223333", "us-west-2"
SECRET = "only-boto3-reads-this"  # the key and the session token of whoever runs the notebooks


@dataclass(frozen=True)
class StandardAccount(EmbeddedAccount):
    """An account that programs find by the standard variables of the AWS SDKs alone."""

    @property
    def environment(self) -> dict[str, str]:
        return {
            **super().environment,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": NUMBER,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_SESSION_TOKEN": SECRET,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }


@dataclass(frozen=True)
class RecordedSeries:
    """What ran, what it said, the folder of all it left (runs, logs of the account too), and every call it made."""

    first: Series
    again: Series
    diagnosis: subprocess.CompletedProcess[str]
    cleanup: subprocess.CompletedProcess[str]
    left: Path
    calls: list[Call]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedSeries]:
    """The recorded series; about 90 s, once."""
    folder = tmp_path_factory.mktemp("aws")
    account = StandardAccount(free_port(), folder / "home")
    calls = folder / "calls.jsonl"
    with _account(account, calls, folder / "account.log"):
        # As the account itself, whose calls are nobody's in iam/: the role comes with the account.
        iam = boto3.client(
            "iam", REGION, endpoint_url=account.endpoint, aws_access_key_id=NUMBER, aws_secret_access_key="none",
            config=Config(user_agent_extra="localaws"),
        )  # fmt: skip
        give_role(iam, NUMBER)
        # localaws must not be asked: were it, it would find no account on this port
        outside = StandardAccount(account.port, folder / "nobody")
        arguments = ["--target", "aws", "-p", "region", REGION, "-p", "shards", "1"]
        first = run_series(outside, folder / "runs", *arguments)
        again = run_series(outside, folder / "runs", *arguments)
        diagnosis = _python(outside, "-m", "lab", "doctor", "--target", "aws", "--region", REGION)
        cleaned = folder / "05.ipynb"
        parameters = ["-p", "target", "aws", "-p", "region", REGION]
        cleanup = _python(outside, "-m", "papermill", "notebooks/05_cleanup.ipynb", str(cleaned), *parameters)
        yield RecordedSeries(first, again, diagnosis, cleanup, folder, read_calls(calls))


def give_role(iam: Any, number: str) -> None:
    """LabRole with the policies of iam/, which the embedded account gives to its own number only."""
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="LabRole", AssumeRolePolicyDocument=json.dumps(policy("trust", number, REGION)))
    for name in ("producer", "flink"):
        document = json.dumps(policy(name, number, REGION))
        iam.put_role_policy(RoleName="LabRole", PolicyName=name, PolicyDocument=document)


@contextmanager
def _account(account: EmbeddedAccount, calls: Path, log: Path) -> Iterator[None]:
    """The account as a server that writes every call down."""
    account.home.mkdir(mode=0o700)
    command = [
        sys.executable, "-m", "tests.aws.recording_account",
        "--port", str(account.port), "--home", str(account.home), "--calls", str(calls),
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with server(command, environment, log, lambda: answers(f"{account.endpoint}/_localaws/status")):
        try:
            yield
        finally:
            account.command("down")


def _python(account: EmbeddedAccount, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=PROJECT, env=account.environment, capture_output=True, text=True, check=False)
