"""Bring an application of an earlier run up to date, so that running 03_flink_job twice is no error."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lab.core.names import APPLICATION_ZIP
from lab.flink.waiters import application_status

_ON_ITS_WAY_DOWN = ("READY", "STOPPING", "FORCE_STOPPING")


def bring_up_to_date(flink: Any, name: str, package: Path, parallelism: int) -> dict[str, Any]:
    """Give an application this zip and this parallelism; return its description.

    One that has both is left alone, running or not. Another one is stopped first, because an update of what runs would
    start it again by itself, and from a savepoint.
    """
    application = flink.describe_application(ApplicationName=name)["ApplicationDetail"]
    if not _same(application, package, parallelism):
        stop(flink, application)
        subtasks = {"ParallelismUpdate": parallelism, "ParallelismPerKPUUpdate": min(parallelism, 8)}
        zip_again = {"CodeContentUpdate": {"S3ContentLocationUpdate": {"FileKeyUpdate": APPLICATION_ZIP}}}
        application = flink.update_application(
            ApplicationName=name,
            CurrentApplicationVersionId=application["ApplicationVersionId"],
            ApplicationConfigurationUpdate={
                "FlinkApplicationConfigurationUpdate": {"ParallelismConfigurationUpdate": subtasks},
                "ApplicationCodeConfigurationUpdate": zip_again,
            },
        )["ApplicationDetail"]
    print(f"{name}: {application['ApplicationStatus']}, version {application['ApplicationVersionId']}")  # noqa: T201
    return application


def _same(application: Mapping[str, Any], package: Path, parallelism: int) -> bool:
    configuration = application["ApplicationConfigurationDescription"]
    flink = configuration["FlinkApplicationConfigurationDescription"]["ParallelismConfigurationDescription"]
    known = configuration["ApplicationCodeConfigurationDescription"]["CodeContentDescription"].get("CodeMD5")
    found = hashlib.md5(package.read_bytes(), usedforsecurity=False).hexdigest()
    return flink["Parallelism"] == parallelism and known in (None, found)


def may_configure(application: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether an application waits to be started and has other runtime properties than these groups."""
    return application["ApplicationStatus"] == "READY" and _groups(application) != list(groups)


def property_table(application: Mapping[str, Any]) -> pd.DataFrame:
    """Return the runtime properties as the console lists them: DataFrame[Group ID, Key, Value]."""
    rows = [
        (group["PropertyGroupId"], key, value)
        for group in _groups(application)
        for key, value in sorted(group["PropertyMap"].items())
    ]
    return pd.DataFrame(rows, columns=["Group ID", "Key", "Value"])


def _groups(application: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    configuration = application["ApplicationConfigurationDescription"]
    return configuration.get("EnvironmentPropertyDescriptions", {}).get("PropertyGroupDescriptions", [])


def stop(flink: Any, application: Mapping[str, Any]) -> None:
    """Stop an application without a snapshot and wait until it is READY; one that is stopped already stays so."""
    name = application["ApplicationName"]
    if application["ApplicationStatus"] not in _ON_ITS_WAY_DOWN:
        flink.stop_application(ApplicationName=name, Force=True)
    application_status(flink, name, until="READY")


def stopped(flink: Any, name: str) -> dict[str, Any] | None:
    """Stop an application so that it can be deleted; its description, or None where it is gone or being deleted."""
    try:
        application = flink.describe_application(ApplicationName=name)["ApplicationDetail"]
    except flink.exceptions.ResourceNotFoundException:
        return None
    if application["ApplicationStatus"] == "DELETING":
        return None
    stop(flink, application)
    return application
