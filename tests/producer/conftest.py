"""A real Kinesis and S3 for the producer's tests: the session's MiniStack, a bucket and a stream a test."""

import importlib
import itertools
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.support.account import ACCOUNT
from tests.support.reviews import PRODUCER

_number = itertools.count(1)


class Context:
    """What Lambda passes beside the event."""

    def __init__(self, seconds: float = 300.0, request_id: str = "request-1") -> None:
        self.invoked_function_arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:reviewProducer"
        self.aws_request_id = request_id
        self._until = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._until - time.monotonic()) * 1000))


@dataclass
class World:
    """A bucket with an object to be, a stream, and the function."""

    endpoint: str
    bucket: str
    stream: str
    monkeypatch: pytest.MonkeyPatch
    logs: list[str] = field(default_factory=list)

    def client(self, service: str, attempts: int = 1) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}),
        )

    def create_stream(self, shards: int) -> None:
        kinesis = self.client("kinesis")
        kinesis.create_stream(StreamName=self.stream, ShardCount=shards)
        kinesis.get_waiter("stream_exists").wait(StreamName=self.stream, WaiterConfig={"Delay": 1})

    def upload(self, body: bytes, key: str = "sample.json") -> None:
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)

    def event(self, **settings: Any) -> dict[str, Any]:
        return {"bucket": self.bucket, "state_bucket": self.bucket, "stream": self.stream, **settings}

    def invoke(self, context: Context | None = None, through: str | None = None, **settings: Any) -> dict[str, Any]:
        """Call the handler; ``through`` is another endpoint than the account's own (a faulty proxy)."""
        self.monkeypatch.setenv("AWS_ENDPOINT_URL", through or self.endpoint)
        function = importlib.import_module("lambda_function")
        self.monkeypatch.setattr(function, "_write_log", self.logs.append)
        answer = function.lambda_handler(self.event(**settings), context or Context())
        assert answer["read"] == answer["sent"] + answer["rejected"]
        assert sum(answer["per_shard"].values()) == answer["sent"]
        assert sum(answer["rejected_reasons"].values()) == answer["rejected"]
        return json.loads(json.dumps(answer))  # what Lambda would make of it

    def environment(self) -> dict[str, str]:
        """For a function in a process of its own."""
        return {**os.environ, "AWS_ENDPOINT_URL": self.endpoint, "PYTHONPATH": str(PRODUCER)}

    def records(self) -> dict[str, list[dict[str, Any]]]:
        """Everything on the stream: shard -> payloads in order, each with its ``PartitionKey`` added."""
        # A strict account closes a shard for a while after a large read: asked again then, with boto3's backoff.
        kinesis = self.client("kinesis", attempts=10)
        found: dict[str, list[dict[str, Any]]] = {}
        for shard in kinesis.list_shards(StreamName=self.stream)["Shards"]:
            shard_id = shard["ShardId"]
            question = {"StreamName": self.stream, "ShardId": shard_id, "ShardIteratorType": "TRIM_HORIZON"}
            iterator = kinesis.get_shard_iterator(**question)["ShardIterator"]
            found[shard_id] = []
            while True:
                answer = kinesis.get_records(ShardIterator=iterator, Limit=10_000)
                found[shard_id] += [
                    {**json.loads(record["Data"]), "PartitionKey": record["PartitionKey"]}
                    for record in answer["Records"]
                ]
                iterator = answer["NextShardIterator"]
                if not answer["Records"]:
                    break
        return found

    def sent(self) -> list[dict[str, Any]]:
        """The reviews on the stream (no markers) in the order of event time."""
        everything = [record for records in self.records().values() for record in records if record["reviewer"]]
        return sorted(everything, key=lambda record: record["event_time"])

    def state(self) -> dict[str, Any]:
        key = f"state/{self.stream}/clock.json"
        return json.loads(self.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def rejected(self) -> list[dict[str, Any]]:
        """What is kept about rejected reviews, all runs."""
        s3 = self.client("s3")
        listed = s3.list_objects_v2(Bucket=self.bucket, Prefix=f"rejected/{self.stream}/").get("Contents", [])
        bodies = [s3.get_object(Bucket=self.bucket, Key=item["Key"])["Body"].read() for item in listed]
        return [json.loads(line) for body in bodies for line in body.splitlines()]


@pytest.fixture
def make_world(ministack: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    """Make a world with ``shards`` shards and ``body`` as its object."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "LANDING_ZONE_BUCKET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("PRODUCER_LEASE_SECONDS", "7")  # sent for five of them; a busy machine may stand still for one
    worlds: list[World] = []

    def make(body: bytes | None = None, shards: int = 1) -> World:
        number = next(_number)
        world = World(ministack, f"landing-zone-{number}", f"reviews-{number}", monkeypatch)
        world.client("s3").create_bucket(Bucket=world.bucket)
        world.create_stream(shards)
        if body is not None:
            world.upload(body)
        worlds.append(world)
        return world

    yield make
    for world in worlds:
        world.client("kinesis").delete_stream(StreamName=world.stream)


@pytest.fixture
def dice() -> random.Random:
    """Reproducible chance."""
    return random.Random(20260101)
