"""Each security default taken away from a real resource, one by one: the check of its notebook must see it."""

import json
from typing import Any

import pytest

from lab.account.security import bucket_faults, denies_plain_http, wildcard_faults
from lab.checks.check import checks_of
from lab.checks.pipeline import Pipeline
from lab.checks.probe import Finding, take
from lab.deploy.buckets import close_bucket, tls_only

ZONE, CODE = "000000000000-landing-zone", "000000000000-flink"
OPEN = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{ZONE}/*"}


def finding(furnished: Any, notebook: str) -> Finding:
    (check,) = [one for one in checks_of(notebook) if one.ask.__module__ == "lab.checks.security"]
    return take(check, Pipeline(furnished.session, {"shards": 0}))


@pytest.fixture
def furnished(furnish):
    return furnish().everything()


def test_everything_as_the_notebooks_make_it_passes(furnished) -> None:
    for notebook in ("01", "02", "03"):
        found = finding(furnished, notebook)
        assert found.passed, found.message


def test_the_landing_zone_and_the_streams(furnished) -> None:
    s3, kinesis = furnished.s3, furnished.kinesis

    def fails(sentence: str) -> None:
        found = finding(furnished, "01")
        assert not found.passed
        assert sentence in found.message, found.message
        assert found.message.endswith("run 01_streams again.")

    s3.delete_public_access_block(Bucket=ZONE)
    fails("The bucket 000000000000-landing-zone does not block public access (BlockPublicAcls, Ignore")
    close_bucket(s3, ZONE)
    s3.delete_bucket_policy(Bucket=ZONE)
    fails("answers without TLS")
    policy = {"Version": "2012-10-17", "Statement": [tls_only(ZONE), OPEN]}
    s3.delete_public_access_block(Bucket=ZONE)  # which forbids the next call
    s3.put_bucket_policy(Bucket=ZONE, Policy=json.dumps(policy))
    fails("allows something to everybody")
    close_bucket(s3, ZONE)
    s3.delete_bucket_tagging(Bucket=ZONE)
    fails("The bucket 000000000000-landing-zone does not carry the tag lab")
    furnished.adopt("bucket", ZONE, "")
    for name in ("reviews", "exercises"):
        kinesis.stop_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId="alias/aws/kinesis")
        fails(f"stream {name} is not encrypted")
        kinesis.start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    kinesis.remove_tags_from_stream(StreamName="suspicious_activity", TagKeys=["lab"])
    fails("stream suspicious_activity does not carry the tag lab")


def test_the_exercises_stream_is_seen_among_many_others(furnished) -> None:
    """A hundred streams that sort before it fill the first answer of ListStreams."""
    kinesis = furnished.kinesis
    kinesis.stop_stream_encryption(StreamName="exercises", EncryptionType="KMS", KeyId="alias/aws/kinesis")
    names = [f"a-stream-of-others-{number:03}" for number in range(100)]
    try:
        for name in names:
            kinesis.create_stream(StreamName=name, ShardCount=1)
        listed = kinesis.list_streams()
        assert listed["HasMoreStreams"] and "exercises" not in listed["StreamNames"]
        assert "stream exercises is not encrypted" in finding(furnished, "01").message
    finally:
        for name in names:
            kinesis.delete_stream(StreamName=name)
    kinesis.delete_stream(StreamName="exercises")
    found = finding(furnished, "01")
    assert found.passed and "exercises" not in found.looked_at, found.message


def test_encryption_that_is_off(monkeypatch: pytest.MonkeyPatch, furnished) -> None:
    """S3 encrypts whatever one says, and so does the embedded account: an answer without a rule is injected."""
    import boto3
    from botocore.stub import Stubber

    s3, real = furnished.account.client("s3"), boto3.client
    monkeypatch.setattr(boto3, "client", lambda service: s3 if service == "s3" else real(service))
    with Stubber(s3) as stub:
        stub.add_client_error("get_public_access_block", "NoSuchPublicAccessBlockConfiguration")
        stub.add_client_error("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError")
        stub.add_client_error("get_bucket_policy", "NoSuchBucketPolicy")
        stub.add_response("head_bucket", {})
        stub.add_client_error("get_bucket_tagging", "NoSuchTagSet")
        faults = bucket_faults(ZONE)
    assert [fault.partition(f"{ZONE} ")[2].split(":")[0].split(" (")[0] for fault in faults] == [
        "does not carry the tag lab",
        "does not block public access",
        "does not encrypt what it stores",
        "answers without TLS",
    ]


def test_the_function_and_its_log(furnished) -> None:
    group, arn = (
        "/aws/lambda/reviewProducer",
        "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/reviewProducer",
    )

    def fails(sentence: str) -> None:
        assert sentence in finding(furnished, "02").message

    furnished.logs.delete_retention_policy(logGroupName=group)
    fails("is kept without end")
    furnished.logs.put_retention_policy(logGroupName=group, retentionInDays=365)
    fails("is kept for 365 days")
    furnished.logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    furnished.logs.untag_resource(resourceArn=arn, tagKeys=["lab"])
    fails(f"log group {group} does not carry the tag lab")
    furnished.logs.delete_log_group(logGroupName=group)
    fails(f"log group {group} is not there")
    furnished.log_group(group)
    permission = {"FunctionName": "reviewProducer", "StatementId": "all", "Action": "lambda:InvokeFunction"}
    furnished.lambda_.add_permission(**permission, Principal="*")
    fails("the function reviewProducer allows something to everybody")
    furnished.lambda_.remove_permission(FunctionName="reviewProducer", StatementId="all")
    assert finding(furnished, "02").passed


def test_the_application_its_bucket_and_its_log(furnished) -> None:
    arn = "arn:aws:kinesisanalytics:us-east-1:000000000000:application/student"
    furnished.flink.untag_resource(ResourceARN=arn, TagKeys=["lab"])
    assert "application student does not carry the tag lab" in finding(furnished, "03").message
    furnished.adopt("application", "student", arn)
    furnished.s3.delete_public_access_block(Bucket=CODE)
    assert f"bucket {CODE} does not block public access" in finding(furnished, "03").message
    furnished.flink.delete_application(
        ApplicationName="student",
        CreateTimestamp=furnished.flink.describe_application(ApplicationName="student")["ApplicationDetail"][
            "CreateTimestamp"
        ],
    )
    assert "run 03_flink_job first" in finding(furnished, "03").message


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Allow"},
        {"Principal": {"AWS": "arn:aws:iam::1:root"}},
        {"Action": "s3:GetObject"},
        {"Resource": [f"arn:aws:s3:::{ZONE}"]},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:PrincipalOrgID": "o"}}},
    ],
)
def test_a_policy_that_leaves_a_way_for_plain_http_is_no_tls_only_policy(change: dict[str, Any]) -> None:
    assert denies_plain_http({"Statement": tls_only(ZONE)}, ZONE)
    assert not denies_plain_http({"Statement": [tls_only(ZONE) | change]}, ZONE)


@pytest.mark.parametrize(
    ("statement", "faults"),
    [
        (OPEN, 1),
        (OPEN | {"Principal": {"AWS": "*"}, "Action": ["s3:Get*"]}, 2),
        ({"Effect": "Allow", "NotPrincipal": {"AWS": "x"}, "NotAction": "s3:PutObject", "Resource": "*"}, 2),
        ({"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "lambda:InvokeFunction"}, 0),
        (OPEN | {"Effect": "Deny", "Action": "*"}, 0),
    ],
)
def test_wildcards_of_a_policy(statement: dict[str, Any], faults: int) -> None:
    assert len(wildcard_faults("the policy", {"Statement": [statement]})) == faults
