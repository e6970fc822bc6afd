"""Read what the running job and the application's log say, for `lab.diagnose`."""

import re
import time
from dataclasses import dataclass
from typing import Any

import pandas as pd
from botocore.exceptions import ClientError

from lab.checks.pipeline import Pipeline
from lab.core.names import OUTPUT_STREAM
from lab.core.tables import cell
from lab.flink.rest import Dashboard
from lab.flink.waiters import newest_error

RECENT_MS = 60_000  # a job that failed twice and last within this time is restarting, though it may be RUNNING just now
LONGEST = 240  # characters of a cause within a sentence
NO_WATERMARK = -(2**63)


@dataclass(frozen=True)
class Failures:
    """Count the newest job's failures, with the cause of the first one and whether they go on."""

    count: int = 0
    first: str = ""
    again_and_again: bool = False


def failures(dashboard: Dashboard) -> Failures:
    """Read the failures Flink keeps of the newest job (it keeps the last 16)."""
    jobs = dashboard.jobs()
    if not jobs:
        return Failures()
    history = dashboard.get(f"/jobs/{jobs[0]['jid']}/exceptions?maxExceptions=100").get("exceptionHistory", {})
    entries = sorted(history.get("entries", []), key=lambda entry: entry["timestamp"])
    if not entries:
        return Failures()
    recent = time.time() * 1000 - entries[-1]["timestamp"] < RECENT_MS
    return Failures(len(entries), root_cause(entries[0]["stacktrace"]), len(entries) > 1 and recent)


def root_cause(trace: str) -> str:
    """Return the last cause of a Java stack trace: its class without the package, and its message."""
    heads = [line for line in trace.splitlines() if line and not line[0].isspace() and not line.startswith("...")]
    causes = [line for line in heads if line.startswith("Caused by: ")] or heads[:1]
    cause = causes[-1].removeprefix("Caused by: ") if causes else "an unknown cause"
    cause = re.sub(r"^(?:[a-z_0-9]+\.)+(?=[A-Z])", "", cause).rstrip(".: ")
    return cause if len(cause) <= LONGEST else cause[: LONGEST - 1] + "…"


def readable_dashboard(lab: Pipeline) -> Dashboard | None:
    """Take the Flink dashboard; None where it does not answer a program, or the account gives no URL."""
    try:
        return lab.dashboard
    except ClientError:
        return None


def refused_records(dashboard: Dashboard | None) -> int:
    """Count the records that the first output's sink could not send (numRecordsSendErrors); 0 where nobody tells."""
    job = dashboard.running_job() if dashboard else None
    if dashboard is None or job is None:
        return 0
    return dashboard.records_taken(job["jid"], OUTPUT_STREAM, "numRecordsSendErrors") or 0


def slowest_subtasks(dashboard: Dashboard | None) -> str:
    """Say which subtasks hold the watermark, as the end of a sentence; empty where nobody tells."""
    job = dashboard.running_job() if dashboard else None
    if dashboard is None or job is None:
        return ""
    for vertex in dashboard.vertices(job["jid"]):
        if "window" not in vertex["name"].lower():
            continue
        answer = dashboard.get(f"/jobs/{job['jid']}/vertices/{vertex['id']}/watermarks")
        values = {int(one["id"].partition(".")[0]): int(one["value"]) for one in answer}
        reached = [values.get(subtask, NO_WATERMARK) for subtask in range(vertex["parallelism"])]
        lowest = min(reached)
        numbers = ", ".join(str(subtask) for subtask, value in enumerate(reached) if value == lowest)
        stands = "none yet" if lowest == NO_WATERMARK else cell(pd.Timestamp(lowest, unit="ms"))
        return f" (in Flink: {stands} at subtask {numbers} of {len(reached)} of the window operator)"
    return ""


def without_watermark(dashboard: Dashboard | None) -> bool:
    """Say whether a job runs that has no watermark yet; False where nobody tells."""
    job = dashboard.running_job() if dashboard else None
    return dashboard is not None and job is not None and dashboard.watermark(job["jid"]) is None


def last_complaint(detail: dict[str, Any]) -> str:
    """Read why the last start failed from the application's log stream; empty where nothing says so."""
    try:
        return newest_error(detail).strip().partition("\n")[0].rstrip(".")[:LONGEST]
    except ClientError:
        return ""
