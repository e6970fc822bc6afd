"""The lab's pipeline in one account for all tests of a file, its application started and kept running."""

from collections.abc import Iterator

import pytest

from tests.support.account import running_account
from tests.support.pipeline import Pipeline


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Two shards, the function and the application, READY."""
    folder = tmp_path_factory.mktemp("pipeline")
    with running_account(folder / "home") as account, pytest.MonkeyPatch.context() as patch:
        pipeline = Pipeline(account, folder, patch, shards=2)
        pipeline.build()
        yield pipeline


@pytest.fixture
def pipeline(built: Pipeline) -> Pipeline:
    """The file's pipeline with its application RUNNING: a test alone starts it, the next ones find it so."""
    if built.detail()["ApplicationStatus"] == "READY":
        built.start()
    return built
