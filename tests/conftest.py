"""Embedded accounts and a MiniStack for the tests: each on a free port, in a home of its own, ended by its id."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.account import EmbeddedAccount, free_port
from tests.support.servers import ministack_server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: the last ones to finish are then short, and no worker waits long for the other."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def make_account(tmp_path: Path) -> Iterator[Any]:
    """Start accounts; all of them are down after the test."""
    accounts: list[EmbeddedAccount] = []

    def make(name: str = "home", *options: str) -> EmbeddedAccount:
        account = EmbeddedAccount(free_port(), tmp_path / name)
        accounts.append(account)
        started = account.command("up", *options)
        assert started.returncode == 0, started.stderr
        return account

    yield make
    for account in accounts:
        account.command("down")


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    """One account for the tests that leave it as they found it; most of them need no Flink cluster."""
    account = EmbeddedAccount(free_port(), tmp_path_factory.mktemp("account"))
    started = account.command("up", "--cold")
    assert started.returncode == 0, started.stderr
    yield account
    account.command("down")


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of a MiniStack without the embedded account around it."""
    with ministack_server(tmp_path_factory.mktemp("ministack")) as endpoint:
        yield endpoint
