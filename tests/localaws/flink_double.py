"""A control plane in this process over a data plane that only pretends, for tests of statuses, versions and files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.model import Shape

from localaws.control_plane.errors import ApiError
from localaws.control_plane.service import ControlPlane
from localaws.errors import ApplicationRefused
from localaws.job_description import ApplicationKey, JobDescription
from localaws.validation import RequestModel

ACCOUNT, REGION = "000000000000", "us-east-1"
ZIP = b"PK zipped"

SERVICE = RequestModel("kinesisanalyticsv2").service


class FakeDataPlane:
    """Keeps what it was asked for; a test tells it how runs go on by ``tell``."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.calls: list[tuple[Any, ...]] = []
        self.jobs: list[JobDescription] = []
        self.on_status: list[Callable[..., None]] = []
        self.refusal: str | None = None
        self.savepoints_succeed = True

    def check(self, job: JobDescription) -> None:
        if self.refusal:
            raise ApplicationRefused(self.refusal)

    def start(self, job: JobDescription, savepoint: str | None, on_status: Callable[..., None]) -> None:
        self.calls.append(("start", job.version, savepoint))
        self.jobs.append(job)
        self.on_status.append(on_status)

    def snapshot(self, key: ApplicationKey, name: str, stop: bool = False) -> str | None:
        self.calls.append(("snapshot", name, stop))
        if not self.savepoints_succeed:
            return None
        folder = self.home / "savepoints" / name
        folder.mkdir(parents=True)
        return folder.as_uri()

    def stop(self, key: ApplicationKey) -> None:
        self.calls.append(("stop", key.name))

    def delete(self, key: ApplicationKey) -> None:
        self.calls.append(("delete", key.name))

    def dashboard(self, key: ApplicationKey) -> str | None:
        return "http://127.0.0.1:8081"

    def tell(self, status: str, message: str | None = None, run: int = -1) -> None:
        self.on_status[run](status, message)


class FakeServices:
    """S3 with one zip, Kinesis with the streams named."""

    def __init__(self) -> None:
        self.objects = {("b", "app.zip"): ZIP}
        self.existing = {"reviews"}

    def fetch_object(self, key: ApplicationKey, bucket: str, name: str, version: str | None) -> bytes | None:
        return self.objects.get((bucket, name))

    def streams(self, key: ApplicationKey) -> "FakeServices":
        return self

    def exists(self, name: str) -> bool:
        return name in self.existing


class Api:
    """Calls operations as boto3 would, and holds each answer against the API's model.

    Background work waits in ``waiting`` until ``work`` runs it, so that a test sees every status in between.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.dataplane = FakeDataPlane(home)
        self.services = FakeServices()
        self.waiting: list[Callable[[], None]] = []
        self._control = ControlPlane(
            home, self.dataplane, self.services, lambda: (ACCOUNT, REGION), in_background=self.waiting.append
        )

    def __call__(self, operation: str, **data: Any) -> dict[str, Any]:
        answer = self._control.call(operation, ACCOUNT, REGION, json.dumps(data))
        check_shape(SERVICE.operation_model(operation).output_shape, json.loads(json.dumps(answer)), operation)
        return answer

    def error(self, operation: str, **data: Any) -> ApiError:
        try:
            answer = self(operation, **data)
        except ApiError as error:
            return error
        raise AssertionError(f"{operation} was answered: {answer}")

    def work(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()

    # -- what most tests need -------------------------------------------------------------------------------------

    def create(self, name: str = "student", snapshots: bool = False, **more: Any) -> dict[str, Any]:
        configuration = {
            "ApplicationCodeConfiguration": {
                "CodeContentType": "ZIPFILE",
                "CodeContent": {"S3ContentLocation": {"BucketARN": "arn:aws:s3:::b", "FileKey": "app.zip"}},
            },
            "EnvironmentProperties": {
                "PropertyGroups": [group("consumer.config.0", **{"input.stream.name": "reviews"})]
            },
            "ApplicationSnapshotConfiguration": {"SnapshotsEnabled": snapshots},
            **more,
        }
        return self(
            "CreateApplication",
            ApplicationName=name,
            RuntimeEnvironment="FLINK-1_20",
            ServiceExecutionRole="arn:aws:iam::000000000000:role/LabRole",
            ApplicationConfiguration=configuration,
        )["ApplicationDetail"]

    def describe(self, name: str = "student") -> dict[str, Any]:
        return self("DescribeApplication", ApplicationName=name)["ApplicationDetail"]

    def status(self, name: str = "student") -> str:
        return self.describe(name)["ApplicationStatus"]

    def start(self, **run: Any) -> str:
        return self("StartApplication", ApplicationName="student", RunConfiguration=run)["OperationId"]

    def run(self, **run: Any) -> None:
        self.start(**run)
        self.dataplane.tell("RUNNING")

    def update(self, version: int, parallelism: int = 2, **more: Any) -> dict[str, Any]:
        custom = {"ConfigurationTypeUpdate": "CUSTOM", "ParallelismUpdate": parallelism}
        return self(
            "UpdateApplication",
            ApplicationName="student",
            CurrentApplicationVersionId=version,
            ApplicationConfigurationUpdate={
                "FlinkApplicationConfigurationUpdate": {"ParallelismConfigurationUpdate": custom}
            },
            **more,
        )

    def operation(self, operation_id: str) -> dict[str, Any]:
        return self("DescribeApplicationOperation", ApplicationName="student", OperationId=operation_id)[
            "ApplicationOperationInfoDetails"
        ]

    def snapshots(self) -> list[tuple[str, str]]:
        listed = self("ListApplicationSnapshots", ApplicationName="student")["SnapshotSummaries"]
        return [(one["SnapshotName"], one["SnapshotStatus"]) for one in listed]

    def parallelism(self, version: int | None = None) -> int:
        if version is None:
            detail = self.describe()
        else:
            answer = self("DescribeApplicationVersion", ApplicationName="student", ApplicationVersionId=version)
            detail = answer["ApplicationVersionDetail"]
        flink = detail["ApplicationConfigurationDescription"]["FlinkApplicationConfigurationDescription"]
        return flink["ParallelismConfigurationDescription"]["Parallelism"]


def group(group_id: str, **properties: str) -> dict[str, Any]:
    return {"PropertyGroupId": group_id, "PropertyMap": properties}


def check_shape(shape: Shape | None, value: Any, path: str) -> None:
    """Hold an answer against the API's model: known members, the required ones, their types and their values."""
    if shape is None:
        assert value == {}, path
    elif shape.type_name == "structure":
        assert isinstance(value, dict), path
        assert set(value) <= set(shape.members), f"{path}: {set(value) - set(shape.members)}"
        assert set(shape.required_members) <= set(value), f"{path}: {set(shape.required_members) - set(value)}"
        for name, member in value.items():
            check_shape(shape.members[name], member, f"{path}.{name}")
    elif shape.type_name == "list":
        for item in value:
            check_shape(shape.member, item, f"{path}[]")
    elif shape.type_name == "map":
        for item in value.values():
            check_shape(shape.value, item, f"{path}{{}}")
    else:
        kinds = {"string": str, "boolean": bool, "integer": int, "long": int, "timestamp": (int, float)}
        assert isinstance(value, kinds[shape.type_name]), f"{path}: {value!r}"
        assert value in shape.metadata.get("enum", [value]), f"{path}: {value!r}"
