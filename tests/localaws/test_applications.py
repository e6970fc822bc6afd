"""Applications of different shape, none with an endpoint in it, run as they would on AWS; about 115 s in all."""

import contextlib
import io
import json
import re
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from lab.deploy.connector import connector_jar
from tests.support.account import ACCOUNT, EmbeddedAccount

pytestmark = pytest.mark.slow  # about 115 s in all
PATIENCE = 240.0  # seconds for what comes in one on a quiet machine
SOURCES = Path(__file__).parent / "applications"
JAR = "lib/pyflink-dependencies.jar"  # no name that says what it holds

TABLES = """
import json
from pyflink.table import EnvironmentSettings, TableEnvironment

def environment_with_tables():
    with open("/etc/flink/application_properties.json") as file:
        groups = {group["PropertyGroupId"]: group["PropertyMap"] for group in json.load(file)}
    environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    for name, column, group, extra in (
        ("numbers", "n BIGINT", "InputStream0", ", 'scan.stream.initpos' = 'TRIM_HORIZON'"),
        ("words", "word STRING", "OutputStream0", ""),
    ):
        options = groups[group]
        environment.execute_sql(f"CREATE TABLE {name} ({column}) WITH ('connector' = 'kinesis', 'stream' = "
            f"'{options['stream']}', 'aws.region' = '{options['aws.region']}', "
            f"'format' = 'json'{extra})")
    return environment
"""
WORDS = """
from pyflink.table import DataTypes
from pyflink.table.udf import udf

@udf(result_type=DataTypes.STRING())
def spelled(number):
    with open("spelling.zip/words.txt") as file:
        return file.read().split()[number]
"""


def spelling() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("words.txt", "zero one two three four five six seven eight nine ten eleven\n")
    return buffer.getvalue()


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
        for stream in (f"{name}-in", f"{name}-out"):
            self.kinesis.create_stream(StreamName=stream, ShardCount=1)

    def deploy(self, members: dict[str, bytes | str], **run_options: str) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as package:
            for path, content in members.items():
                package.writestr(path, content)
        self.s3.put_object(Bucket=self.bucket, Key="code.zip", Body=buffer.getvalue())
        aws = {"aws.region": "us-east-1"}
        groups = {
            "kinesis.analytics.flink.run.options": run_options,
            "InputStream0": {"stream": f"{self.name}-in", **aws},
            "OutputStream0": {"stream": f"{self.name}-out", **aws},
        }
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

    def put(self, numbers: range) -> None:
        records = [{"Data": json.dumps({"n": number}).encode(), "PartitionKey": "k"} for number in numbers]
        answer = self.kinesis.put_records(StreamName=f"{self.name}-in", Records=records)
        assert answer["FailedRecordCount"] == 0

    def start(self) -> str:
        self.flink.start_application(ApplicationName=self.name, RunConfiguration={})
        while (status := self.status()) == "STARTING":
            time.sleep(0.1)
        return status

    def status(self) -> str:
        return self.flink.describe_application(ApplicationName=self.name)["ApplicationDetail"]["ApplicationStatus"]

    def written(self, count: int) -> list[Any]:
        """The first values of the output stream, once there are so many; fewer where none came for long."""
        shard = self.kinesis.list_shards(StreamName=f"{self.name}-out")["Shards"][0]["ShardId"]
        iterator = self.kinesis.get_shard_iterator(
            StreamName=f"{self.name}-out", ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        values: list[Any] = []
        deadline = time.monotonic() + PATIENCE
        while len(values) < count and time.monotonic() < deadline:
            answer = self.kinesis.get_records(ShardIterator=iterator)
            iterator = answer["NextShardIterator"]
            values += [next(iter(json.loads(record["Data"]).values())) for record in answer["Records"]]
            time.sleep(0.2)
        return values

    def stop(self) -> None:
        if self.status() != "READY":
            self.flink.stop_application(ApplicationName=self.name, Force=True)
            while self.status() != "READY":
                time.sleep(0.1)

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
            if stream in (f"{self.name}-in", f"{self.name}-out"):
                self.kinesis.delete_stream(StreamName=stream)
        for stored in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", []):
            self.s3.delete_object(Bucket=self.bucket, Key=stored["Key"])
        self.s3.delete_bucket(Bucket=self.bucket)


@pytest.fixture
def bench(account: EmbeddedAccount, request: pytest.FixtureRequest) -> Iterator[Workbench]:
    bench = Workbench(account, re.sub(r"\W+|_", "-", request.node.name.removeprefix("test_")).strip("-"))
    yield bench
    bench.remove()


def source(name: str) -> str:
    return (SOURCES / name).read_text()


FAN_OUT = "'scan.stream.recordpublisher' = 'EFO', 'scan.stream.efo.consumername' = 'fan', 'scan.stream.initpos'"


@pytest.mark.parametrize("publisher", ["'scan.stream.initpos'", FAN_OUT], ids=["polling", "enhanced fan-out"])
def test_sql(bench: Workbench, publisher: str) -> None:
    main = source("sql.py").replace("'scan.stream.initpos'", publisher)
    bench.deploy(
        {"App/main.py": main, f"App/{JAR}": connector_jar().read_bytes()},
        python="App/main.py",
        jarfile=f"App/{JAR}",
    )
    assert bench.start() == "RUNNING", bench.account.command("logs", bench.name).stdout[:3000]
    bench.put(range(10))
    assert bench.written(5) == [0, 2, 4, 6, 8]


def restarts(bench: Workbench) -> int:
    status = json.loads(bench.account.command("status", "--json").stdout)
    return status["restarts"].get(bench.name, {"count": 0})["count"]


def test_a_job_that_restarts_again_and_again_is_seen(bench: Workbench) -> None:
    divides = source("sql.py").replace("MOD(n, 2) = 0", "MOD(n, n - 13) = 0")
    bench.deploy(
        {"App/main.py": divides, f"App/{JAR}": connector_jar().read_bytes()},
        python="App/main.py",
        jarfile=f"App/{JAR}",
    )
    assert bench.start() == "RUNNING", bench.account.command("logs", bench.name).stdout[:3000]
    bench.put(range(13, 14))
    while restarts(bench) < 2:
        time.sleep(0.5)
    assert bench.status() == "RUNNING"  # as AWS says it
    said = bench.account.command("status").stdout
    assert f"The job of {bench.name} has restarted" in said
    assert "The first cause: The application failed: java.lang.ArithmeticException: / by zero" in said
    assert failure(bench).startswith(f"The job of {bench.name} has restarted ")


def test_table_api_with_a_python_udf(bench: Workbench) -> None:
    bench.runtime = "FLINK-1_18"
    bench.deploy(
        {"App/main.py": source("table_udf.py"), f"App/{JAR}": connector_jar().read_bytes()},
        python="App/main.py",
        jarfile=f"App/{JAR}",
    )
    assert bench.start() == "RUNNING", bench.account.command("logs", bench.name).stdout[:3000]
    bench.put(range(6))
    assert bench.written(6) == [0, 1, 4, 9, 16, 25]
    warning = "The application is for FLINK-1_18 and runs here on Flink 1.20."
    assert warning in bench.account.command("status").stdout
    assert f"service WARN {warning}" in bench.account.command("logs", bench.name).stdout
    workers = bench.python_workers()
    assert workers
    bench.stop()
    assert psutil.wait_procs(workers, timeout=60)[1] == []


def test_datastream_with_state_and_timers(bench: Workbench) -> None:
    bench.deploy(
        {"App/main.py": source("datastream.py"), f"App/{JAR}": connector_jar().read_bytes()},
        python="App/main.py",
        jarfile=f"App/{JAR}",
    )
    assert bench.start() == "RUNNING", bench.account.command("logs", bench.name).stdout[:3000]
    bench.put(range(10))
    deadline = time.monotonic() + PATIENCE
    while not {12, 15, 18} <= set(seen := bench.written(3)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert {12, 15, 18} <= set(seen)


def test_datastream_connectors_and_boto3(bench: Workbench) -> None:
    bench.runtime = "FLINK-1_19"
    bench.deploy({"main.py": source("connectors.py"), JAR: connector_jar().read_bytes()}, python="main.py", jarfile=JAR)
    assert bench.start() == "RUNNING", bench.account.command("logs", bench.name).stdout[:3000]
    bench.put(range(5))
    assert bench.written(5) == [0, 7, 14, 21, 28]


def test_session_windows_of_a_main_file_that_waits(bench: Workbench) -> None:
    bench.deploy({"main.py": source("sessions.py"), JAR: connector_jar().read_bytes()}, python="main.py", jarfile=JAR)
    assert bench.start() == "RUNNING", bench.account.command("logs", bench.name).stdout[:3000]
    bench.put(range(0, 4))
    bench.put(range(20, 23))
    bench.put(range(40, 41))  # closes the second session
    assert bench.written(2) == [0 + 1 + 2 + 3, 20 + 21 + 22]


def part_files(bench: Workbench) -> list[int]:
    """The numbers in the finished part files, in order; what Flink holds back begins with an underscore."""
    numbers = []
    for stored in bench.s3.list_objects_v2(Bucket=bench.bucket, Prefix="out/part-").get("Contents", []):
        lines = bench.s3.get_object(Bucket=bench.bucket, Key=stored["Key"])["Body"].read().splitlines()
        numbers += [json.loads(line)["n"] for line in lines]
    return sorted(numbers)


def test_files_in_s3_are_exact_after_a_killed_taskmanager(bench: Workbench) -> None:
    bench.checkpoints = {
        "ConfigurationType": "CUSTOM",
        "CheckpointingEnabled": True,
        "CheckpointInterval": 1000,
        "MinPauseBetweenCheckpoints": 100,
    }
    bench.s3.put_object(Bucket=bench.bucket, Key="known/a.json", Body=b'{"n": 100}\n{"n": 101}\n')
    bench.deploy({"main.py": source("s3_files.py"), JAR: connector_jar().read_bytes()}, python="main.py", jarfile=JAR)
    assert bench.start() == "RUNNING", bench.account.command("logs", bench.name).stdout[:3000]
    bench.put(range(10))
    deadline = time.monotonic() + PATIENCE
    while len(part_files(bench)) < 12 and time.monotonic() < deadline:
        time.sleep(0.5)
    (taskmanager,) = bench.processes("org.apache.flink.runtime.taskexecutor.TaskManagerRunner")
    bench.put(range(10, 15))
    taskmanager.kill()
    bench.put(range(15, 20))
    while len(part_files(bench)) < 22 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert part_files(bench) == [*range(20), 100, 101]


def test_own_package_and_archive(bench: Workbench) -> None:
    members: dict[str, bytes | str] = {
        "main.py": source("with_package.py"),
        "deps/own_package/__init__.py": "",
        "deps/own_package/tables.py": TABLES,
        "deps/own_package/words.py": WORDS,
        "spelling.zip": spelling(),
        JAR: connector_jar().read_bytes(),
    }
    bench.deploy(members, python="main.py", jarfile=JAR, pyFiles="deps", pyArchives="spelling.zip")
    assert bench.start() == "RUNNING", bench.account.command("logs", bench.name).stdout[:3000]
    bench.put(range(4))
    assert bench.written(4) == ["zero", "one", "two", "three"]


# -- applications that cannot run: the first failure in one sentence, where the student looks --


def failure(bench: Workbench) -> str:
    """The first line of what ``localaws logs`` prints after a failed start."""
    return bench.account.command("logs", bench.name).stdout.splitlines()[0]


def test_wrong_path_in_the_zip_is_refused_before_anything_starts(bench: Workbench) -> None:
    bench.deploy({"App/main.py": "pass"}, python="main.py")
    with pytest.raises(bench.flink.exceptions.InvalidArgumentException, match="did you mean 'App/main.py'"):
        bench.start()
    assert bench.status() == "READY"


def test_a_missing_zip_is_refused(bench: Workbench) -> None:
    bench.deploy({"App/main.py": "pass"}, python="App/main.py")
    bench.s3.delete_object(Bucket=bench.bucket, Key="code.zip")
    with pytest.raises(bench.flink.exceptions.InvalidArgumentException, match="There is no s3://"):
        bench.start()


def test_wrong_sql_names_line_and_column(bench: Workbench) -> None:
    wrong = source("sql.py").replace("SELECT n FROM", "SELECT nn FROM")
    bench.deploy(
        {"App/main.py": wrong, f"App/{JAR}": connector_jar().read_bytes()}, python="App/main.py", jarfile=f"App/{JAR}"
    )
    assert bench.start() == "READY"
    assert failure(bench) == (
        "The SQL is wrong at line 1, column 25: Column 'nn' not found in any table (App/main.py, line 17)"
    )


def test_a_stream_that_does_not_exist_is_named(bench: Workbench) -> None:
    bench.deploy(
        {"App/main.py": source("sql.py"), f"App/{JAR}": connector_jar().read_bytes()},
        python="App/main.py",
        jarfile=f"App/{JAR}",
    )
    bench.kinesis.delete_stream(StreamName=f"{bench.name}-in")
    assert bench.start() == "READY"
    assert failure(bench).startswith(f"The stream '{bench.name}-in' does not exist")


def test_an_endpoint_elsewhere_is_refused(bench: Workbench) -> None:
    elsewhere = "'aws.endpoint' = 'https://kinesis.eu-west-1.amazonaws.com', 'format'"
    named = source("sql.py").replace("'format'", elsewhere)
    bench.deploy({"main.py": named, JAR: connector_jar().read_bytes()}, python="main.py", jarfile=JAR)
    assert bench.start() == "READY"
    assert failure(bench).startswith(
        "Nothing of an application leaves this machine, and kinesis.eu-west-1.amazonaws.com is not on it."
    )


CALLS_ELSEWHERE = """
import requests

try:
    requests.get("https://example.com")
except requests.RequestException as error:
    print(error)
"""


def test_main_without_a_job_and_with_a_call_of_another_machine(bench: Workbench) -> None:
    bench.deploy({"main.py": CALLS_ELSEWHERE}, python="main.py")
    assert bench.start() == "READY"
    assert failure(bench).startswith("main.py ended without starting a job; call execute()")
    assert "Tunnel connection failed: 403 Forbidden" in bench.account.command("logs", bench.name).stdout


def test_a_job_wider_than_its_slots_is_named(bench: Workbench) -> None:
    # The warm cluster has four slots, which the application was not allotted.
    wide = source("sql.py").replace("\nfor ", '\nenvironment.get_config().set("parallelism.default", "3")\nfor ', 1)
    bench.deploy(
        {"App/main.py": wide, f"App/{JAR}": connector_jar().read_bytes()}, python="App/main.py", jarfile=f"App/{JAR}"
    )
    assert bench.start() == "READY"
    assert failure(bench).startswith("The job needs more slots than the application has")
