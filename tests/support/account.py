"""An embedded account in a process of its own, for tests and benchmarks: its port, its home, its command line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from localaws.machine import ports

PROJECT = Path(__file__).resolve().parents[2]
SHARED = PROJECT.parent / "shared" / "data"
ACCOUNT = "000000000000"


def free_port() -> int:
    """A port on loopback that nobody listens on, and that no cluster of Flink draws."""
    return ports.free_port(range(20_000, 30_000))


@dataclass(frozen=True)
class EmbeddedAccount:
    """A running account: how to reach it and how to talk to its command line."""

    port: int
    home: Path

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """For programs of ours that are to work in this account."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**kept, "LOCALAWS_PORT": str(self.port), "LOCALAWS_HOME": str(self.home)}

    @property
    def pid(self) -> int:
        """The account's own process."""
        return json.loads((self.home / "account.json").read_text())["pid"]

    def client(self, service: str, region: str = "us-east-1", account: str = ACCOUNT, retries: int = 0) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="local",
            config=Config(read_timeout=320, retries={"max_attempts": retries}),
        )

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "localaws", *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def running_account(home: Path, *options: str) -> Iterator[EmbeddedAccount]:
    """An account that `localaws up` has started with these options; it is down afterwards."""
    account = EmbeddedAccount(free_port(), home)
    try:
        started = account.command("up", "--role", "LabRole", *options)
        assert started.returncode == 0, started.stderr
        yield account
    finally:
        account.command("down")
