"""A Kinesis and S3 for the tests that read streams, the lab's resources in the shared account, and stubbed clients."""

import itertools
import json
import os
from collections.abc import Callable, Iterator

import boto3
import pytest
from botocore.stub import Stubber

from lab.core import session
from tests.lab.furnished import Furnished


@pytest.fixture
def aws(ministack, monkeypatch):
    """The SDK's standard environment, pointing at the session's MiniStack."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", ministack)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "000000000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return ministack


@pytest.fixture
def kinesis(aws):
    return boto3.client("kinesis")


_numbers = itertools.count()


@pytest.fixture
def make_stream(kinesis):
    """make_stream(shards) -> the name of a new stream; all are deleted afterwards."""
    made = []

    def make(shards):
        name = f"reviews-{next(_numbers)}"
        kinesis.create_stream(StreamName=name, ShardCount=shards)
        kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
        made.append(name)
        return name

    yield make
    for name in made:
        kinesis.delete_stream(StreamName=name)


@pytest.fixture
def put(kinesis):
    """put(stream, values): dicts as JSON, bytes as they are, partition key = review_id or the place in the list."""

    def put(stream, values):
        records = [
            {
                "Data": value if isinstance(value, bytes) else json.dumps(value).encode(),
                "PartitionKey": (value.get("review_id") if isinstance(value, dict) else None) or f"key-{number}",
            }
            for number, value in enumerate(values)
        ]
        for first in range(0, len(records), 500):
            answer = kinesis.put_records(StreamName=stream, Records=records[first : first + 500])
            assert answer["FailedRecordCount"] == 0

    return put


@pytest.fixture
def furnish(account):
    """furnish(tagged=True) -> the lab's resources in the shared account, reached as an account on AWS; gone after."""
    session._put_aws_variables_back()  # a connect of an earlier test would take the variables of here for its own
    before = dict(os.environ)
    made = []

    def make(**options):
        furnished = Furnished(account, **options)
        made.append(furnished)
        return furnished

    yield make
    for furnished in made:
        furnished.clear()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Stubber]]:
    """stubbed("iam") -> the Stubber of the client that lab's code gets for the service."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    stubs: dict[str, Stubber] = {}

    def stub(service: str) -> Stubber:
        client = boto3.Session("key", "secret", region_name="us-east-1").client(service)
        stubs[service] = Stubber(client)
        stubs[service].activate()
        return stubs[service]

    monkeypatch.setattr(boto3, "client", lambda service, **_: stubs[service].client)
    yield stub
    for one in stubs.values():
        one.assert_no_pending_responses()
