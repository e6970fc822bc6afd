"""Is what an earlier notebook makes there? If not, which one to run."""

from typing import Any

import boto3

from lab.core.aws_errors import plain_words
from lab.core.errors import StepMissing
from lab.core.names import INPUT_STREAM, OUTPUT_STREAM
from lab.core.session import Session, restarted_hint


def require_stream(name: str, session: Session) -> None:
    """Raise StepMissing(01_streams) where the stream does not exist."""
    missing = StepMissing(f"The stream {name} does not exist{restarted_hint(session)}", "01_streams")
    with plain_words(f"describing {name}", session.endpoint, gone=missing):
        boto3.client("kinesis").describe_stream_summary(StreamName=name)


def require_function(name: str, session: Session) -> None:
    """Raise StepMissing(02_producer) where the function, or 01_streams where its input stream, does not exist."""
    require_stream(INPUT_STREAM, session)
    require_stream(OUTPUT_STREAM, session)
    missing = StepMissing(f"The function {name} does not exist{restarted_hint(session)}", "02_producer")
    with plain_words(f"describing {name}", session.endpoint, gone=missing):
        boto3.client("lambda").get_function_configuration(FunctionName=name)


def require_application(name: str, session: Session) -> dict[str, Any]:
    """The application's detail; raises StepMissing(03_flink_job) where it does not exist."""
    missing = StepMissing(f"The application {name} does not exist{restarted_hint(session)}", "03_flink_job")
    with plain_words(f"describing {name}", session.endpoint, gone=missing):
        flink = boto3.client("kinesisanalyticsv2")
        return flink.describe_application(ApplicationName=name)["ApplicationDetail"]
