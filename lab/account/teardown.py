"""Delete what carries the lab's tag, the application first, as notebook 05 does: for `python -m lab clean`.

Each resource is looked at again right before it is deleted. What an interrupted clean-up left is what the next one
finds, so it can be repeated at any point.
"""

from collections.abc import Callable, Sequence

import boto3

from lab.account.application_changes import stop
from lab.account.inventory import Resource, application, bucket, function, log_group, stream
from lab.core.aws_errors import plain_words
from lab.core.errors import LabError
from lab.core.session import Session
from lab.deploy.buckets import empty_bucket
from lab.flink.waiters import stream_active


def take_down(session: Session, found: Sequence[Resource], say: Callable[[str], None]) -> None:
    """Delete those of ``found`` that carry the lab's tag, in their order; ``say`` is told of each.

    Raises a LabError at the first that the account refuses to delete.
    """
    for one in found:
        if not one.ours:
            continue
        gone = LabError(f"{one.kind} {one.name} was gone already")
        try:
            with plain_words(f"deleting the {one.kind} {one.name}", session.endpoint, gone):
                say(_delete_if_still_ours(one))
        except LabError as error:
            if error is not gone:
                raise
            say(str(gone))


def _delete_if_still_ours(seen: Resource) -> str:
    now = _AGAIN[seen.kind](seen.name)
    if now is None or not now.ours or (seen.since and now.since != seen.since):
        return f"{seen.kind} {seen.name} is another one by now and stays"
    if now.state == "DELETING":
        return f"{seen.kind} {seen.name} is being deleted already"
    _DELETE[seen.kind](now)
    return f"deleted {seen.kind} {seen.name}"


def _delete_application(one: Resource) -> None:
    flink = boto3.client("kinesisanalyticsv2")
    stop(flink, one.detail)
    flink.delete_application(ApplicationName=one.name, CreateTimestamp=one.detail["CreateTimestamp"])


def _delete_stream(one: Resource) -> None:
    kinesis = boto3.client("kinesis")
    if one.state != "ACTIVE":
        stream_active(kinesis, one.name)
    kinesis.delete_stream(StreamName=one.name, EnforceConsumerDeletion=True)


def _delete_bucket(one: Resource) -> None:
    s3 = boto3.client("s3")
    empty_bucket(s3, one.name)
    s3.delete_bucket(Bucket=one.name)


_AGAIN: dict[str, Callable[[str], Resource | None]] = {
    "application": lambda _: application(),
    "function": lambda _: function(),
    "stream": stream,
    "bucket": bucket,
    "log group": log_group,
}
_DELETE: dict[str, Callable[[Resource], None]] = {
    "application": _delete_application,
    "function": lambda one: boto3.client("lambda").delete_function(FunctionName=one.name),
    "stream": _delete_stream,
    "bucket": _delete_bucket,
    "log group": lambda one: boto3.client("logs").delete_log_group(logGroupName=one.name),
}
