"""The account itself is killed: applications, versions and snapshots are there again, the streams are declared gone."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.deploy.flink_zip import build_flink_zip
from lab.streams.reading import save_position
from tests.support.account import EmbeddedAccount
from tests.support.pipeline import BUCKET, Pipeline
from tests.support.processes import wait_gone

pytestmark = pytest.mark.slow  # about 60 s in all


def kill(account: EmbeddedAccount, *options: str) -> None:
    """SIGKILL, and up again."""
    pid = account.pid
    os.kill(pid, signal.SIGKILL)
    wait_gone(pid)
    started = account.command("up", *options)
    assert started.returncode == 0, started.stderr


def snapshots(pipeline: Pipeline) -> dict[str, str]:
    listed = pipeline.flink.list_application_snapshots(ApplicationName="student")["SnapshotSummaries"]
    return {one["SnapshotName"]: one["SnapshotStatus"] for one in listed}


def restored_state(pipeline: Pipeline) -> dict[str, Any]:
    """What the running job says it was restored from."""
    dashboard = pipeline.dashboard()
    job = dashboard.running_job()
    assert job is not None
    return dashboard.get(f"/jobs/{job['jid']}/checkpoints")["latest"]["restored"]


def test_a_change_answered_just_before_the_kill_is_kept(make_account: Any) -> None:
    account = make_account("home", "--cold")
    flink = account.client("kinesisanalyticsv2")
    role = "arn:aws:iam::000000000000:role/LabRole"
    created = flink.create_application(
        ApplicationName="student", RuntimeEnvironment="FLINK-1_20", ServiceExecutionRole=role
    )["ApplicationDetail"]
    flink.tag_resource(ResourceARN=created["ApplicationARN"], Tags=[{"Key": "course", "Value": "streams"}])
    flink.update_application(
        ApplicationName="student", CurrentApplicationVersionId=1, ServiceExecutionRoleUpdate=role + "2"
    )
    kill(account, "--cold")
    detail = flink.describe_application(ApplicationName="student")["ApplicationDetail"]
    assert (detail["ApplicationVersionId"], detail["ServiceExecutionRole"]) == (2, role + "2")
    assert detail["CreateTimestamp"] == created["CreateTimestamp"]
    assert flink.list_tags_for_resource(ResourceARN=created["ApplicationARN"])["Tags"] == [
        {"Key": "course", "Value": "streams"}
    ]
    first = flink.describe_application_version(ApplicationName="student", ApplicationVersionId=1)
    assert first["ApplicationVersionDetail"]["ServiceExecutionRole"] == role
    flink.delete_application(ApplicationName="student", CreateTimestamp=created["CreateTimestamp"])
    kill(account, "--cold")
    assert flink.list_applications()["ApplicationSummaries"] == []


def test_a_snapshot_outlives_the_account(make_account: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline(make_account(), tmp_path, monkeypatch, shards=1)
    pipeline.build()
    pipeline.start()
    pipeline.flink.create_application_snapshot(ApplicationName="student", SnapshotName="before")
    while snapshots(pipeline) == {"before": "CREATING"}:
        time.sleep(0.1)
    assert snapshots(pipeline) == {"before": "READY"}
    kill(pipeline.account)
    assert pipeline.detail()["ApplicationStatus"] == "READY"
    assert snapshots(pipeline) == {"before": "READY"}
    with pytest.raises(ClientError, match="was restarted since student last ran, and its buckets, objects and streams"):
        pipeline.start("RESTORE_FROM_CUSTOM_SNAPSHOT", SnapshotName="before")

    # what notebook 01 makes, again
    pipeline.s3.create_bucket(Bucket=BUCKET)
    pipeline.s3.upload_file(str(build_flink_zip(tmp_path / "again.zip")), BUCKET, "SlidingWindows.zip")
    with pytest.raises(ClientError, match="there is no stream reviews"):
        pipeline.start("RESTORE_FROM_CUSTOM_SNAPSHOT", SnapshotName="before")
    for stream in ("reviews", "suspicious_activity"):
        pipeline.kinesis.create_stream(StreamName=stream, ShardCount=1)
    save_position(BUCKET)
    pipeline.start("RESTORE_FROM_CUSTOM_SNAPSHOT", SnapshotName="before")
    restored = restored_state(pipeline)
    assert restored["is_savepoint"]
    assert Path(restored["external_path"].removeprefix("file:")).parent == (
        pipeline.account.home / "applications" / "000000000000-us-east-1-student" / "savepoints"
    )


def test_down_keeps_applications_and_forget_removes_them(make_account: Any) -> None:
    account = make_account("home", "--cold")
    flink = account.client("kinesisanalyticsv2")
    role = "arn:aws:iam::000000000000:role/LabRole"
    flink.create_application(ApplicationName="student", RuntimeEnvironment="FLINK-1_20", ServiceExecutionRole=role)
    account.command("down")
    account.command("up", "--cold")
    assert [one["ApplicationName"] for one in flink.list_applications()["ApplicationSummaries"]] == ["student"]
    forgotten = account.command("down", "--forget")
    assert forgotten.stdout == "The embedded account is down.\nIts applications and their snapshots are removed.\n"
    account.command("up", "--cold")
    assert flink.list_applications()["ApplicationSummaries"] == []
