"""List what of the lab exists in an account: each resource with its state, age and tags."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import ClientError

from lab.core.aws_errors import GONE, code_of, plain_words
from lab.core.names import APPLICATION, FUNCTION, LOG_GROUPS, STREAMS
from lab.core.session import Session
from lab.core.tags import as_map, is_of_the_lab


@dataclass(frozen=True)
class Resource:
    """Describe one resource.

    ``since`` is when it was made (UTC), None where its service does not say; ``detail`` is what the service answered
    when it was asked.
    """

    kind: str
    name: str
    state: str
    arn: str
    tags: Mapping[str, str]
    since: datetime | None = None
    detail: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def ours(self) -> bool:
        """Say whether it carries the lab's tag."""
        return is_of_the_lab(self.tags)


def existing(session: Session) -> list[Resource]:
    """List everything that bears one of the lab's names in the order of deletion: the application first.

    Raises AccountRefused or AccountSilent where the account does not tell.
    """
    looks: list[Callable[[], Resource | None]] = [application, function]
    looks += [partial(stream, name) for name in STREAMS]
    looks += [partial(bucket, name) for name in (session.landing_zone, session.flink_bucket)]
    looks += [partial(log_group, name) for name in LOG_GROUPS]
    with plain_words("listing what there is of the lab", session.endpoint):
        return [found for found in (_or_none(look) for look in looks) if found is not None]


def application() -> Resource:
    """Describe the application, with its detail."""
    flink = boto3.client("kinesisanalyticsv2")
    detail = flink.describe_application(ApplicationName=APPLICATION)["ApplicationDetail"]
    arn = detail["ApplicationARN"]
    tags = as_map(flink.list_tags_for_resource(ResourceARN=arn)["Tags"])
    made = _utc(detail["CreateTimestamp"])
    return Resource("application", APPLICATION, detail["ApplicationStatus"], arn, tags, made, detail)


def function() -> Resource:
    """Describe the function, with its configuration."""
    answer = boto3.client("lambda").get_function(FunctionName=FUNCTION)
    found = answer["Configuration"]
    state, arn = found.get("State", "Active"), found["FunctionArn"]
    return Resource("function", FUNCTION, state, arn, answer.get("Tags") or {}, None, found)


def stream(name: str) -> Resource:
    """Describe a stream, with its summary."""
    kinesis = boto3.client("kinesis")
    summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    tags = as_map(kinesis.list_tags_for_stream(StreamName=name)["Tags"])
    made = _utc(summary["StreamCreationTimestamp"])
    return Resource("stream", name, summary["StreamStatus"], summary["StreamARN"], tags, made, summary)


def bucket(name: str) -> Resource:
    """Describe a bucket."""
    s3 = boto3.client("s3")
    s3.head_bucket(Bucket=name)
    try:
        tags = as_map(s3.get_bucket_tagging(Bucket=name)["TagSet"])
    except ClientError as error:
        if code_of(error) != "NoSuchTagSet":
            raise
        tags = {}
    return Resource("bucket", name, "exists", f"arn:aws:s3:::{name}", tags)


def log_group(name: str) -> Resource | None:
    """Describe a log group; None where there is none."""
    logs = boto3.client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    found = next((group for group in groups if group["logGroupName"] == name), None)
    if found is None:
        return None
    arn = found["arn"].removesuffix(":*")
    tags = logs.list_tags_for_resource(resourceArn=arn)["tags"]
    made = datetime.fromtimestamp(found["creationTime"] / 1000, UTC)
    return Resource("log group", name, "exists", arn, tags, made, found)


def _or_none(look: Callable[[], Resource | None]) -> Resource | None:
    try:
        return look()
    except ClientError as error:
        if code_of(error) not in GONE:
            raise
        return None


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
