"""What of the pipeline really exists in the account: one part after the other, asked of the account and nobody else."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from lab.core.errors import StepMissing
from lab.core.session import Session
from lab.streams.reading import stream_batches

ABSENT, THERE, WORKING = "not there yet", "there", "at work"
MOST_COUNTED = 200_000  # records of a stream; counting means reading them


@dataclass(frozen=True)
class Part:
    """One part: its name in the picture, ABSENT, THERE or WORKING, lines about it, and the notebook that makes it."""

    name: str
    title: str
    state: str
    facts: tuple[str, ...]
    notebook: str


def pipeline_parts(session: Session) -> list[Part]:
    """The five parts in the order in which a review passes them. Raises LabError where the account is out of reach."""
    return [_landing_zone(session), _function(), _stream("reviews"), _application(), _stream("suspicious_activity")]


def _there(ask: Callable[[], Any], *codes: str) -> Any:
    """The answer, or None where the account says with one of these codes that there is no such thing."""
    try:
        return ask()
    except ClientError as error:
        if error.response["Error"]["Code"] in codes:
            return None
        raise


def _landing_zone(session: Session) -> Part:
    s3, bucket = boto3.client("s3"), session.landing_zone
    found = _there(lambda: s3.head_object(Bucket=bucket, Key="sample.json"), "404", "NoSuchKey", "NoSuchBucket")
    facts = (f"sample.json, {found['ContentLength'] / 1e6:,.1f} MB",) if found else ()
    return Part("S3", "landing zone", THERE if found else ABSENT, facts, "01_streams")


def _function() -> Part:
    lambda_, name = boto3.client("lambda"), "reviewProducer"
    found = _there(lambda: lambda_.get_function_configuration(FunctionName=name), "ResourceNotFoundException")
    if not found:
        return Part("Lambda", name, ABSENT, (), "02_producer")
    facts = (found.get("State", "Active"), f"{found['Runtime']}, {found['MemorySize']} MB, {found['Timeout']} s")
    return Part("Lambda", name, THERE, facts, "02_producer")


def _stream(name: str) -> Part:
    kinesis = boto3.client("kinesis")
    found = _there(lambda: kinesis.describe_stream_summary(StreamName=name), "ResourceNotFoundException")
    if not found:
        return Part("Kinesis", name, ABSENT, (), "01_streams")
    summary = found["StreamDescriptionSummary"]
    try:
        records, whole = _records(name)
    except StepMissing:  # deleted between the two questions
        return Part("Kinesis", name, ABSENT, (), "01_streams")
    shards = summary["OpenShardCount"]
    facts = (
        summary["StreamStatus"],
        f"{shards} open shard{'s' * (shards != 1)}",
        f"{'' if whole else 'over '}{records:,} record{'s' * (records != 1)}",
    )
    return Part("Kinesis", name, WORKING if records else THERE, facts, "01_streams")


def _records(name: str) -> tuple[int, bool]:
    """Records the stream holds, and whether all were counted."""
    count = 0
    for batch in stream_batches(name):
        count += len(batch)
        if count > MOST_COUNTED:
            return MOST_COUNTED, False
    return count, True


def _application() -> Part:
    flink, name = boto3.client("kinesisanalyticsv2"), "student"
    found = _there(lambda: flink.describe_application(ApplicationName=name), "ResourceNotFoundException")
    if not found:
        return Part("Managed Flink", name, ABSENT, (), "03_flink_job")
    detail = found["ApplicationDetail"]
    settings = detail["ApplicationConfigurationDescription"].get("FlinkApplicationConfigurationDescription", {})
    parallelism = settings.get("ParallelismConfigurationDescription", {}).get("Parallelism")
    facts = (detail["ApplicationStatus"], f"{detail['RuntimeEnvironment']}, version {detail['ApplicationVersionId']}")
    if parallelism:
        facts += (f"parallelism {parallelism}",)
    state = WORKING if detail["ApplicationStatus"] == "RUNNING" else THERE
    return Part("Managed Flink", name, state, facts, "03_flink_job")
