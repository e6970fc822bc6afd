"""What the lab made in an account, by its own names, and how to empty a bucket."""

import time
from collections.abc import Callable
from typing import Any

import boto3
import pandas as pd
from botocore.exceptions import ClientError

from lab.errors import LabError
from lab.session import Session

_ABSENT = {
    "ResourceNotFoundException",
    "NoSuchBucket",
    "404",
}


class StillThere(LabError):
    """Something of the lab was not gone in time."""


def lab_resources(session: Session, until_gone: bool = False, timeout: float = 300.0) -> pd.DataFrame:
    """Kind, name and state of everything of the lab that exists; empty where nothing is left.

    With ``until_gone`` it waits for that, and raises StillThere after ``timeout`` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        found = _existing(session)
        if not until_gone or not found:
            return pd.DataFrame(found, columns=["kind", "name", "state"])
        if time.monotonic() > deadline:
            names = ", ".join(f"{kind} {name}" for kind, name, _ in found)
            raise StillThere(f"Still there after {timeout:.0f} seconds: {names}; run this notebook again.")
        time.sleep(0.5)


def empty_bucket(bucket: str) -> None:
    """Delete every object, old version and unfinished upload of a bucket, in batches of 1,000."""
    s3 = boto3.client("s3")
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        versions = page.get("Versions", []) + page.get("DeleteMarkers", [])
        doomed = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
        if doomed:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed, "Quiet": True})


def _existing(session: Session) -> list[tuple[str, str, str]]:
    kinesis, flink = boto3.client("kinesis"), boto3.client("kinesisanalyticsv2")
    lambda_, s3, logs = boto3.client("lambda"), boto3.client("s3"), boto3.client("logs")
    found: list[tuple[str, str, str]] = []

    def look(kind: str, name: str, ask: Callable[[], Any]) -> None:
        try:
            state = ask()
        except ClientError as error:
            if error.response["Error"]["Code"] not in _ABSENT:
                raise
            return
        if state is not None:
            found.append((kind, name, state))

    look(
        "application",
        "student",
        lambda: flink.describe_application(ApplicationName="student")["ApplicationDetail"]["ApplicationStatus"],
    )
    look(
        "function",
        "reviewProducer",
        lambda: lambda_.get_function_configuration(FunctionName="reviewProducer").get("State", "Active"),
    )
    for name in ("reviews", "suspicious_activity", "exercises", "suspicious_groups"):
        look(
            "stream",
            name,
            lambda name=name: kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"][
                "StreamStatus"
            ],
        )
    for bucket in (session.landing_zone, session.flink_bucket):
        look("bucket", bucket, lambda bucket=bucket: "exists" if s3.head_bucket(Bucket=bucket) else None)
    for group in ("/aws/lambda/reviewProducer", "/aws/kinesis-analytics/student"):
        groups = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        found += [("log group", group, "exists") for entry in groups if entry["logGroupName"] == group]
    return found
