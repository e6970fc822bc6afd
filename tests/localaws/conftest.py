"""The workbench of the applications that run as they would on AWS."""

from collections.abc import Iterator

import pytest

from tests.support.account import EmbeddedAccount
from tests.support.applications import Workbench, workbench


@pytest.fixture
def bench(account: EmbeddedAccount, request: pytest.FixtureRequest) -> Iterator[Workbench]:
    with workbench(account, request.node.name) as bench:
        yield bench
