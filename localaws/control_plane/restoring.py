"""Find the savepoint a start restores, and check that the account has everything the start needs."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from localaws.control_plane.errors import invalid
from localaws.control_plane.model import READY, Application, Snapshot
from localaws.errors import ApplicationRefused
from localaws.job_description import JobDescription, Streams

LATEST, SKIP, CUSTOM = "RESTORE_FROM_LATEST_SNAPSHOT", "SKIP_RESTORE_FROM_SNAPSHOT", "RESTORE_FROM_CUSTOM_SNAPSHOT"


def restore_path(application: Application, restore: dict[str, Any]) -> str | None:
    """Return the savepoint that a restore configuration asks for, or None for a start without state."""
    kind = restore.get("ApplicationRestoreType", LATEST)
    if kind == SKIP:
        return None
    if kind == CUSTOM:
        name = restore.get("SnapshotName")
        snapshot = application.snapshot(name)
        if snapshot is None:
            raise invalid(f"The snapshot name {name} provided for restore configuration does not exist.")
        if snapshot.status != READY:
            raise invalid(f"The snapshot {name} is {snapshot.status} and cannot be restored.")
    else:
        snapshot = application.latest_snapshot()
    if snapshot is None:
        return None
    if not folder_of(snapshot).is_dir():
        raise invalid(f"The files of the snapshot {snapshot.name} are gone; delete it and start from another one.")
    return snapshot.savepoint


def folder_of(snapshot: Snapshot) -> Path:
    """Return the folder of a snapshot's savepoint."""
    return Path(unquote(urlsplit(snapshot.savepoint or "file:///nowhere").path))


def remove_files(snapshot: Snapshot | None) -> None:
    if snapshot is not None and snapshot.savepoint:
        shutil.rmtree(folder_of(snapshot), ignore_errors=True)


def check_startable(
    application: Application, job: JobDescription, check: Callable[[JobDescription], None], streams: Streams
) -> None:
    """Refuse a job that cannot run, before anything starts; names a restart of the account in between as the cause.

    ``check`` is the data plane's. Raises ApiError (InvalidArgumentException).
    """
    try:
        check(job)
    except ApplicationRefused as refused:
        raise invalid(_restarted(application, str(refused)) if application.restored else str(refused)) from refused
    missing = _missing_stream(job, streams) if application.restored else None
    if missing:
        raise invalid(_restarted(application, f"there is no stream {missing}"))


def _missing_stream(job: JobDescription, streams: Streams) -> str | None:
    """Find a stream that the runtime properties name, by the convention of AWS's examples, and that does not exist."""
    for properties in job.property_groups.values():
        for key, value in properties.items():
            name = value.rpartition("stream/")[2]
            if key.endswith(("stream.name", "stream.arn")) and not streams.exists(name):
                return name
    return None


def _restarted(application: Application, reason: str) -> str:
    return (
        f"The embedded account was restarted since {application.name} last ran, and its buckets, objects and streams "
        f"are gone; create them again, then start it ({reason.rstrip('.')})."
    )
