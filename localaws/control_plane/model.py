"""Keep one application as the control plane knows it: versions, snapshots, operations and tags.

Everything but ``run`` and ``restored`` is plain data that goes to disk and back. Timestamps are whole seconds since
the epoch: boto3 sends them back without their fraction.
"""

import copy
import time
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

from localaws.job_description import ApplicationKey

READY, RUNNING = "READY", "RUNNING"
STARTING, STOPPING, FORCE_STOPPING = "STARTING", "STOPPING", "FORCE_STOPPING"
UPDATING, ROLLING_BACK, DELETING = "UPDATING", "ROLLING_BACK", "DELETING"
IN_PROGRESS, SUCCESSFUL, FAILED, CANCELLED = "IN_PROGRESS", "SUCCESSFUL", "FAILED", "CANCELLED"


def now() -> int:
    return int(time.time())


def new_token() -> str:
    return uuid.uuid4().hex[:16]


@dataclass
class Version:
    """Describe one version of an application's configuration, in the shape CreateApplication takes it."""

    number: int
    configuration: dict[str, Any]
    role: str
    runtime: str
    logging: list[dict[str, str]]
    code: dict[str, Any] = field(default_factory=dict)  # CodeMD5 and CodeSize of the zip when the version was made
    created: int = field(default_factory=now)
    status: str = READY  # the status the application had last in this version
    ran: bool = False
    updated_from: int | None = None
    rolled_back_from: int | None = None
    rolled_back_to: int | None = None

    @property
    def snapshots_enabled(self) -> bool:
        """Return whether a stop takes a snapshot: also where the configuration does not say, as on AWS."""
        return bool(self.configuration.get("ApplicationSnapshotConfiguration", {}).get("SnapshotsEnabled", True))

    @property
    def rollback_enabled(self) -> bool:
        return bool(self.configuration.get("ApplicationSystemRollbackConfiguration", {}).get("RollbackEnabled"))

    def successor(self, number: int) -> "Version":
        """Copy the configuration as version ``number``, to be changed before it becomes the current one."""
        return Version(
            number=number,
            configuration=copy.deepcopy(self.configuration),
            role=self.role,
            runtime=self.runtime,
            logging=copy.deepcopy(self.logging),
            code=dict(self.code),
            updated_from=number - 1,
        )


@dataclass
class Snapshot:
    """Describe a savepoint; ``savepoint`` is its path as a file URL once Flink has written it."""

    name: str
    version: int
    runtime: str
    status: str = "CREATING"
    created: int = field(default_factory=now)
    savepoint: str | None = None


@dataclass
class Operation:
    """Describe one call that takes its time, as DescribeApplicationOperation shows it."""

    name: str
    from_version: int | None = None
    to_version: int | None = None
    id: str = field(default_factory=new_token)
    status: str = IN_PROGRESS
    started: int = field(default_factory=now)
    ended: int | None = None
    error: str | None = None

    def finish(self, error: str | None = None, status: str | None = None) -> None:
        if self.status == IN_PROGRESS:
            self.status = status or (FAILED if error else SUCCESSFUL)
            self.ended, self.error = now(), error


@dataclass
class Run:
    """Describe one run of an application on the data plane, from its start to its end."""

    starting: bool = True
    ending: bool = False  # it is being stopped
    ended: bool = False  # and its job has ended
    scratch: Snapshot | None = None  # a savepoint kept only as long as this run may need it


@dataclass
class Application:
    """Describe an application with its history. ``versions`` is never empty; the last one is the current."""

    account: str
    region: str
    name: str
    versions: list[Version]
    mode: str = "STREAMING"
    description: str | None = None
    created: int = field(default_factory=now)
    updated: int = field(default_factory=now)
    status: str = READY
    token: str = field(default_factory=new_token)
    snapshots: list[Snapshot] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    run_configuration: dict[str, Any] = field(default_factory=dict)
    maintenance_start: str = "03:00"  # UTC; the window AWS gives a new application in us-east-1
    run: Run | None = None
    restored: bool = False  # read back from disk after the account was restarted, and not started since

    @property
    def key(self) -> ApplicationKey:
        return ApplicationKey(self.account, self.region, self.name)

    @property
    def arn(self) -> str:
        return f"arn:aws:kinesisanalytics:{self.region}:{self.account}:application/{self.name}"

    @property
    def current(self) -> Version:
        return self.versions[-1]

    def version(self, number: int) -> Version | None:
        return next((one for one in self.versions if one.number == number), None)

    def snapshot(self, name: str | None) -> Snapshot | None:
        return next((one for one in self.snapshots if one.name == name), None)

    def latest_snapshot(self) -> Snapshot | None:
        return next((one for one in reversed(self.snapshots) if one.status == READY), None)

    def become(self, status: str) -> None:
        self.status = self.current.status = status

    def add_version(self, version: Version) -> None:
        version.status = self.status
        self.versions.append(version)
        self.updated, self.token = now(), new_token()

    def begin(self, name: str, from_version: int | None = None) -> Operation:
        operation = Operation(name, from_version, self.current.number if from_version else None)
        self.operations.append(operation)
        return operation

    def to_data(self) -> dict[str, Any]:
        """Return everything that is kept on disk."""
        kept = {name: value for name, value in vars(self).items() if name not in ("run", "restored")}
        for name in ("versions", "snapshots", "operations"):
            kept[name] = [asdict(one) for one in kept[name]]
        return kept

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "Application":
        """Read an application back from disk: READY, its operations in progress failed."""
        application = cls(
            **{
                **data,
                "versions": [Version(**one) for one in data["versions"]],
                "snapshots": [Snapshot(**one) for one in data["snapshots"]],
                "operations": [Operation(**one) for one in data["operations"]],
            },
            restored=True,
        )
        if application.status != DELETING:
            application.become(READY)
        for snapshot in application.snapshots:
            if snapshot.status == "CREATING":
                snapshot.status = FAILED
        for operation in application.operations:
            operation.finish("The embedded account was stopped before this was complete.")
        return application
