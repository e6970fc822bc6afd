"""Make the log groups of the function and of the application before these write to them."""

from contextlib import suppress

import boto3

from lab.core.session import Session

RETENTION_DAYS = 7


def log_group(session: Session, name: str, stream: str = "") -> str:
    """Make a log group with the lab's tags that keeps a line for a week; returns an ARN.

    The ARN is that of the group, or of a stream in it.

    A group that AWS makes by itself has no tags and keeps its lines without end. One that exists stays as it is.
    """
    logs = boto3.client("logs")
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=name, tags=session.tags)
    logs.put_retention_policy(logGroupName=name, retentionInDays=RETENTION_DAYS)
    arn = f"arn:aws:logs:{session.region}:{session.account}:log-group:{name}"
    if not stream:
        return arn
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName=name, logStreamName=stream)
    return f"{arn}:log-stream:{stream}"
