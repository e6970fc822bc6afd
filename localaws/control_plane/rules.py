"""Refuse what Managed Flink refuses beyond the shapes of the API, and what the local account does not run."""

import math
from typing import Any

from localaws.control_plane.errors import ApiError, invalid
from localaws.control_plane.model import Application
from localaws.flink_cluster.distribution import EARLIER_RUNTIMES, RUNTIME

MAX_KPUS = 64  # quota of an application (developer guide, "Managed Service for Apache Flink quota")
MAX_PER_KPU = 8
MAX_TAGS = 50
MAX_GROUPS = 50
MAX_SNAPSHOTS = 1_000


def check_runtime(runtime: str) -> None:
    """Refuse a runtime that the local Flink cannot stand for, with what to change."""
    if runtime in (RUNTIME, *EARLIER_RUNTIMES):
        return
    why = f"The local account runs applications of {', '.join((*EARLIER_RUNTIMES, RUNTIME))}, not {runtime}"
    if runtime.startswith("FLINK-2"):
        raise invalid(
            f"{why}: Flink 2 needs Python 3.12 and a Kinesis connector for Flink 2, and neither is here. Use {RUNTIME}."
        )
    if runtime.startswith("FLINK-1"):
        raise invalid(
            f"{why}: the Table API of Flink 1.18 took out what earlier code uses. Set RuntimeEnvironment to {RUNTIME}, "
            "put flink-connector-kinesis 4.3.0-1.19 into the zip, and write string expressions (such as '1.minutes') "
            "as SQL or with pyflink.table.expressions."
        )
    raise invalid(f"{why}: set RuntimeEnvironment to {RUNTIME}.")


def check_mode(mode: object) -> None:
    if mode not in (None, "STREAMING"):
        raise invalid(f"The local account runs applications of the mode STREAMING only, not {mode}.")


def check_configuration(configuration: dict[str, Any]) -> None:
    """Refuse a configuration (in CreateApplication's shape) that could not run."""
    for section in ("SqlApplicationConfiguration", "ZeppelinApplicationConfiguration"):
        if section in configuration:
            raise invalid(f"{section} is not for applications of the runtime {RUNTIME}; leave it out.")
    _check_code(configuration.get("ApplicationCodeConfiguration"))
    flink = configuration.get("FlinkApplicationConfiguration", {})
    _check_parallelism(flink.get("ParallelismConfiguration", {}))
    _check_properties(configuration.get("EnvironmentProperties", {}).get("PropertyGroups", []))


def _check_code(code: dict[str, Any] | None) -> None:
    if code is None:
        return
    content = code.get("CodeContent", {})
    if code.get("CodeContentType") != "ZIPFILE" or set(content) != {"S3ContentLocation"}:
        raise invalid(
            "An application's code is a ZIPFILE in S3; give ApplicationCodeConfiguration the CodeContentType ZIPFILE "
            "and a CodeContent with S3ContentLocation alone."
        )
    location = content["S3ContentLocation"]
    if not str(location.get("BucketARN", "")).startswith("arn:aws:s3:::") or not location.get("FileKey"):
        raise invalid(f"S3ContentLocation needs a BucketARN like arn:aws:s3:::bucket and a FileKey, not {location}.")


def _check_parallelism(section: dict[str, Any]) -> None:
    if section.get("ConfigurationType") != "CUSTOM":
        return
    per_kpu, parallelism = section.get("ParallelismPerKPU", 1), section.get("Parallelism", 1)
    if not 1 <= per_kpu <= MAX_PER_KPU:
        raise invalid(f"ParallelismPerKPU must be between 1 and {MAX_PER_KPU}, not {per_kpu}.")
    kpus = math.ceil(parallelism / per_kpu)
    if kpus > MAX_KPUS:
        raise ApiError(
            "LimitExceededException",
            f"A parallelism of {parallelism} with {per_kpu} for each KPU takes {kpus} KPUs, and an application may "
            f"have {MAX_KPUS}.",
        )


def _check_properties(groups: list[dict[str, Any]]) -> None:
    ids = [group["PropertyGroupId"] for group in groups]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise invalid(f"The property group {twice[0]} is given {ids.count(twice[0])} times; give each group once.")
    if len(groups) > MAX_GROUPS:
        raise invalid(f"An application has at most {MAX_GROUPS} property groups, not {len(groups)}.")


def check_tags(tags: dict[str, str]) -> None:
    if len(tags) > MAX_TAGS:
        raise ApiError("TooManyTagsException", f"An application has at most {MAX_TAGS} tags, not {len(tags)}.")


def check_concurrency(application: Application, data: dict[str, Any]) -> None:
    """Raise ConcurrentModificationException for an old version id or token; one of the two must be given."""
    version, token = data.get("CurrentApplicationVersionId"), data.get("ConditionalToken")
    if version is None and token is None:
        raise invalid("Either CurrentApplicationVersionId or ConditionalToken must be provided.")
    if version is not None and version != application.current.number:
        raise ApiError(
            "ConcurrentModificationException",
            f"The application {application.name} is at version {application.current.number}, not {version}; call "
            "DescribeApplication for the current version id.",
        )
    if token is not None and token != application.token:
        raise ApiError(
            "ConcurrentModificationException",
            f"The conditional token is not the current one of {application.name}; call DescribeApplication for it.",
        )


def check_timestamp(what: str, given: object, actual: int, operation: str) -> None:
    if not isinstance(given, (int, float)) or abs(given - actual) >= 1:
        raise ApiError(
            "ConcurrentModificationException" if what == "application" else "InvalidArgumentException",
            f"The {what} has a different creation timestamp than the one you provided; call {operation} for it.",
        )
