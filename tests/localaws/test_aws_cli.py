"""The Python tutorial of the developer guide of Managed Flink, by the commands of the real AWS CLI."""

import base64
import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from lab.deploy.connector import connector_jar
from tests.support.account import ACCOUNT, EmbeddedAccount
from tests.support.applications import JAR, PATIENCE, source

pytestmark = pytest.mark.slow  # about 30 s
APPLICATION = {"application_name": "MyApplication"}
BUCKET = "ka-app-code-username"
PRICES = [
    {"ticker": ticker, "price": price, "event_time": f"2026-11-27T10:00:0{second}"}
    for second, (ticker, price) in enumerate([("AAPL", 12.5), ("TBV", 99.01), ("AMZN", 7.0), ("AAPL", 13.25)])
]


class Shell:
    """Types commands of the AWS CLI into a shell whose account is the embedded one."""

    def __init__(self, account: EmbeddedAccount, folder: Path) -> None:
        self._folder = folder
        self._environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "AWS_ENDPOINT_URL": account.endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "local",
        }

    def write(self, name: str, request: Any) -> str:
        """Write a file of JSON into the folder; returns how the CLI is given it."""
        (self._folder / name).write_text(json.dumps(request))
        return f"file://{name}"

    def aws(self, *words: str, **options: str) -> Any:
        """The answer of ``aws WORDS --option value``: its JSON, its text where it is none, None where it is empty."""
        named = [word for key, value in options.items() for word in (f"--{key.replace('_', '-')}", value)]
        program = Path(sys.executable).with_name("aws")
        ended = subprocess.run(
            [sys.executable, str(program), *words, *named],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, (words, ended.stderr)
        text = ended.stdout.strip()
        return json.loads(text) if text.startswith("{") else text or None

    def flink(self, command: str, **options: str) -> Any:
        return self.aws("kinesisanalyticsv2", command, **options)

    def wait_status(self, wanted: str, passing: str) -> dict[str, Any]:
        while True:
            detail = self.flink("describe-application", **APPLICATION)["ApplicationDetail"]
            if detail["ApplicationStatus"] != passing:
                assert detail["ApplicationStatus"] == wanted
                return detail

    def read(self, stream: str, count: int) -> list[Any]:
        """The first records of a stream, once there are so many; fewer where none came for long."""
        shard = self.aws("kinesis", "list-shards", stream_name=stream)["Shards"][0]["ShardId"]
        place = {"stream_name": stream, "shard_id": shard, "shard_iterator_type": "TRIM_HORIZON"}
        iterator = self.aws("kinesis", "get-shard-iterator", **place)["ShardIterator"]
        found: list[Any] = []
        deadline = time.monotonic() + PATIENCE
        while len(found) < count and time.monotonic() < deadline:
            answer = self.aws("kinesis", "get-records", shard_iterator=iterator)
            iterator = answer["NextShardIterator"]
            found += [json.loads(base64.b64decode(record["Data"])) for record in answer["Records"]]
        return found


def groups(**more: str) -> list[dict[str, Any]]:
    """The tutorial's runtime properties, with more of the source's."""
    region = {"aws.region": "us-east-1"}
    source_of = {"stream.name": "ExampleInputStream", "flink.stream.initpos": "LATEST", **region}
    maps = {
        "kinesis.analytics.flink.run.options": {"python": "main.py", "jarfile": JAR},
        "InputStream0": {**source_of, **{key.replace("_", "."): value for key, value in more.items()}},
        "OutputStream0": {"stream.name": "ExampleOutputStream", **region},
    }
    return [{"PropertyGroupId": group, "PropertyMap": pairs} for group, pairs in maps.items()]


def create_request() -> dict[str, Any]:
    location = {"BucketARN": f"arn:aws:s3:::{BUCKET}", "FileKey": "myapp.zip"}
    return {
        "ApplicationName": "MyApplication",
        "ApplicationDescription": "my python test application",
        "RuntimeEnvironment": "FLINK-1_20",
        "ServiceExecutionRole": f"arn:aws:iam::{ACCOUNT}:role/LabRole",
        "ApplicationConfiguration": {
            "ApplicationCodeConfiguration": {
                "CodeContent": {"S3ContentLocation": location},
                "CodeContentType": "ZIPFILE",
            },
            "EnvironmentProperties": {"PropertyGroups": groups()},
        },
    }


@pytest.fixture
def shell(account: EmbeddedAccount, tmp_path: Path) -> Shell:
    return Shell(account, tmp_path)


def test_the_python_tutorial(shell: Shell, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "myapp.zip", "w") as package:
        package.writestr("main.py", source("getting_started.py"))
        package.write(connector_jar(), JAR)
    for stream in ("ExampleInputStream", "ExampleOutputStream"):
        assert shell.aws("kinesis", "create-stream", stream_name=stream, shard_count="1") is None
    assert shell.aws("s3", "mb", f"s3://{BUCKET}") == f"make_bucket: {BUCKET}"
    shell.aws("s3", "cp", "myapp.zip", f"s3://{BUCKET}/myapp.zip", "--no-progress")
    assert shell.aws("s3", "ls", f"s3://{BUCKET}").split()[2:] == [
        str((tmp_path / "myapp.zip").stat().st_size),
        "myapp.zip",
    ]

    request = shell.write("create_request.json", create_request())
    created = shell.flink("create-application", cli_input_json=request)["ApplicationDetail"]
    assert (created["ApplicationStatus"], created["ApplicationVersionId"]) == ("READY", 1)

    start = {"ApplicationName": "MyApplication", "RunConfiguration": {"ApplicationRestoreConfiguration": {}}}
    start["RunConfiguration"]["ApplicationRestoreConfiguration"]["ApplicationRestoreType"] = (
        "SKIP_RESTORE_FROM_SNAPSHOT"
    )
    start_request = shell.write("start_request.json", start)
    shell.flink("start-application", cli_input_json=start_request)
    shell.wait_status("RUNNING", passing="STARTING")
    records = [{"Data": json.dumps(price), "PartitionKey": price["ticker"]} for price in PRICES]
    sent = shell.write("records.json", records)
    assert shell.aws("kinesis", "put-records", stream_name="ExampleInputStream", records=sent)["FailedRecordCount"] == 0
    assert shell.read("ExampleOutputStream", len(PRICES)) == PRICES

    stop_request = shell.write("stop_request.json", {"ApplicationName": "MyApplication"})
    shell.flink("stop-application", cli_input_json=stop_request)
    shell.wait_status("READY", passing="STOPPING")
    assert len(shell.flink("list-application-snapshots", **APPLICATION)["SnapshotSummaries"]) == 1

    shell.aws("logs", "create-log-group", log_group_name="/aws/kinesis-analytics/MyApplication")
    stream = {
        "log_group_name": "/aws/kinesis-analytics/MyApplication",
        "log_stream_name": "kinesis-analytics-log-stream",
    }
    shell.aws("logs", "create-log-stream", **stream)
    arn = (
        f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{stream['log_group_name']}:log-stream:{stream['log_stream_name']}"
    )
    shell.flink(
        "add-application-cloud-watch-logging-option",
        current_application_version_id="1",
        cloud_watch_logging_option=f"LogStreamARN={arn}",
        **APPLICATION,
    )
    update = {
        "ApplicationName": "MyApplication",
        "CurrentApplicationVersionId": 2,
        "ApplicationConfigurationUpdate": {
            "EnvironmentPropertyUpdates": {"PropertyGroups": groups(flink_stream_initpos="TRIM_HORIZON")}
        },
    }
    updated = shell.flink("update-application", cli_input_json=shell.write("update_request.json", update))
    assert updated["ApplicationDetail"]["ApplicationVersionId"] == 3

    detail = shell.flink("describe-application", **APPLICATION)["ApplicationDetail"]
    shell.flink("delete-application", create_timestamp=str(detail["CreateTimestamp"]), **APPLICATION)
    assert shell.flink("list-applications")["ApplicationSummaries"] == []
    for stream_name in ("ExampleInputStream", "ExampleOutputStream"):
        shell.aws("kinesis", "delete-stream", stream_name=stream_name)
    shell.aws("s3", "rb", f"s3://{BUCKET}", "--force")
    shell.aws("logs", "delete-log-group", log_group_name="/aws/kinesis-analytics/MyApplication")
