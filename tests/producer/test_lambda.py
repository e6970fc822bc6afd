"""The function in the embedded account: odd reviews are rejected with their reason, nothing is lost; about 10 s."""

import json
from pathlib import Path
from typing import Any

import pytest

from lab.deploy.producer_zip import build_producer_zip
from tests.support.account import ACCOUNT, EmbeddedAccount

REVIEW = {
    "review_id": "rw0000001",
    "reviewer": "Ana",
    "movie": "X (2001)",
    "rating": "8",
    "review_summary": "fine",
    "review_date": "24 July 2005",
    "spoiler_tag": 0,
    "review_detail": "fine, 好 \U0001f600",
    "helpful": ["0", "1"],
}
FIELDS = [*REVIEW, "event_time"]


class Producer:
    """The deployed function with a landing zone and a stream of two shards."""

    def __init__(self, account: EmbeddedAccount, name: str, folder: Path) -> None:
        self.s3, self.kinesis, self.lambda_ = (account.client(one) for one in ("s3", "kinesis", "lambda"))
        self.name, self.bucket = name, f"landing-zone-of-{name}"
        self.s3.create_bucket(Bucket=self.bucket)
        self.kinesis.create_stream(StreamName=name, ShardCount=2)
        self.lambda_.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=f"arn:aws:iam::{ACCOUNT}:role/LabRole",
            Handler="lambda_function.lambda_handler",
            MemorySize=512,
            Timeout=300,
            Environment={"Variables": {"LANDING_ZONE_BUCKET": self.bucket}},
            Code={"ZipFile": build_producer_zip(folder / "producer.zip").read_bytes()},
        )

    def invoke(self, reviews: Any, **event: Any) -> dict[str, Any]:
        body = reviews if isinstance(reviews, bytes) else json.dumps(reviews).encode()
        self.s3.put_object(Bucket=self.bucket, Key="sample.json", Body=body)
        payload = {"bucket": self.bucket, "stream": self.name, **event}
        return json.load(self.lambda_.invoke(FunctionName=self.name, Payload=json.dumps(payload).encode())["Payload"])

    def records(self) -> list[dict[str, Any]]:
        found = []
        for shard in self.kinesis.list_shards(StreamName=self.name)["Shards"]:
            start = self.kinesis.get_shard_iterator(
                StreamName=self.name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )
            found += self.kinesis.get_records(ShardIterator=start["ShardIterator"])["Records"]
        return found


@pytest.fixture
def producer(account: EmbeddedAccount, tmp_path: Path, request: pytest.FixtureRequest) -> Producer:
    return Producer(
        account,
        request.node.name.removeprefix("test_").partition("[")[0].replace("_", "-")[:30].strip("-")
        + str(abs(hash(request.node.name)) % 1000),
        tmp_path,
    )


def test_events_carry_the_ten_fields_and_replay_time(producer: Producer) -> None:
    reviews = [{**REVIEW, "review_id": f"rw{number:07}"} for number in range(25)]
    answer = producer.invoke(reviews, rate=10)
    assert (answer["read"], answer["sent"], answer["rejected"], answer["done"]) == (25, 25, 0, True)
    assert (answer["first_event_time"], answer["last_event_time"]) == (
        "2026-01-01T00:00:00.000",
        "2026-01-01T00:00:02.400",
    )
    events = {record["PartitionKey"]: json.loads(record["Data"]) for record in producer.records()}
    assert len(events) == 25 + answer["markers"] == 27
    assert list(events["rw0000007"]) == FIELDS
    assert events["rw0000007"] == {**reviews[7], "event_time": "2026-01-01T00:00:00.700"}
    again = producer.invoke(reviews, rate=10)
    assert again["first_event_time"] >= answer["marker_event_time"]  # event time only moves forward


def test_odd_reviews_are_rejected_with_position_and_reason(producer: Producer) -> None:
    without_movie = {key: value for key, value in REVIEW.items() if key != "movie"}
    odd = ["text", 7, None, [], without_movie, {**REVIEW, "rating": 8}, {**REVIEW, "helpful": "0"}]
    odd += [{**REVIEW, "review_id": ""}, {**REVIEW, "spoiler_tag": 2}, {**REVIEW, "review_detail": "x" * (2 << 20)}]
    answer = producer.invoke([REVIEW, *odd, {**REVIEW, "review_id": "rw0000002", "rating": None, "extra": 1}])
    assert (answer["read"], answer["sent"], answer["rejected"]) == (12, 2, 10)
    assert sum(answer["rejected_reasons"].values()) == 10
    kept = []
    for entry in producer.s3.list_objects_v2(Bucket=producer.bucket, Prefix=answer["rejected_key"])["Contents"]:
        body = producer.s3.get_object(Bucket=producer.bucket, Key=entry["Key"])["Body"].read()
        kept += [json.loads(line) for line in body.splitlines()]
    assert sorted(one["index"] for one in kept) == list(range(1, 11))
    assert all(one["reason"] for one in kept)


@pytest.mark.parametrize("body", [b"", b"hello", b'{"a": '])
def test_input_that_holds_no_reviews_says_so(producer: Producer, body: bytes) -> None:
    answer = producer.invoke(body)
    if "errorMessage" in answer:
        assert "sample.json" in answer["errorMessage"]
    else:
        assert answer["sent"] == 0 and answer["read"] == answer["rejected"]
        assert "sample.json" in answer["input_error"]


def test_a_truncated_array_sends_what_came_before(producer: Producer) -> None:
    whole = json.dumps([{**REVIEW, "review_id": f"rw{number:07}"} for number in range(10)])
    answer = producer.invoke(whole[:-40].encode())
    assert answer["sent"] == 9
    assert answer["read"] == answer["sent"] + answer["rejected"]
    assert answer["input_error"]


def test_a_mistyped_setting_is_refused(producer: Producer) -> None:
    answer = producer.invoke([REVIEW], rat=5)
    assert "rat" in answer["errorMessage"] and "rate" in answer["errorMessage"]
