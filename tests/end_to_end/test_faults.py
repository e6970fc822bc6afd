"""Processes are killed and the application is stopped in the middle: every window must be right all the same."""

import hashlib
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from lab.flink.rest import DashboardSilent
from lab.streams.reading import load_position, read_stream
from tests.support.account import PROJECT
from tests.support.pipeline import BUCKET, LANDING_ZONE, PATIENCE, Pipeline

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # about 4 minutes in all


@pytest.fixture
def pipeline(make_account: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    pipeline = Pipeline(make_account(), tmp_path, monkeypatch, shards=2)
    pipeline.build()
    return pipeline


def flink_process(pipeline: Pipeline, main: str) -> psutil.Process:
    """The JVM of this account's cluster that runs the application."""
    home = str(pipeline.account.home)
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if main in line and home in line:
            return process
    raise AssertionError(f"no {main} is running")


def wait_gone(pid: int) -> None:
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.05)


def all_tasks_running(pipeline: Pipeline, timeout: float = PATIENCE) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        dashboard = pipeline.dashboard()
        try:
            if dashboard.running_job():
                return
        except DashboardSilent:
            pass  # the JobManager is on its way back
        time.sleep(0.2)
    raise AssertionError("the job is not RUNNING again")


def taskmanagers(pipeline: Pipeline) -> set[str]:
    """The TaskManagers the JobManager counts on, by id."""
    return {one["id"] for one in pipeline.dashboard().get("/taskmanagers")["taskmanagers"]}


def send_in_background(pipeline: Pipeline, **event: Any) -> tuple[threading.Thread, list[dict[str, Any]]]:
    answers: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: answers.append(pipeline.send(**event)))
    thread.start()
    return thread, answers


def test_taskmanager_killed_three_times(pipeline: Pipeline) -> None:
    pipeline.start()
    sending, answers = send_in_background(pipeline, pace=150)
    for _ in range(3):
        time.sleep(2)  # let some reviews through between two kills
        before = taskmanagers(pipeline)
        os.kill(flink_process(pipeline, "TaskManagerRunner").pid, signal.SIGKILL)
        while not (now := taskmanagers(pipeline)) or now & before:  # until the JobManager knows, and has another
            time.sleep(0.1)
        all_tasks_running(pipeline)
    sending.join()
    assert answers[0]["sent"] == 5000
    pipeline.every_window_is_right()


def test_jobmanager_killed(pipeline: Pipeline) -> None:
    pipeline.start()
    sending, answers = send_in_background(pipeline, pace=400)
    time.sleep(4)
    victim = flink_process(pipeline, "StandaloneSessionClusterEntrypoint")
    os.kill(victim.pid, signal.SIGKILL)
    wait_gone(victim.pid)
    sending.join()
    all_tasks_running(pipeline)
    assert answers[0]["sent"] == 5000
    pipeline.every_window_is_right()
    assert "The jobmanager of the application was lost" in pipeline.account.command("logs", "student").stdout


def test_stopped_with_a_snapshot_and_started_from_it_while_the_producer_goes_on(pipeline: Pipeline) -> None:
    pipeline.start()
    sending, answers = send_in_background(pipeline, pace=400)
    time.sleep(3)
    pipeline.stop()
    snapshots = pipeline.flink.list_application_snapshots(ApplicationName="student")["SnapshotSummaries"]
    assert [snapshot["SnapshotStatus"] for snapshot in snapshots] == ["READY"]
    pipeline.start("RESTORE_FROM_CUSTOM_SNAPSHOT", SnapshotName=snapshots[0]["SnapshotName"])
    sending.join()
    assert answers[0]["sent"] == 5000
    pipeline.every_window_is_right()


def test_stopped_with_a_snapshot_while_the_job_restarts(pipeline: Pipeline) -> None:
    pipeline.start()
    sending, answers = send_in_background(pipeline, pace=400)
    wait_sent(pipeline, 1000)
    board, job = pipeline.dashboard(), pipeline.dashboard().running_job()
    assert job is not None
    os.kill(flink_process(pipeline, "TaskManagerRunner").pid, signal.SIGKILL)
    while board.get(f"/jobs/{job['jid']}")["state"] == "RUNNING":
        time.sleep(0.05)
    pipeline.stop()
    snapshots = pipeline.flink.list_application_snapshots(ApplicationName="student")["SnapshotSummaries"]
    assert [snapshot["SnapshotStatus"] for snapshot in snapshots] == ["READY"]
    pipeline.start("RESTORE_FROM_LATEST_SNAPSHOT")
    sending.join()
    assert answers[0]["sent"] == 5000
    pipeline.every_window_is_right()


def test_a_snapshot_holds_rows_the_sink_has_not_written_yet(pipeline: Pipeline) -> None:
    """Their partition keys must be ASCII: the connector cannot read others back (docs/exactness.md)."""
    names = ["林晓雨", "Zoë Ångström", "Ana", "가나다", "Владимир"]
    review = json.loads((PROJECT / "data" / "sample.json").read_text())[0]
    reviews = [{**review, "review_id": f"rw{n:07}", "reviewer": names[n % len(names)]} for n in range(100)]
    pipeline.s3.put_object(Bucket=LANDING_ZONE, Key="sample.json", Body=json.dumps(reviews).encode())
    patient = pipeline.property_groups()
    next(one for one in patient if one["PropertyGroupId"] == "producer.config.0")["PropertyMap"].update(
        {"flush.buffer.millis": "3600000"}
    )
    pipeline.update(EnvironmentPropertyUpdates={"PropertyGroups": patient})
    pipeline.start()
    pipeline.send()
    pipeline.wait_in_sink(10)
    pipeline.stop()
    assert len(read_stream("suspicious_activity")) == 0
    pipeline.update(EnvironmentPropertyUpdates={"PropertyGroups": pipeline.property_groups()})
    pipeline.start("RESTORE_FROM_LATEST_SNAPSHOT")
    comparison = pipeline.compare()
    assert comparison.equal, comparison.sentence
    assert comparison.expected == 10
    written = read_stream("suspicious_activity")
    keys = {(row.partition_key, json.loads(row.data)["reviewer"]) for row in written.itertuples()}
    assert keys == {(hashlib.md5(name.encode()).hexdigest(), name) for name in names}


def test_updated_while_it_runs(pipeline: Pipeline) -> None:
    pipeline.start()
    sending, answers = send_in_background(pipeline, pace=400)
    time.sleep(3)
    pipeline.update(
        FlinkApplicationConfigurationUpdate={
            "CheckpointConfigurationUpdate": {"ConfigurationTypeUpdate": "CUSTOM", "CheckpointIntervalUpdate": 3000}
        }
    )
    pipeline.wait_status("RUNNING", "UPDATING", "STARTING")
    sending.join()
    assert answers[0]["sent"] == 5000
    pipeline.every_window_is_right()


def lambda_worker(pipeline: Pipeline) -> psutil.Process:
    """The process of the account that runs the function."""
    account = psutil.Process(pipeline.account.pid)
    alive = [one for one in account.children() if one.status() != psutil.STATUS_ZOMBIE]
    (worker,) = [one for one in alive if "_worker" in " ".join(one.cmdline())]
    return worker


def wait_sent(pipeline: Pipeline, count: int) -> None:
    while len(read_stream("reviews", load_position(BUCKET))) < count:
        time.sleep(0.2)


def test_the_producer_dies_half_way_and_is_run_again(pipeline: Pipeline) -> None:
    pipeline.start()
    died: list[dict[str, Any]] = []
    event = json.dumps({"pace": 500}).encode()
    invoking = threading.Thread(
        target=lambda: died.append(pipeline.lambda_.invoke(FunctionName="reviewProducer", Payload=event))
    )
    invoking.start()
    wait_sent(pipeline, 1500)
    os.kill(lambda_worker(pipeline).pid, signal.SIGKILL)
    invoking.join()
    assert died[0]["FunctionError"] == "Unhandled"
    answer = pipeline.send(pace=500)
    assert (answer["sent"], answer["rejected"]) == (5000, 0)
    pipeline.every_window_is_right()
