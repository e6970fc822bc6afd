"""Hold the account of a proof, which only the grader fed, with reviews that the submission never saw."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from grader.hidden_run.account_findings import looked
from grader.hidden_run.sent_reviews import expected_reviews
from lab.checks.check import CHECKS
from lab.checks.pipeline import WINDOW_PROPERTIES, Pipeline
from lab.checks.probe import Finding
from lab.core.names import GROUP_STREAM, REVIEWS_FILE, STREAMS
from lab.core.session import Session
from lab.flink.waiters import stream_active

SHARDS = 4
_CHECKS = {check.slug: check for check in CHECKS}


@dataclass(frozen=True)
class Task:
    """Say what to prove: where files are, and the parameters of the series."""

    project: Path  # the submission's files
    producer: Path  # the trusted producer's source
    scratch: Path
    application: bool  # whether one was handed in
    parameters: dict[str, Any]
    timeout: float  # seconds in which it must come a step on
    last: bool  # whether a passed limit costs points; else there is another try


class ProofAccount:
    """Furnish one account, send the grader's reviews in it and take the project's checks; `step` is told each step."""

    def __init__(self, session: Session, task: Task, step: Callable[[str], None]) -> None:
        self.session, self.task, self.step = session, task, step
        self.window_settings = {name: task.parameters[name] for name in WINDOW_PROPERTIES}
        self.reviews = Path(task.parameters["reviews_file"])
        self.sent = expected_reviews(self.reviews)

    def furnish(self) -> None:
        """Create buckets and streams, and upload the reviews."""
        s3, kinesis = boto3.client("s3"), boto3.client("kinesis")
        for bucket in (self.session.landing_zone, self.session.flink_bucket):
            s3.create_bucket(Bucket=bucket)
        s3.upload_file(str(self.reviews), self.session.landing_zone, REVIEWS_FILE)
        for name in STREAMS:
            kinesis.create_stream(StreamName=name, ShardCount=1 if name == GROUP_STREAM else SHARDS)
        for name in STREAMS:
            stream_active(kinesis, name)

    def produce(self) -> str:
        """Let the trusted producer send the whole file; returns the event time it began with."""
        os.environ["LANDING_ZONE_BUCKET"] = self.session.landing_zone
        if str(self.task.producer) not in sys.path:
            sys.path.insert(0, str(self.task.producer))
        from lambda_function import lambda_handler

        event = {name: self.task.parameters[name] for name in ("rate", "window_seconds", "watermark_delay_seconds")}
        answer = lambda_handler({**event, "clock": "replay"}, None)
        return answer["first_event_time"]

    def pipeline(self, **known: Any) -> Pipeline:
        """Make what the checks ask, with these answers known."""
        return Pipeline(self.session, self.task.parameters, known)

    def take(self, slug: str, lab: Pipeline) -> Finding:
        """Take one check."""
        return looked(_CHECKS[slug], lab)
