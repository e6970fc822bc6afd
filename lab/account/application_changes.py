"""Bring an application of an earlier run up to date, so that running 03_flink_job twice is no error.

What runs is never taken silently for what stands in the folder and in the notebook: another zip, parallelism or
property is changed, or refused with the cells to run.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
import pandas as pd

from lab.core.errors import BadParameter, LabError
from lab.core.names import APPLICATION_ZIP
from lab.core.zips import open_zip
from lab.deploy.flink_zip import SOURCE, edited_file, has_zip
from lab.flink.waiters import application_status

_ON_ITS_WAY_DOWN = ("READY", "STOPPING", "FORCE_STOPPING")


class Outdated(LabError):
    """Say that what runs or would be started is not what stands in the folder and in the notebook."""

    def __init__(self, what: str, cells: str) -> None:
        super().__init__(f"{what}: run the cells of {cells} again, then this cell.")


def require_parallelism(parallelism: Any) -> None:
    """Raise BadParameter where the parallelism is no whole number of at least 1."""
    if type(parallelism) is not int or parallelism < 1:
        hint = "give a whole number of at least 1, without quotes, such as 4"
        raise BadParameter("parallelism", parallelism, hint)


def bring_up_to_date(flink: Any, name: str, package: Path, parallelism: int) -> dict[str, Any]:
    """Give an application this zip and this parallelism; return its description.

    One that has both is left alone, running or not. Another one is stopped first, because an update of what runs would
    start it again by itself, and from a savepoint. Raises BadParameter, before anything is done.
    """
    require_parallelism(parallelism)
    application = flink.describe_application(ApplicationName=name)["ApplicationDetail"]
    if _parallelism(application) != parallelism or not has_zip(application, package.read_bytes()):
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


def _parallelism(application: Mapping[str, Any]) -> int:
    flink = application["ApplicationConfigurationDescription"]["FlinkApplicationConfigurationDescription"]
    return flink["ParallelismConfigurationDescription"]["Parallelism"]


def may_start(
    application: Mapping[str, Any],
    package: Path,
    parallelism: int,
    groups: Sequence[Mapping[str, Any]],
    folder: Path = SOURCE,
) -> bool:
    """Say whether an application (as DescribeApplication tells it) waits to be started: READY.

    Raises Outdated where what runs or would be started is older than the application's folder, has another zip, another
    parallelism or other runtime properties.
    """
    zip_cells = "'Package and upload' and 'Create the application'"
    now = "waits to be started" if application["ApplicationStatus"] == "READY" else "runs"
    with open_zip(package, package.name) as packed:
        if edited := edited_file(packed, folder):
            raise Outdated(
                f"The zip is older than the file {edited}, and the application {now} with the zip", zip_cells
            )
    if not has_zip(application, package.read_bytes()):
        raise Outdated(f"The application {now} with another zip than {package.name}", zip_cells)
    if (found := _parallelism(application)) != parallelism:
        said = f"The application {now} with parallelism {found}, and this notebook says {parallelism}"
        raise Outdated(said, "'Create the application'")
    if other := _other_property(application, groups):
        raise Outdated(f"The application {now} with {other}", "'Create the application' and 'Configure it'")
    return application["ApplicationStatus"] == "READY"


def may_configure(application: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether an application has other runtime properties than these groups; one that runs is stopped then."""
    other = _other_property(application, groups)
    if other and application["ApplicationStatus"] != "READY":
        name = application["ApplicationName"]
        print(f"{name} has {other}, so it is stopped first.")  # noqa: T201
        stop(boto3.client("kinesisanalyticsv2"), application)
    return bool(other)


def _other_property(application: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> str:
    """Name the first runtime property that is not as in these groups; empty where all are."""
    here = {group["PropertyGroupId"]: group["PropertyMap"] for group in groups}
    there = {group["PropertyGroupId"]: group["PropertyMap"] for group in _groups(application)}
    for group in sorted(here.keys() | there.keys()):
        mine, its = here.get(group, {}), there.get(group, {})
        for key in sorted(mine.keys() | its.keys()):
            if mine.get(key) != its.get(key):
                return f"{group} / {key} = {its.get(key)!r}, and this notebook says {mine.get(key)!r}"
    return ""


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
