"""Embedded accounts and a MiniStack for the tests: each on a free port, in a home of its own, ended by its id."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.account import EmbeddedAccount, running_account
from tests.support.processes import ministack_server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: the last ones to finish are then short, and no worker waits long for the other."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def make_account(tmp_path: Path) -> Iterator[Callable[..., EmbeddedAccount]]:
    """Start accounts; all of them are down after the test."""
    with ExitStack() as accounts:
        yield lambda name="home", *options: accounts.enter_context(running_account(tmp_path / name, *options))


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    """One account for the tests that leave it as they found it, without a Flink cluster."""
    with running_account(tmp_path_factory.mktemp("account"), "--cold") as account:
        yield account


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of a MiniStack without the embedded account around it."""
    with ministack_server(tmp_path_factory.mktemp("ministack")) as endpoint:
        yield endpoint
