"""An embedded account in a process of its own, for tests and benchmarks, with what only they ask of it."""

import json
from contextlib import AbstractContextManager
from pathlib import Path

from localaws.machine import ports
from localaws.testing import RunningAccount

PROJECT = Path(__file__).resolve().parents[2]
SHARED = PROJECT.parent / "shared" / "data"
ACCOUNT = "000000000000"


def free_port() -> int:
    """A port on loopback that nobody listens on, and that no cluster of Flink draws."""
    return ports.free_port(ports.ACCOUNT_PORTS)


class EmbeddedAccount(RunningAccount):
    """A running account, and which process it is."""

    @property
    def pid(self) -> int:
        """The account's own process."""
        return json.loads((self.home / "account.json").read_text())["pid"]


def running_account(home: Path, *options: str) -> AbstractContextManager[EmbeddedAccount]:
    """An account with the lab's role that `localaws up` has started with these options; it is down afterwards."""
    return EmbeddedAccount.running(home, "--role", "LabRole", *options)
