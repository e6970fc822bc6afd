"""Start the application of a submission as notebook 03 does, for as long as the start makes progress."""

from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from grader.hidden_run.proof_account import SHARDS, ProofAccount
from lab.checks.detection import RUN_OPTIONS
from lab.checks.pipeline import WINDOW_PROPERTIES
from lab.core.names import (
    APPLICATION,
    APPLICATION_ZIP,
    CONSUMER_GROUP,
    GROUP_STREAM,
    GROUPS_GROUP,
    INPUT_STREAM,
    LOG_GROUPS,
    OUTPUT_STREAM,
    PRODUCER_GROUP,
    RUN_OPTIONS_GROUP,
    RUNTIME,
    WINDOW_GROUP,
)
from lab.deploy.flink_zip import build_flink_zip
from lab.deploy.log_groups import log_group
from lab.flink.rest import Dashboard, DashboardSilent
from lab.flink.waiters import NotYet, application_status
from lab.streams.quiet_time import QuietTime
from lab.streams.reading import Position, save_position

_ASKED_SECONDS = 5.0  # between two looks at how far a start has come


def start(account: ProofAccount, folder: Path) -> Position:
    """Create and start the application in a folder, with as many subtasks as shards. Raises LabError."""
    session = account.session
    package = build_flink_zip(account.task.scratch / APPLICATION_ZIP, folder)
    boto3.client("s3").upload_file(str(package), session.flink_bucket, APPLICATION_ZIP)
    flink = boto3.client("kinesisanalyticsv2")
    flink.create_application(
        ApplicationName=APPLICATION,
        RuntimeEnvironment=RUNTIME,
        ServiceExecutionRole=session.role_arn,
        ApplicationConfiguration=_configuration(account),
        CloudWatchLoggingOptions=[{"LogStreamARN": log_group(session, LOG_GROUPS[1], "kinesis-analytics-log-stream")}],
    )
    position = save_position(session.flink_bucket)
    flink.start_application(ApplicationName=APPLICATION, RunConfiguration={})
    _until_running(account, flink)
    return position


def _until_running(account: ProofAccount, flink: Any) -> None:
    """Wait for as long as the start makes progress. Raises LabError."""
    timeout = account.task.timeout
    seen, silence = None, QuietTime()
    while True:
        try:
            application_status(flink, APPLICATION, until="RUNNING", timeout=_ASKED_SECONDS)
            account.step("RUNNING")
            return
        except NotYet:
            pass  # how far it has come says whether it still may
        if (now := _tasks()) != seen:
            seen = now
            silence.news()
            account.step(f"starting: {now}")
        if silence.seconds() > timeout:
            raise NotYet(f"The application was still STARTING, with no progress for {timeout:.0f} s.")


def _tasks() -> str:
    """Say how far a start has come: the cluster's TaskManagers, and the tasks of its jobs by their states."""
    try:
        dashboard = Dashboard.of_application()
        return f"{dashboard.get('/overview')['taskmanagers']} {[job['tasks'] for job in dashboard.jobs()]}"
    except (ClientError, DashboardSilent) as error:
        return type(error).__name__


def _configuration(account: ProofAccount) -> dict[str, Any]:
    session = account.session
    place = {"aws.region": session.region, "aws.endpoint": session.endpoint}
    window = {WINDOW_PROPERTIES[name][0]: str(value) for name, value in account.window_settings.items()}
    properties = {
        RUN_OPTIONS_GROUP: RUN_OPTIONS,
        CONSUMER_GROUP: {"input.stream.name": INPUT_STREAM, "scan.stream.initpos": "LATEST", **place},
        PRODUCER_GROUP: {"output.stream.name": OUTPUT_STREAM, "shard.count": "1", **place},
        GROUPS_GROUP: {"output.stream.name": GROUP_STREAM, **place},
        WINDOW_GROUP: window,
    }
    return {
        "FlinkApplicationConfiguration": {
            "ParallelismConfiguration": {
                "ConfigurationType": "CUSTOM",
                "Parallelism": SHARDS,
                "ParallelismPerKPU": SHARDS,
                "AutoScalingEnabled": False,
            },
            "CheckpointConfiguration": {
                "ConfigurationType": "CUSTOM",
                "CheckpointingEnabled": True,
                "CheckpointInterval": 10_000,
                "MinPauseBetweenCheckpoints": 5_000,
            },
        },
        "ApplicationSnapshotConfiguration": {"SnapshotsEnabled": False},
        "ApplicationCodeConfiguration": {
            "CodeContentType": "ZIPFILE",
            "CodeContent": {
                "S3ContentLocation": {
                    "BucketARN": f"arn:aws:s3:::{session.flink_bucket}",
                    "FileKey": APPLICATION_ZIP,
                }
            },
        },
        "EnvironmentProperties": {
            "PropertyGroups": [{"PropertyGroupId": name, "PropertyMap": pairs} for name, pairs in properties.items()]
        },
    }
