"""An embedded account for the exercises, and a session in it."""

from collections.abc import Iterator

import pytest

from lab.core.names import EXERCISE_STREAM
from lab.core.session import Session, connect
from tests.support.account import EmbeddedAccount, running_account


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    with running_account(tmp_path_factory.mktemp("exercises"), "--cold") as account:
        account.client("s3").create_bucket(Bucket="000000000000-landing-zone")
        kinesis = account.client("kinesis")
        for name, shards in {EXERCISE_STREAM: 4, "reviews": 2}.items():
            kinesis.create_stream(StreamName=name, ShardCount=shards)
            kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
        yield account


@pytest.fixture
def session(embedded: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch) -> Session:
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.setenv(name, "")  # connect changes them; they are put back after the test
    for name in ("LOCALAWS_PORT", "LOCALAWS_HOME"):
        monkeypatch.setenv(name, embedded.environment[name])
    return connect()
