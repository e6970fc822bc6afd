"""What the control plane's view of an application says, as typed settings."""

import math
from dataclasses import dataclass
from typing import Any

RUN_OPTIONS = "kinesis.analytics.flink.run.options"


@dataclass(frozen=True)
class ApplicationKey:
    """Names one application: account (12 digits), region and name."""

    account: str
    region: str
    name: str

    def __str__(self) -> str:
        return f"{self.account}-{self.region}-{self.name}"


@dataclass(frozen=True)
class RunOptions:
    """The run options of a Python application; paths are relative to the zip's root."""

    python: str
    jarfile: str | None
    python_files: tuple[str, ...]
    python_archives: tuple[str, ...]


@dataclass(frozen=True)
class Application:
    """One application as it is to be started."""

    key: ApplicationKey
    version: int
    arn: str
    bucket: str
    object_key: str
    object_version: str | None
    property_groups: list[dict[str, Any]]
    run_options: RunOptions
    parallelism: int
    parallelism_per_kpu: int
    checkpointing: bool
    checkpoint_interval_ms: int
    min_pause_ms: int
    allow_non_restored_state: bool
    log_group: str | None
    log_stream: str | None

    @property
    def slots(self) -> int:
        """KPUs times ParallelismPerKPU, as Managed Flink allots them."""
        return math.ceil(self.parallelism / self.parallelism_per_kpu) * self.parallelism_per_kpu

    @property
    def runtime_properties(self) -> list[dict[str, Any]]:
        """The content of application_properties.json."""
        return self.property_groups

    def job_configuration(self, folder: str) -> dict[str, str]:
        """Flink options of this application's job; state goes below ``folder`` (a path)."""
        options = {
            "execution.target": "remote",
            "execution.attached": "false",
            "parallelism.default": str(self.parallelism),
            "execution.checkpointing.dir": f"file://{folder}/checkpoints",
            "execution.checkpointing.savepoint-dir": f"file://{folder}/savepoints",
            "execution.checkpointing.num-retained": "2",
        }
        if self.checkpointing:
            options |= {
                "execution.checkpointing.interval": f"{self.checkpoint_interval_ms} ms",
                "execution.checkpointing.min-pause": f"{self.min_pause_ms} ms",
                "execution.checkpointing.mode": "EXACTLY_ONCE",
                "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
            }
        return options


def read_application(view: dict[str, Any]) -> Application:
    """Read the control plane's view (an ApplicationDetail with AccountId and Region)."""
    configuration = view["ApplicationConfigurationDescription"]
    code = configuration.get("ApplicationCodeConfigurationDescription", {}).get("CodeContentDescription", {})
    location = code.get("S3ApplicationCodeLocationDescription", {})
    flink = configuration["FlinkApplicationConfigurationDescription"]
    parallelism = flink["ParallelismConfigurationDescription"]
    checkpoint = flink["CheckpointConfigurationDescription"]
    groups = configuration.get("EnvironmentPropertyDescriptions", {}).get("PropertyGroupDescriptions", [])
    run = configuration.get("RunConfigurationDescription", {}).get("FlinkRunConfigurationDescription", {})
    group, stream = _log_names(view.get("CloudWatchLoggingOptionDescriptions") or [])
    return Application(
        key=ApplicationKey(view["AccountId"], view["Region"], view["ApplicationName"]),
        version=view["ApplicationVersionId"],
        arn=view["ApplicationARN"],
        bucket=location.get("BucketARN", "").split(":::", 1)[-1],
        object_key=location.get("FileKey", ""),
        object_version=location.get("ObjectVersion"),
        property_groups=groups,
        run_options=read_run_options(groups),
        parallelism=max(1, int(parallelism.get("Parallelism", 1))),
        parallelism_per_kpu=max(1, int(parallelism.get("ParallelismPerKPU", 1))),
        checkpointing=bool(checkpoint.get("CheckpointingEnabled", True)),
        checkpoint_interval_ms=int(checkpoint.get("CheckpointInterval", 60_000)),
        min_pause_ms=int(checkpoint.get("MinPauseBetweenCheckpoints", 5_000)),
        allow_non_restored_state=bool(run.get("AllowNonRestoredState", False)),
        log_group=group,
        log_stream=stream,
    )


def read_run_options(groups: list[dict[str, Any]]) -> RunOptions:
    """The run options among the property groups; ``python`` is empty where it was not given."""
    given: dict[str, str] = {}
    for group in groups:
        if group.get("PropertyGroupId") == RUN_OPTIONS:
            given = group.get("PropertyMap", {})
    return RunOptions(
        python=given.get("python", "").strip(),
        jarfile=given.get("jarfile", "").strip() or None,
        python_files=_paths(given.get("pyFiles", "")),
        python_archives=_paths(given.get("pyArchives", "")),
    )


def _paths(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _log_names(options: list[dict[str, str]]) -> tuple[str | None, str | None]:
    """Log group and stream of arn:aws:logs:region:account:log-group:GROUP:log-stream:STREAM."""
    for option in options:
        _, _, names = option.get("LogStreamARN", "").partition(":log-group:")
        group, _, stream = names.partition(":log-stream:")
        if group and stream:
            return group, stream
    return None, None
