"""Every operation with every member wrong in every way, against a running account: refused rightly, never a 500."""

import collections
import time
from collections.abc import Iterator
from typing import Any

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.localaws.odd_requests import ARN, Requests, Sender
from tests.support.account import EmbeddedAccount

ROLE = "arn:aws:iam::000000000000:role/LabRole"
MB = 1 << 20
# For each service: the target of its requests, the codes of refusals, and the operations (None: all of them).
SERVICES: dict[str, tuple[str, set[str], tuple[str, ...] | None]] = {
    "kinesis": ("Kinesis_20131202", {"ValidationException"}, None),
    "kinesisanalyticsv2": ("KinesisAnalytics_20180523", {"ValidationException", "InvalidArgumentException"}, None),
    "logs": (
        "Logs_20140328",
        {"InvalidParameterException"},
        (
            "CreateLogGroup", "CreateLogStream", "DeleteLogGroup", "DescribeLogGroups", "DescribeLogStreams",
            "FilterLogEvents", "GetLogEvents", "ListTagsForResource", "PutLogEvents", "PutRetentionPolicy",
            "TagResource",
        ),
    ),
    "lambda": (
        "",
        {"ValidationException", "InvalidParameterValueException"},
        (
            "CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration", "GetFunction", "ListFunctions",
            "TagResource", "CreateEventSourceMapping", "DeleteFunction",
        ),
    ),
}  # fmt: skip
SEEDS = {"StreamName": "odd", "StreamARN": ARN, "ShardId": "shardId-000000000000", "RuntimeEnvironment": "FLINK-1_20"}


@pytest.mark.parametrize("service", SERVICES)
def test_no_odd_request_is_answered_500_or_taken(service: str, make_account: Any) -> None:
    target, refusals, operations = SERVICES[service]
    account = make_account("home", "--cold")
    kinesis = account.client("kinesis")
    for name in ("odd", "kept"):
        kinesis.create_stream(StreamName=name, ShardCount=1)
        kinesis.put_record(StreamName=name, Data=name.encode(), PartitionKey="k")
    requests, sender = Requests(service, SEEDS), Sender(account.port, target, service)
    outcomes: collections.Counter[str] = collections.Counter()
    wrong, slowest, process = [], 0.0, psutil.Process(account.pid)
    before = process.memory_info().rss
    for operation in operations or requests.service.operation_names:
        for odd in requests.odd(operation):
            for cbor in (False, True) if service == "kinesis" and not isinstance(odd.data, str) else (False,):
                if cbor and "for a blob" in odd.what:
                    continue
                began = time.monotonic()
                if service == "lambda":
                    answer = sender.send_rest(requests.service.operation_model(operation), odd.data)
                else:
                    answer = sender.send(operation, odd.data, cbor)
                slowest = max(slowest, time.monotonic() - began)
                right = answer.status < 500
                if odd.refusal == "type":
                    right = (answer.status, answer.code) == (400, "SerializationException")
                elif odd.refusal == "rule":
                    right = answer.status == 400 and answer.code in refusals
                outcomes["sent"] += 1
                outcomes["right"] += right
                outcomes["500"] += answer.status >= 500
                if not right:
                    wrong.append((operation, "cbor" if cbor else "json", odd.what, odd.refusal, answer))
    grown = (process.memory_info().rss - before) / MB
    print(f"{service}: {dict(outcomes)}, slowest {slowest:.2f} s, {grown:.0f} MB more", *wrong[:40], sep="\n")
    iterator = kinesis.get_shard_iterator(
        StreamName="kept", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )
    assert [one["Data"] for one in kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]] == [b"kept"]
    assert not wrong
    assert grown < 100
    assert slowest < 20  # a bound on the work of one request, not on a busy machine's time


# The operations of the services with other protocols that the notebooks and the lab call, with requests of theirs.
THROUGH_BOTO3: dict[str, dict[str, dict[str, Any]]] = {
    "s3": {
        "create_bucket": {"Bucket": "odd"},
        "head_bucket": {"Bucket": "odd"},
        "put_object": {"Bucket": "odd", "Key": "k", "Body": b"x"},
        "head_object": {"Bucket": "odd", "Key": "k"},
        "get_object": {"Bucket": "odd", "Key": "k", "Range": "bytes=0-1"},
        "list_objects_v2": {"Bucket": "odd", "ContinuationToken": "x", "MaxKeys": 5, "Delimiter": "/", "Prefix": "p"},
        "list_object_versions": {"Bucket": "odd", "KeyMarker": "k", "VersionIdMarker": "v", "MaxKeys": 5},
        "list_multipart_uploads": {"Bucket": "odd", "UploadIdMarker": "u", "MaxUploads": 5},
        "create_multipart_upload": {"Bucket": "odd", "Key": "k"},
        "upload_part": {"Bucket": "odd", "Key": "k", "PartNumber": 1, "UploadId": "u", "Body": b"x"},
        "complete_multipart_upload": {
            "Bucket": "odd", "Key": "k", "UploadId": "u",
            "MultipartUpload": {"Parts": [{"ETag": "e", "PartNumber": 1}]},
        },
        "abort_multipart_upload": {"Bucket": "odd", "Key": "k", "UploadId": "u"},
        "put_bucket_tagging": {"Bucket": "odd", "Tagging": {"TagSet": [{"Key": "k", "Value": "v"}]}},
        "get_bucket_tagging": {"Bucket": "odd"},
        "put_bucket_policy": {"Bucket": "odd", "Policy": "{}"},
        "get_bucket_policy": {"Bucket": "odd"},
        "put_public_access_block": {"Bucket": "odd", "PublicAccessBlockConfiguration": {"BlockPublicAcls": True}},
        "get_public_access_block": {"Bucket": "odd"},
        "put_bucket_encryption": {
            "Bucket": "odd",
            "ServerSideEncryptionConfiguration": {
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
        },
        "get_bucket_encryption": {"Bucket": "odd"},
        "delete_objects": {"Bucket": "odd", "Delete": {"Objects": [{"Key": "k"}]}},
        "delete_object": {"Bucket": "odd", "Key": "k", "VersionId": "v"},
        "delete_bucket": {"Bucket": "odd"},
    },
    "iam": {
        "get_role": {"RoleName": "LabRole"},
        "list_roles": {"Marker": "x", "MaxItems": 5},
        "simulate_principal_policy": {"PolicySourceArn": ROLE, "ActionNames": ["s3:GetObject"], "ResourceArns": ["*"]},
    },
    "sts": {"get_caller_identity": {}},
}  # fmt: skip
ODD_TEXTS = ("", "\x01", "<>&\u2028 é", "x" * 10_000, "-1", "../..", "{", "5", "true", "NaN")
ODD_VALUES = (5, -1, 1 << 40, True, *ODD_TEXTS)


def _changed(request: Any) -> Iterator[Any]:
    """The request with each value in it replaced by each odd one, and with each member left out."""
    if isinstance(request, dict):
        for name in request:
            yield {key: value for key, value in request.items() if key != name}
            for value in _changed(request[name]):
                yield {**request, name: value}
    elif isinstance(request, list):
        yield []
        for value in _changed(request[0]):
            yield [value]
    else:
        yield from ODD_VALUES if isinstance(request, int) else ODD_TEXTS


@pytest.mark.parametrize("service", THROUGH_BOTO3)
def test_what_boto3_lets_through_to_the_other_services(service: str, account: EmbeddedAccount) -> None:
    config = Config(parameter_validation=False, retries={"max_attempts": 0}, s3={"addressing_style": "path"})
    client = boto3.client(
        service, endpoint_url=account.endpoint, region_name="us-east-1", config=config,
        aws_access_key_id="000000000000", aws_secret_access_key="local",
    )  # fmt: skip
    outcomes: collections.Counter[str] = collections.Counter()
    wrong = []
    for operation, usual in THROUGH_BOTO3[service].items():
        for request in (usual, *_changed(usual)):
            try:
                getattr(client, operation)(**request)
            except ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                outcomes["500"] += status >= 500
                if status >= 500:
                    wrong.append((operation, request, error.response["Error"]))
            except (BotoCoreError, ValueError, TypeError, AttributeError, KeyError):
                continue  # boto3 could not make a request of it
            outcomes["sent"] += 1
    print(f"{service}: {dict(outcomes)}", *wrong[:40], sep="\n")
    assert not wrong
