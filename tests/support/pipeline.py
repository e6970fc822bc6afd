"""The lab's pipeline by API, for tests that break something in the middle and compare every window at the end."""

import contextlib
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from lab.deploy.flink_zip import JAR_IN_ZIP, build_flink_zip
from lab.deploy.producer_zip import build_producer_zip
from lab.flink.rest import Dashboard, DashboardSilent
from lab.streams.reading import load_position, read_stream, save_position
from lab.streams.records import read_reviews
from lab.validation.comparison import Comparison, compare_windows
from lab.validation.completion import wait_for_windows
from lab.validation.reference import windows
from localaws.managed_flink.running import START_LIMIT
from tests.support.account import ACCOUNT, PROJECT, EmbeddedAccount

ROLE = f"arn:aws:iam::{ACCOUNT}:role/LabRole"
LANDING_ZONE, BUCKET = f"{ACCOUNT}-landing-zone", f"{ACCOUNT}-flink"
WINDOW = {"window_seconds": 60, "slide_seconds": 30, "threshold": 1, "watermark_delay_seconds": 5}
# First reviews of data/sample.json -> their windows above the threshold, with the replay clock's ten reviews a second.
WINDOWS = {500: 39, 1500: 191, 5000: 718}
# Seconds for what comes in a few on a quiet machine; longer than the product itself waits before a start has failed.
PATIENCE = START_LIMIT + 60.0


class Pipeline:
    """Streams, function and application of the lab in one account, with clients for each service."""

    def __init__(self, account: EmbeddedAccount, folder: Path, monkeypatch: pytest.MonkeyPatch, shards: int) -> None:
        self.account, self.folder, self.shards = account, folder, shards
        self._compared = 0  # windows
        # lab's own functions work where the environment says, as in a notebook
        for name, value in account.aws_variables.items():
            monkeypatch.setenv(name, value)
        self.kinesis, self.lambda_ = account.client("kinesis"), account.client("lambda")
        self.flink, self.s3, self.logs = (account.client(name) for name in ("kinesisanalyticsv2", "s3", "logs"))

    def build(self, reviews: Path = PROJECT / "data" / "sample.json", checkpoint_ms: int = 2000) -> None:
        """Everything the first three notebooks make, up to an application that is READY."""
        for bucket in (LANDING_ZONE, BUCKET):
            self.s3.create_bucket(Bucket=bucket)
        self.s3.upload_file(str(reviews), LANDING_ZONE, "sample.json")
        for stream in ("reviews", "suspicious_activity"):
            self.kinesis.create_stream(StreamName=stream, ShardCount=self.shards)
        self.lambda_.create_function(
            FunctionName="reviewProducer",
            Runtime="python3.12",
            Role=ROLE,
            Handler="lambda_function.lambda_handler",
            MemorySize=512,
            Timeout=300,
            Code={"ZipFile": build_producer_zip(self.folder / "producer.zip").read_bytes()},
        )
        self.s3.upload_file(str(build_flink_zip(self.folder / "SlidingWindows.zip")), BUCKET, "SlidingWindows.zip")
        group, stream = "/aws/kinesis-analytics/student", "kinesis-analytics-log-stream"
        self.logs.create_log_group(logGroupName=group)
        self.logs.create_log_stream(logGroupName=group, logStreamName=stream)
        self.flink.create_application(
            ApplicationName="student",
            RuntimeEnvironment="FLINK-1_20",
            ServiceExecutionRole=ROLE,
            CloudWatchLoggingOptions=[
                {"LogStreamARN": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{group}:log-stream:{stream}"}
            ],
            ApplicationConfiguration={
                "ApplicationCodeConfiguration": {
                    "CodeContentType": "ZIPFILE",
                    "CodeContent": {
                        "S3ContentLocation": {"BucketARN": f"arn:aws:s3:::{BUCKET}", "FileKey": "SlidingWindows.zip"}
                    },
                },
                "FlinkApplicationConfiguration": {
                    "ParallelismConfiguration": {
                        "ConfigurationType": "CUSTOM",
                        "Parallelism": self.shards,
                        "ParallelismPerKPU": min(self.shards, 8),  # as many as Managed Flink allows
                        "AutoScalingEnabled": False,
                    },
                    "CheckpointConfiguration": {
                        "ConfigurationType": "CUSTOM",
                        "CheckpointingEnabled": True,
                        "CheckpointInterval": checkpoint_ms,
                        "MinPauseBetweenCheckpoints": 500,
                    },
                },
                "ApplicationSnapshotConfiguration": {"SnapshotsEnabled": True},
                "EnvironmentProperties": {"PropertyGroups": self.property_groups()},
            },
        )

    def create_second(self) -> None:
        """Another application of the same zip, named second."""
        location = {"BucketARN": f"arn:aws:s3:::{BUCKET}", "FileKey": "SlidingWindows.zip"}
        self.flink.create_application(
            ApplicationName="second",
            RuntimeEnvironment="FLINK-1_20",
            ServiceExecutionRole=ROLE,
            ApplicationConfiguration={
                "ApplicationCodeConfiguration": {
                    "CodeContentType": "ZIPFILE",
                    "CodeContent": {"S3ContentLocation": location},
                },
                "EnvironmentProperties": {"PropertyGroups": self.property_groups()},
            },
        )

    def property_groups(self, **window: str) -> list[dict[str, Any]]:
        aws = {"aws.region": "us-east-1", "aws.endpoint": self.account.endpoint}
        groups = {
            "kinesis.analytics.flink.run.options": {
                "python": "SlidingWindows/sliding-windows.py",
                "jarfile": JAR_IN_ZIP,
            },
            "consumer.config.0": {"input.stream.name": "reviews", "scan.stream.initpos": "LATEST", **aws},
            "producer.config.0": {"output.stream.name": "suspicious_activity", "shard.count": "1", **aws},
            "window.config.0": window,
        }
        # a group without properties is refused, as on AWS
        return [{"PropertyGroupId": name, "PropertyMap": pairs} for name, pairs in groups.items() if pairs]

    def start(self, restore: str = "SKIP_RESTORE_FROM_SNAPSHOT", **more: str) -> None:
        """Start and wait for RUNNING; the position is noted where nothing is restored."""
        if restore == "SKIP_RESTORE_FROM_SNAPSHOT":
            save_position(BUCKET)
            self._compared = 0
        self.flink.start_application(
            ApplicationName="student",
            RunConfiguration={"ApplicationRestoreConfiguration": {"ApplicationRestoreType": restore, **more}},
        )
        self.wait_status("RUNNING", "STARTING")

    def stop(self) -> None:
        """Stop with a snapshot and wait for READY."""
        self.flink.stop_application(ApplicationName="student")
        self.wait_status("READY", "STOPPING")

    def wait_status(self, wanted: str, *passing: str, timeout: float = PATIENCE) -> None:
        deadline = time.monotonic() + timeout
        while (status := self.detail()["ApplicationStatus"]) != wanted:
            assert status in passing and time.monotonic() < deadline, self.account.command("logs", "student").stdout
            time.sleep(0.1)

    def detail(self) -> dict[str, Any]:
        return self.flink.describe_application(ApplicationName="student")["ApplicationDetail"]

    def send(self, **event: Any) -> dict[str, Any]:
        """Invoke the producer until it is done."""
        while True:
            answer = self.lambda_.invoke(FunctionName="reviewProducer", Payload=json.dumps(event).encode())
            payload = json.load(answer["Payload"])
            assert "FunctionError" not in answer, payload
            if payload["done"]:
                return payload

    def send_in_background(self, **event: Any) -> tuple[threading.Thread, list[dict[str, Any]]]:
        """Invoke the producer in a thread; the list holds its answer once the thread has ended."""
        answers: list[dict[str, Any]] = []
        thread = threading.Thread(target=lambda: answers.append(self.send(**event)))
        thread.start()
        return thread, answers

    def wait_sent(self, before: dict[str, str | None], count: int) -> None:
        """Wait until `reviews` holds so many records behind a tip; read from there, one look takes no time."""
        while len(read_stream("reviews", before)) < count:
            time.sleep(0.2)

    def wait_job_running(self) -> None:
        """Wait until every task of the job is RUNNING, through the loss of the JobManager too."""
        while True:
            with contextlib.suppress(DashboardSilent):  # the JobManager is on its way back
                if self.dashboard().running_job():
                    return
            time.sleep(0.2)

    def process_of(self, main: str) -> psutil.Process:
        """The JVM of this account's cluster with this main class."""
        home = str(self.account.home)
        for process in psutil.process_iter(["cmdline"]):
            line = " ".join(process.info["cmdline"] or ())
            if main in line and home in line:
                return process
        raise AssertionError(f"no {main} is running")

    def dashboard(self) -> Dashboard:
        """The Flink dashboard of the application's cluster."""
        return Dashboard.of_application(flink=self.flink)

    def wait_read(self, count: int) -> None:
        """Until the job's source has read exactly so many records."""
        assert (
            self._wait_metric(lambda name: name.startswith("Source") and name.endswith(".numRecordsOut"), count)
            == count
        )

    def wait_in_sink(self, count: int) -> None:
        """Until so many rows have reached the job's sink, written or not."""
        self._wait_metric(lambda name: "Writer" in name and name.endswith(".numRecordsIn"), count)

    def _wait_metric(self, wanted: Callable[[str], bool], least: float, timeout: float = PATIENCE) -> float:
        """Until the sum of an operator's metric over all subtasks is ``least`` or more; that sum."""
        board = self.dashboard()
        job = board.running_job()
        assert job is not None, f"no job runs at {board.url}"
        deadline = time.monotonic() + timeout
        while True:
            value = 0.0
            for vertex in board.vertices(job["jid"]):
                path = f"/jobs/{job['jid']}/vertices/{vertex['id']}/subtasks/metrics"
                names = [one["id"] for one in board.get(path) if wanted(one["id"])]
                value += sum(one["sum"] for one in board.get(f"{path}?get={','.join(names)}&agg=sum")) if names else 0
            if value >= least:
                return value
            assert time.monotonic() < deadline, f"{value:.0f} of {least} records have come"
            time.sleep(0.2)

    def update(self, **configuration: Any) -> None:
        """UpdateApplication of the current version; the members of an ApplicationConfigurationUpdate."""
        self.flink.update_application(
            ApplicationName="student",
            CurrentApplicationVersionId=self.detail()["ApplicationVersionId"],
            ApplicationConfigurationUpdate=configuration,
        )

    def every_window_is_right(self, added: int = WINDOWS[5000]) -> None:
        """Every window since the position equals the reference; so many are due since the last comparison."""
        comparison = self.compare()
        assert comparison.equal, comparison.sentence
        assert comparison.expected - self._compared == added
        self._compared = comparison.expected

    def all_is_right_after_a_restore(self, sending: threading.Thread, answers: list[dict[str, Any]]) -> None:
        """Wait for 1,500 reviews that are being sent and for the job, send them again, and compare both runs' windows.

        Without the second run the last windows could stay open, when the job was restored behind the end of the first
        one: it waits then for a record on every shard (docs/exactness.md).
        """
        sending.join()
        assert (answers[0]["sent"], answers[0]["rejected"]) == (1500, 0)
        self.wait_job_running()
        self.send(limit=1500)
        self.every_window_is_right(2 * WINDOWS[1500])

    def compare(self, timeout: float = 600.0) -> Comparison:
        """Every window since the position against the reference."""
        position = load_position(BUCKET)
        reference = windows(read_reviews(read_stream("reviews", position)), **WINDOW)
        output = wait_for_windows(reference, position, timeout, quiet=min(60.0, timeout))
        comparison = compare_windows(reference, output)
        print(f"{comparison.sentence} {output.sentence}")  # the figures, with pytest -s
        return comparison
