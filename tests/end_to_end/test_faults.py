"""Processes are killed and the application is stopped in the middle: every window must be right all the same.

One application for all tests: what one of them broke and Flink mended, the next one goes on with.
"""

import hashlib
import json
import os
import signal
import threading
import time
from typing import Any

import psutil
import pytest

from lab.streams.reading import load_position, read_stream, tip
from tests.support.account import PROJECT
from tests.support.pipeline import BUCKET, LANDING_ZONE, Pipeline
from tests.support.processes import wait_gone

pytestmark = pytest.mark.slow  # about 200 s in all


def taskmanagers(pipeline: Pipeline) -> set[str]:
    """The TaskManagers the JobManager counts on, by id."""
    return {one["id"] for one in pipeline.dashboard().get("/taskmanagers")["taskmanagers"]}


def send_some(pipeline: Pipeline, **event: Any) -> tuple[threading.Thread, list[dict[str, Any]]]:
    """Send the first 1,500 reviews in the background; returns once some of them are on the stream."""
    before = tip("reviews")
    sending = pipeline.send_in_background(limit=1500, **event)
    pipeline.wait_sent(before, 300)
    return sending


def test_taskmanager_killed_three_times(pipeline: Pipeline) -> None:
    for _ in range(3):
        sending, answers = send_some(pipeline, pace=400)
        before = taskmanagers(pipeline)
        os.kill(pipeline.process_of("TaskManagerRunner").pid, signal.SIGKILL)
        while not (now := taskmanagers(pipeline)) or now & before:  # until the JobManager knows, and has another
            time.sleep(0.1)
        pipeline.all_is_right_after_a_restore(sending, answers)


def test_jobmanager_killed(pipeline: Pipeline) -> None:
    sending, answers = send_some(pipeline, pace=400)
    victim = pipeline.process_of("StandaloneSessionClusterEntrypoint")
    os.kill(victim.pid, signal.SIGKILL)
    wait_gone(victim.pid)
    pipeline.all_is_right_after_a_restore(sending, answers)
    assert "The jobmanager of the application was lost" in pipeline.account.command("logs", "student").stdout


def snapshots(pipeline: Pipeline) -> dict[str, str]:
    """The application's snapshots by name, with their status."""
    listed = pipeline.flink.list_application_snapshots(ApplicationName="student")["SnapshotSummaries"]
    return {one["SnapshotName"]: one["SnapshotStatus"] for one in listed}


def test_stopped_with_a_snapshot_and_started_from_it_while_the_producer_goes_on(pipeline: Pipeline) -> None:
    sending, answers = send_some(pipeline, pace=400)
    before = snapshots(pipeline)
    pipeline.stop()
    (taken,) = snapshots(pipeline).keys() - before.keys()
    assert snapshots(pipeline)[taken] == "READY"
    pipeline.start("RESTORE_FROM_CUSTOM_SNAPSHOT", SnapshotName=taken)
    pipeline.all_is_right_after_a_restore(sending, answers)


def test_stopped_with_a_snapshot_while_the_job_restarts(pipeline: Pipeline) -> None:
    sending, answers = send_some(pipeline, pace=400)
    board, job = pipeline.dashboard(), pipeline.dashboard().running_job()
    assert job is not None
    before = snapshots(pipeline)
    os.kill(pipeline.process_of("TaskManagerRunner").pid, signal.SIGKILL)
    while board.get(f"/jobs/{job['jid']}")["state"] == "RUNNING":
        time.sleep(0.05)
    pipeline.stop()
    (taken,) = snapshots(pipeline).keys() - before.keys()
    assert snapshots(pipeline)[taken] == "READY"
    pipeline.start("RESTORE_FROM_LATEST_SNAPSHOT")
    pipeline.all_is_right_after_a_restore(sending, answers)


def test_updated_while_it_runs(pipeline: Pipeline) -> None:
    sending, answers = send_some(pipeline, pace=400)
    pipeline.update(
        FlinkApplicationConfigurationUpdate={
            "CheckpointConfigurationUpdate": {"ConfigurationTypeUpdate": "CUSTOM", "CheckpointIntervalUpdate": 3000}
        }
    )
    pipeline.wait_status("RUNNING", "UPDATING", "STARTING")
    pipeline.all_is_right_after_a_restore(sending, answers)


def lambda_worker(pipeline: Pipeline) -> psutil.Process:
    """The process of the account that runs the function."""
    account = psutil.Process(pipeline.account.pid)
    alive = [one for one in account.children() if one.status() != psutil.STATUS_ZOMBIE]
    (worker,) = [one for one in alive if "_worker" in " ".join(one.cmdline())]
    return worker


def test_the_producer_dies_half_way_and_is_run_again(pipeline: Pipeline) -> None:
    died: list[dict[str, Any]] = []
    event = json.dumps({"pace": 150}).encode()  # 33 s for all: killed before, however busy the machine
    invoking = threading.Thread(
        target=lambda: died.append(pipeline.lambda_.invoke(FunctionName="reviewProducer", Payload=event))
    )
    before = tip("reviews")
    invoking.start()
    pipeline.wait_sent(before, 500)
    os.kill(lambda_worker(pipeline).pid, signal.SIGKILL)
    invoking.join()
    assert died[0]["FunctionError"] == "Unhandled"
    answer = pipeline.send()
    assert (answer["sent"], answer["rejected"]) == (5000, 0)
    pipeline.every_window_is_right()


def test_a_snapshot_holds_rows_the_sink_has_not_written_yet(pipeline: Pipeline) -> None:
    """Their partition keys must be ASCII: the connector cannot read others back (docs/exactness.md)."""
    pipeline.stop()  # another sample and another position from here on
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
    assert len(read_stream("suspicious_activity", load_position(BUCKET))) == 0
    pipeline.update(EnvironmentPropertyUpdates={"PropertyGroups": pipeline.property_groups()})
    pipeline.start("RESTORE_FROM_LATEST_SNAPSHOT")
    comparison = pipeline.compare()
    assert comparison.equal, comparison.sentence
    assert comparison.expected == 10
    written = read_stream("suspicious_activity", load_position(BUCKET))
    keys = {(row.partition_key, json.loads(row.data)["reviewer"]) for row in written.itertuples()}
    assert keys == {(hashlib.md5(name.encode()).hexdigest(), name) for name in names}
