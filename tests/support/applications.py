"""Applications of Managed Flink for tests: deployed between fresh streams of an account, read, killed and removed."""

import contextlib
import io
import json
import re
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from lab.deploy.connector import connector_jar
from tests.support.account import ACCOUNT, EmbeddedAccount

PATIENCE = 600.0  # seconds for what comes in one on a quiet machine
SOURCES = Path(__file__).parents[1] / "localaws" / "applications"
JAR = "lib/pyflink-dependencies.jar"  # no name that says what it holds


def source(name: str) -> str:
    """The main file of an application."""
    return (SOURCES / name).read_text()


class Workbench:
    """Deploys one application between two fresh streams and reads what it writes."""

    runtime = "FLINK-1_20"
    checkpoints: Mapping[str, Any] = {"ConfigurationType": "DEFAULT"}

    def __init__(self, account: EmbeddedAccount, name: str) -> None:
        self.account, self.name = account, name
        self.kinesis = account.client("kinesis")
        self.flink = account.client("kinesisanalyticsv2")
        self.s3 = account.client("s3")
        self.logs = account.client("logs")
        self.group = f"/aws/kinesis-analytics/{name}"
        self.logs.create_log_group(logGroupName=self.group)
        self.logs.create_log_stream(logGroupName=self.group, logStreamName="log")
        self.bucket = f"code-of-{name}"
        self.s3.create_bucket(Bucket=self.bucket)
        self.streams: list[str] = []
        aws = {"aws.region": "us-east-1"}
        self.groups = {
            "InputStream0": {"stream": self.create_stream("in"), **aws},
            "OutputStream0": {"stream": self.create_stream("out"), **aws},
        }

    def create_stream(self, part: str) -> str:
        """The name of a new stream of this application with one shard."""
        name = f"{self.name}-{part}"
        self.kinesis.create_stream(StreamName=name, ShardCount=1)
        self.streams.append(name)
        return name

    def checkpoint_every_second(self) -> None:
        self.checkpoints = {
            "ConfigurationType": "CUSTOM",
            "CheckpointingEnabled": True,
            "CheckpointInterval": 1000,
            "MinPauseBetweenCheckpoints": 100,
        }

    def deploy(self, members: dict[str, bytes | str], **run_options: str) -> None:
        """Make an application of these members of its zip, with ``groups`` as its runtime properties."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as package:
            for path, content in members.items():
                package.writestr(path, content)
        self.s3.put_object(Bucket=self.bucket, Key="code.zip", Body=buffer.getvalue())
        groups = {"kinesis.analytics.flink.run.options": run_options, **self.groups}
        self.flink.create_application(
            ApplicationName=self.name,
            RuntimeEnvironment=self.runtime,
            CloudWatchLoggingOptions=[
                {"LogStreamARN": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{self.group}:log-stream:log"}
            ],
            ServiceExecutionRole=f"arn:aws:iam::{ACCOUNT}:role/LabRole",
            ApplicationConfiguration={
                "ApplicationCodeConfiguration": {
                    "CodeContentType": "ZIPFILE",
                    "CodeContent": {
                        "S3ContentLocation": {"BucketARN": f"arn:aws:s3:::{self.bucket}", "FileKey": "code.zip"}
                    },
                },
                "FlinkApplicationConfiguration": {"CheckpointConfiguration": self.checkpoints},
                "EnvironmentProperties": {
                    "PropertyGroups": [
                        {"PropertyGroupId": group, "PropertyMap": pairs} for group, pairs in groups.items()
                    ]
                },
            },
        )

    def deploy_with_jar(
        self, main: str, folder: str = "", members: Mapping[str, bytes | str] | None = None, **run_options: str
    ) -> None:
        """Make an application of a main file and the connector's jar below ``folder`` of its zip, and more members."""
        zipped = {f"{folder}main.py": main, f"{folder}{JAR}": connector_jar().read_bytes(), **(members or {})}
        self.deploy(zipped, python=f"{folder}main.py", jarfile=f"{folder}{JAR}", **run_options)

    def put(self, numbers: Iterable[int]) -> None:
        self.put_records({"n": number} for number in numbers)

    def put_records(self, records: Iterable[Mapping[str, Any]]) -> None:
        entries = [{"Data": json.dumps(record).encode(), "PartitionKey": "k"} for record in records]
        answer = self.kinesis.put_records(StreamName=self.streams[0], Records=entries)
        assert answer["FailedRecordCount"] == 0

    def run(self) -> None:
        """Start the application; it has to become RUNNING."""
        assert self.start() == "RUNNING", self.account.command("logs", self.name).stdout[:3000]

    def start(self) -> str:
        self.flink.start_application(ApplicationName=self.name, RunConfiguration={})
        while (status := self.status()) == "STARTING":
            time.sleep(0.1)
        return status

    def status(self) -> str:
        return self.flink.describe_application(ApplicationName=self.name)["ApplicationDetail"]["ApplicationStatus"]

    def written(self, count: int) -> list[Any]:
        """The first values of the output stream, once there are so many; fewer where none came for long."""
        return [next(iter(record.values())) for record in self.records(count)]

    def records(self, count: int, part: str = "out", distinct: bool = False) -> list[dict[str, Any]]:
        """The first records of one of its streams, once there are ``count``; fewer where none came for long.

        With ``distinct`` one that comes again does not count: the sink for Kinesis writes at least once.
        """
        stream = f"{self.name}-{part}"
        shard = self.kinesis.list_shards(StreamName=stream)["Shards"][0]["ShardId"]
        iterator = self.kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")[
            "ShardIterator"
        ]
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + PATIENCE
        while len(found) < count and time.monotonic() < deadline:
            answer = self.kinesis.get_records(ShardIterator=iterator)
            iterator = answer["NextShardIterator"]
            for record in answer["Records"]:
                value = json.loads(record["Data"])
                if not (distinct and value in found):
                    found.append(value)
            if not answer["Records"]:
                time.sleep(0.2)
        return found[:count] if distinct else found

    def stop(self) -> None:
        if self.status() != "READY":
            self.flink.stop_application(ApplicationName=self.name, Force=True)
            while self.status() != "READY":
                time.sleep(0.1)

    def kill_taskmanager(self) -> None:
        """End its only TaskManager; what is written after that comes from a job that was restarted."""
        (taskmanager,) = self.processes("org.apache.flink.runtime.taskexecutor.TaskManagerRunner")
        taskmanager.kill()
        psutil.wait_procs([taskmanager])

    def restarts(self) -> int:
        """How often its job has gone on from a checkpoint after a failure."""
        status = json.loads(self.account.command("status", "--json").stdout)
        return status["restarts"].get(self.name, {"count": 0})["count"]

    def failure(self) -> str:
        """The first line of what ``localaws logs`` prints after a failed start."""
        return self.account.command("logs", self.name).stdout.splitlines()[0]

    def python_workers(self) -> list[psutil.Process]:
        """The processes of this account that run Python functions beside the tasks."""
        return self.processes("pyflink.fn_execution.beam.beam_boot")

    def processes(self, main: str) -> list[psutil.Process]:
        """The processes of this account's clusters with a word of their command line."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                ours = process.environ().get("AWS_ENDPOINT_URL") == self.account.endpoint
                if ours and main in process.cmdline():
                    found.append(process)
        return found

    def remove(self) -> None:
        self.stop()
        detail = self.flink.describe_application(ApplicationName=self.name)["ApplicationDetail"]
        self.flink.delete_application(ApplicationName=self.name, CreateTimestamp=detail["CreateTimestamp"])
        self.remove_what_it_used()

    def remove_what_it_used(self) -> None:
        self.logs.delete_log_group(logGroupName=self.group)
        for stream in self.kinesis.list_streams()["StreamNames"]:
            if stream in self.streams:
                self.kinesis.delete_stream(StreamName=stream)
        for stored in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", []):
            self.s3.delete_object(Bucket=self.bucket, Key=stored["Key"])
        self.s3.delete_bucket(Bucket=self.bucket)


@contextlib.contextmanager
def workbench(account: EmbeddedAccount, test: str) -> Iterator[Workbench]:
    """A workbench named after a test; its application and what it used are removed afterwards."""
    name = re.sub(r"\W+|_", "-", test.removeprefix("test_"))[:50]  # a bucket's name has at most 63 characters
    bench = Workbench(account, name.strip("-"))
    yield bench
    bench.remove()
