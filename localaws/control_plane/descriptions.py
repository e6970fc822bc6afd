"""Describe applications, snapshots and operations in the shapes the API answers with."""

import copy
from typing import Any

from localaws.control_plane.model import Application, Operation, Snapshot, Version
from localaws.job_description import JobDescription

# What ConfigurationType DEFAULT means, by the developer guide of Managed Service for Apache Flink.
_CHECKPOINTS = {"CheckpointingEnabled": True, "CheckpointInterval": 60_000, "MinPauseBetweenCheckpoints": 5_000}
_MONITORING = {"MetricsLevel": "APPLICATION", "LogLevel": "INFO"}
_PARALLELISM = {"Parallelism": 1, "ParallelismPerKPU": 1, "AutoScalingEnabled": True}
_MAINTENANCE_HOURS = 8

Data = dict[str, Any]


def application_detail(application: Application, version: Version | None = None) -> dict[str, Any]:
    """Build the ApplicationDetail of the current version or of an earlier one."""
    shown = version or application.current
    detail = {
        "ApplicationARN": application.arn,
        "ApplicationName": application.name,
        "RuntimeEnvironment": shown.runtime,
        "ServiceExecutionRole": shown.role,
        "ApplicationStatus": application.status if shown is application.current else shown.status,
        "ApplicationVersionId": shown.number,
        "CreateTimestamp": application.created,
        "LastUpdateTimestamp": application.updated if shown is application.current else shown.created,
        "ApplicationVersionCreateTimestamp": shown.created,
        "ApplicationMode": application.mode,
        "ConditionalToken": application.token,
        "ApplicationConfigurationDescription": _configuration(application, shown),
        "CloudWatchLoggingOptionDescriptions": copy.deepcopy(shown.logging),
        "ApplicationMaintenanceConfigurationDescription": maintenance(application),
    }
    optional = {
        "ApplicationDescription": application.description,
        "ApplicationVersionUpdatedFrom": shown.updated_from,
        "ApplicationVersionRolledBackFrom": shown.rolled_back_from,
        "ApplicationVersionRolledBackTo": shown.rolled_back_to,
    }
    return detail | {name: value for name, value in optional.items() if value is not None}


def job_description(
    application: Application, version: Version | None = None, run: Data | None = None
) -> JobDescription:
    """Describe the job of a version (the current one) for the data plane; ``run`` is a RunConfiguration to come."""
    version, run = version or application.current, application.run_configuration if run is None else run
    flink = version.configuration.get("FlinkApplicationConfiguration", {})
    parallelism = _with_defaults(flink.get("ParallelismConfiguration"), _PARALLELISM)
    checkpoints = _with_defaults(flink.get("CheckpointConfiguration"), _CHECKPOINTS)
    code = version.configuration.get("ApplicationCodeConfiguration", {}).get("CodeContent", {})
    location = code.get("S3ContentLocation", {})
    groups = version.configuration.get("EnvironmentProperties", {}).get("PropertyGroups", [])
    # An application has at most one option: arn:aws:logs:region:account:log-group:GROUP:log-stream:STREAM
    log_arn = version.logging[0]["LogStreamARN"] if version.logging else ""
    log_group, _, log_stream = log_arn.partition(":log-group:")[2].partition(":log-stream:")
    return JobDescription(
        key=application.key,
        arn=application.arn,
        version=version.number,
        runtime=version.runtime,
        bucket=location.get("BucketARN", "").rpartition(":::")[2],
        object_key=location.get("FileKey", ""),
        object_version=location.get("ObjectVersion"),
        property_groups={group["PropertyGroupId"]: dict(group["PropertyMap"]) for group in groups},
        parallelism=parallelism["Parallelism"],
        parallelism_per_kpu=parallelism["ParallelismPerKPU"],
        checkpointing=checkpoints["CheckpointingEnabled"],
        checkpoint_interval_ms=checkpoints["CheckpointInterval"],
        min_pause_ms=checkpoints["MinPauseBetweenCheckpoints"],
        allow_non_restored_state=bool(run.get("FlinkRunConfiguration", {}).get("AllowNonRestoredState")),
        log_group=log_group,
        log_stream=log_stream,
    )


def application_summary(application: Application) -> dict[str, Any]:
    return {
        "ApplicationName": application.name,
        "ApplicationARN": application.arn,
        "ApplicationStatus": application.status,
        "ApplicationVersionId": application.current.number,
        "RuntimeEnvironment": application.current.runtime,
        "ApplicationMode": application.mode,
    }


def snapshot_details(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "SnapshotName": snapshot.name,
        "SnapshotStatus": snapshot.status,
        "ApplicationVersionId": snapshot.version,
        "SnapshotCreationTimestamp": snapshot.created,
        "RuntimeEnvironment": snapshot.runtime,
        "ApplicationEncryptionConfigurationDescription": {"KeyType": "AWS_OWNED_KEY"},
    }


def operation_info(operation: Operation) -> dict[str, Any]:
    """Build ApplicationOperationInfo; EndTime, which AWS requires, is StartTime while it is in progress."""
    return {
        "Operation": operation.name,
        "OperationId": operation.id,
        "StartTime": operation.started,
        "EndTime": operation.ended or operation.started,
        "OperationStatus": operation.status,
    }


def operation_details(operation: Operation) -> dict[str, Any]:
    details = operation_info(operation)
    del details["OperationId"]
    if operation.from_version and operation.to_version:
        details["ApplicationVersionChangeDetails"] = {
            "ApplicationVersionUpdatedFrom": operation.from_version,
            "ApplicationVersionUpdatedTo": operation.to_version,
        }
    if operation.error:
        details["OperationFailureDetails"] = {"ErrorInfo": {"ErrorString": operation.error}}
    return details


def maintenance(application: Application) -> dict[str, str]:
    hour, minute = application.maintenance_start.split(":")
    return {
        "ApplicationMaintenanceWindowStartTime": application.maintenance_start,
        "ApplicationMaintenanceWindowEndTime": f"{(int(hour) + _MAINTENANCE_HOURS) % 24:02d}:{minute}",
    }


def _configuration(application: Application, version: Version) -> dict[str, Any]:
    given = version.configuration
    flink = given.get("FlinkApplicationConfiguration", {})
    parallelism = _with_defaults(flink.get("ParallelismConfiguration"), _PARALLELISM)
    described: dict[str, Any] = {
        "FlinkApplicationConfigurationDescription": {
            "CheckpointConfigurationDescription": _with_defaults(flink.get("CheckpointConfiguration"), _CHECKPOINTS),
            "MonitoringConfigurationDescription": _with_defaults(flink.get("MonitoringConfiguration"), _MONITORING),
            "ParallelismConfigurationDescription": parallelism | {"CurrentParallelism": parallelism["Parallelism"]},
        },
        "ApplicationSnapshotConfigurationDescription": {"SnapshotsEnabled": version.snapshots_enabled},
        "ApplicationSystemRollbackConfigurationDescription": {"RollbackEnabled": version.rollback_enabled},
        "ApplicationEncryptionConfigurationDescription": {
            "KeyType": "AWS_OWNED_KEY",
            **given.get("ApplicationEncryptionConfiguration", {}),
        },
    }
    if "ApplicationCodeConfiguration" in given:
        code = given["ApplicationCodeConfiguration"]
        location = code.get("CodeContent", {}).get("S3ContentLocation", {})
        described["ApplicationCodeConfigurationDescription"] = {
            "CodeContentType": code.get("CodeContentType", "ZIPFILE"),
            "CodeContentDescription": {"S3ApplicationCodeLocationDescription": dict(location), **version.code},
        }
    if "EnvironmentProperties" in given:
        groups = given["EnvironmentProperties"].get("PropertyGroups", [])
        described["EnvironmentPropertyDescriptions"] = {"PropertyGroupDescriptions": copy.deepcopy(groups)}
    if application.run_configuration:
        run = application.run_configuration
        described["RunConfigurationDescription"] = {
            "ApplicationRestoreConfigurationDescription": run.get(
                "ApplicationRestoreConfiguration", {"ApplicationRestoreType": "RESTORE_FROM_LATEST_SNAPSHOT"}
            ),
            "FlinkRunConfigurationDescription": run.get("FlinkRunConfiguration", {"AllowNonRestoredState": False}),
        }
    return described


def _with_defaults(section: dict[str, Any] | None, defaults: dict[str, Any]) -> dict[str, Any]:
    """Fill in defaults; with ConfigurationType DEFAULT they replace whatever else was given."""
    if not section or section.get("ConfigurationType", "DEFAULT") == "DEFAULT":
        return {"ConfigurationType": "DEFAULT", **defaults}
    given = {name: section[name] for name in defaults if section.get(name) is not None}
    return {"ConfigurationType": "CUSTOM", **defaults, **given}
