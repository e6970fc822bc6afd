"""Inputs that people reported to projects like this one, each with the line it came from; about 5 s in all."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.errors import ApplicationRefused
from localaws.job_description import RunOptions
from localaws.managed_flink.package import check_package
from tests.localaws.odd_requests import Sender
from tests.support.account import EmbeddedAccount

SHARD = "shardId-000000000000"
HALF = str(1 << 127)


@pytest.fixture
def kinesis(account: EmbeddedAccount) -> Iterator[Any]:
    client = account.client("kinesis")
    client.create_stream(StreamName="reported", ShardCount=1)
    yield client
    for name in client.list_streams()["StreamNames"]:
        client.delete_stream(StreamName=name)


def code_of(call: Any, **members: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**members)
    return refused.value.response["Error"]["Code"]


# origin: localstack/localstack issue 4095, data that is a plain text; and 6492, base64 whose padding is missing
@pytest.mark.parametrize("data", ["raw_string", "eyJvcCI6ImMifQ", "my event", "YQ=", "\u00e9"])
def test_data_that_is_no_base64_is_refused_and_the_shard_stays_readable(
    kinesis: Any, account: EmbeddedAccount, data: str
) -> None:
    sender = Sender(account.port, "Kinesis_20131202", "kinesis")
    record = {"Data": data, "PartitionKey": "k"}
    for operation, request in (("PutRecord", record), ("PutRecords", {"Records": [record]})):
        answer = sender.send(operation, {"StreamName": "reported", **request})
        assert (answer.status, answer.code) == (400, "SerializationException")
    kinesis.put_record(StreamName="reported", Data=b"readable", PartitionKey="k")
    token = kinesis.get_shard_iterator(StreamName="reported", ShardId=SHARD, ShardIteratorType="TRIM_HORIZON")
    read = kinesis.get_records(ShardIterator=token["ShardIterator"])["Records"]
    assert [one["Data"] for one in read] == [b"readable"]


# origin: faiscadev/fakecloud pull request 1821 and sivchari/kumo issue 258, a paginator that sees the first page only
def test_every_page_of_streams(kinesis: Any) -> None:
    for number in range(6):
        kinesis.create_stream(StreamName=f"more-{number}", ShardCount=1)
    pages = list(kinesis.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 1}))
    names = [name for page in pages for name in page["StreamNames"]]
    assert names == [*(f"more-{number}" for number in range(6)), "reported"] and len(pages) == 7


# origin: getmoto/moto pull request 10161, consumers that come all at once and without a token
def test_every_page_of_consumers(kinesis: Any) -> None:
    arn = kinesis.describe_stream_summary(StreamName="reported")["StreamDescriptionSummary"]["StreamARN"]
    for number in range(5):
        kinesis.register_stream_consumer(StreamARN=arn, ConsumerName=f"c{number}")
    pages = kinesis.get_paginator("list_stream_consumers").paginate(StreamARN=arn, PaginationConfig={"PageSize": 2})
    assert [[one["ConsumerName"] for one in page["Consumers"]] for page in pages] == [
        ["c0", "c1"],
        ["c2", "c3"],
        ["c4"],
    ]


# origin: warpstreamlabs/bento pull request 920, and awslabs/kinesis-hot-shard-advisor issue 5, beyond a thousand shards
def test_more_than_a_thousand_shards_come_in_pages(kinesis: Any) -> None:
    kinesis.create_stream(StreamName="wide", ShardCount=1_100)
    first = kinesis.list_shards(StreamName="wide")
    assert len(first["Shards"]) == 1_000
    assert len(kinesis.list_shards(NextToken=first["NextToken"])["Shards"]) == 100
    both = {"StreamName": "wide", "NextToken": first["NextToken"]}
    assert code_of(kinesis.list_shards, **both) == "InvalidArgumentException"


# origin: mhart/kinesalite issue 72, what is said at the quota of shards; the number is of an attack
def test_a_stream_above_the_quota(kinesis: Any) -> None:
    for count in (20_000, 10**9):
        assert code_of(kinesis.create_stream, StreamName="vast", ShardCount=count) == "LimitExceededException"
    assert kinesis.list_streams()["StreamNames"] == ["reported"]


# origin: mhart/kinesalite issue 109, a shard that can be split again and again
def test_a_shard_is_split_once(kinesis: Any) -> None:
    split = {"StreamName": "reported", "ShardToSplit": SHARD, "NewStartingHashKey": HALF}
    kinesis.split_shard(**split)
    assert code_of(kinesis.split_shard, **split) == "InvalidArgumentException"


# origin: names that a shell or a spreadsheet made: numbers and words of JSON are names, as on AWS, and listed as texts
@pytest.mark.parametrize("name", ["5", "true", "NaN", "null", "1e5", "-", "."])
def test_names_that_look_like_something_else(kinesis: Any, name: str) -> None:
    kinesis.create_stream(StreamName=name, ShardCount=1)
    assert kinesis.list_streams()["StreamNames"] == sorted([name, "reported"])


# origin: PowerShell/Microsoft.PowerShell.Archive issue 71 and floci-io/floci issue 1198, zips of Compress-Archive
def test_a_zip_of_compress_archive(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr("App/main.py", "print(1)")
    (tmp_path / "a.zip").write_bytes(packed.getvalue().replace(b"App/main.py", b"App\\main.py"))
    with pytest.raises(ApplicationRefused, match="has backslashes in its path"):
        check_package(tmp_path / "a.zip", RunOptions("App/main.py"))


# origin: awsdocs/aws-lambda-developer-guide issue 382, the CLI decoding a JSON payload as base64
def test_a_payload_that_the_cli_took_for_base64(account: EmbeddedAccount) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr("main.py", "def handler(event, context):\n    return event\n")
    functions = account.client("lambda")
    functions.create_function(
        FunctionName="reported", Runtime="python3.12", Role="arn:aws:iam::000000000000:role/LabRole",
        Handler="main.handler", Code={"ZipFile": packed.getvalue()},
    )  # fmt: skip
    try:
        payload = bytes.fromhex("30440361d061")
        assert code_of(functions.invoke, FunctionName="reported", Payload=payload) == "InvalidRequestContentException"
        assert json.load(functions.invoke(FunctionName="reported", Payload=b'{"a": 1}')["Payload"]) == {"a": 1}
    finally:
        functions.delete_function(FunctionName="reported")
