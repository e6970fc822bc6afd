"""Describe what both planes share: an application's key, the job that is to run, the services of its account."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

RUN_OPTIONS = "kinesis.analytics.flink.run.options"  # the property group of a Python application's run options


@dataclass(frozen=True)
class ApplicationKey:
    """Name one application: account (12 digits), region and name."""

    account: str
    region: str
    name: str

    def __str__(self) -> str:
        return f"{self.account}-{self.region}-{self.name}"

    @staticmethod
    def of_name(name: str) -> re.Pattern[str]:
        """Return what matches the text of each key with this name, whatever its account and region."""
        return re.compile(rf"\d{{12}}-[a-z]+(-[a-z]+)+-\d+-{re.escape(name)}")


class Streams(Protocol):
    """Describe the Kinesis streams of an application's account and region."""

    def exists(self, name: str) -> bool: ...

    def open_shards(self, name: str) -> Iterable[str]: ...


class Services(Protocol):
    """Describe what both planes need of the account around them: objects of S3, and streams."""

    def fetch_object(self, key: ApplicationKey, bucket: str, name: str, version: str | None) -> bytes | None: ...

    def streams(self, key: ApplicationKey) -> Streams: ...


@dataclass(frozen=True)
class RunOptions:
    """Describe the run options of a Python application.

    Paths are relative to the zip's root, ``python`` may be empty.
    """

    python: str
    jarfile: str | None = None
    python_files: tuple[str, ...] = ()
    python_archives: tuple[str, ...] = ()


@dataclass(frozen=True)
class JobDescription:
    """Describe one version of an application as the data plane is to run it.

    ``property_groups`` are key -> value by group id; ``object_key`` is empty where the application has no code,
    ``log_group`` and ``log_stream`` where it has no log.
    """

    key: ApplicationKey
    arn: str
    version: int
    runtime: str
    bucket: str
    object_key: str
    object_version: str | None
    property_groups: dict[str, dict[str, str]]
    parallelism: int
    parallelism_per_kpu: int
    checkpointing: bool
    checkpoint_interval_ms: int
    min_pause_ms: int
    allow_non_restored_state: bool
    log_group: str
    log_stream: str

    @property
    def slots(self) -> int:
        """Multiply KPUs by ParallelismPerKPU, as Managed Flink allots slots."""
        return math.ceil(self.parallelism / self.parallelism_per_kpu) * self.parallelism_per_kpu

    @property
    def run_options(self) -> RunOptions:
        """Return the run options among the property groups."""
        given = {name: value.strip() for name, value in self.property_groups.get(RUN_OPTIONS, {}).items()}
        return RunOptions(
            python=given.get("python", ""),
            jarfile=given.get("jarfile") or None,
            python_files=_paths(given.get("pyFiles", "")),
            python_archives=_paths(given.get("pyArchives", "")),
        )


def _paths(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
