"""Read what the running job and the application's log say, for `lab.diagnose`."""

import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

from lab.checks.pipeline import Pipeline
from lab.core.tables import cell
from lab.flink.rest import Dashboard, DashboardSilent

RECENT_MS = 60_000  # a job that failed twice and last within this time is restarting, though it may be RUNNING just now
LONGEST = 240  # characters of a cause within a sentence
NO_WATERMARK = -(2**63)


@dataclass(frozen=True)
class Failures:
    """The newest job's failures: how many, the cause of the first one, and whether they go on."""

    count: int = 0
    first: str = ""
    again_and_again: bool = False


def failures(dashboard: Dashboard) -> Failures:
    """The failures Flink keeps of the newest job (it keeps the last 16)."""
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
    """The last cause of a Java stack trace: its class without the package, and its message."""
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


def late_rows(dashboard: Dashboard | None) -> int | None:
    """Flink's own count of rows dropped as late; None where it cannot be asked."""
    if dashboard is None:
        return None
    try:
        job = dashboard.running_job()
        return None if job is None else int(dashboard.metric_sum(job["jid"], "numLateRecordsDropped"))
    except DashboardSilent:
        return None


def watermarks(dashboard: Dashboard) -> dict[str, list[datetime | None]]:
    """The watermark of each subtask of each operator, UTC without offset; None for one that has none yet."""
    job = dashboard.running_job()
    if job is None:
        return {}
    found = {}
    for vertex in dashboard.vertices(job["jid"]):
        values = dashboard.get(f"/jobs/{job['jid']}/vertices/{vertex['id']}/watermarks")
        by_subtask: list[datetime | None] = [None] * vertex["parallelism"]
        for one in values:
            subtask, millis = int(one["id"].partition(".")[0]), int(one["value"])
            if millis > NO_WATERMARK:
                by_subtask[subtask] = datetime.fromtimestamp(millis / 1000, UTC).replace(tzinfo=None)
        found[vertex["name"]] = by_subtask
    return found


def slowest_subtasks(dashboard: Dashboard | None) -> str:
    """Where the watermark is lowest within the job, as the end of a sentence; empty where it cannot be asked."""
    import pandas as pd

    if dashboard is None:
        return ""
    try:
        found = watermarks(dashboard)
    except DashboardSilent:
        return ""
    for operator, times in found.items():
        if "Window" not in operator and "window" not in operator:
            continue
        lowest = min(times, key=lambda moment: moment or datetime.min)
        numbers = ", ".join(str(index) for index, moment in enumerate(times) if moment == lowest)
        stands = "none yet" if lowest is None else cell(pd.Timestamp(lowest))
        return f" (in Flink: {stands} at subtask {numbers} of {len(times)} of the window operator)"
    return ""


def last_complaint(detail: dict[str, Any]) -> str:
    """Why the last start failed, from the application's log stream; empty where its last word is no error."""
    for option in detail.get("CloudWatchLoggingOptionDescriptions", []):
        found = re.search(r":log-group:(.+?):log-stream:(.+)$", option["LogStreamARN"])
        if not found:
            continue
        try:
            events = boto3.client("logs").get_log_events(
                logGroupName=found[1], logStreamName=found[2], startFromHead=False, limit=1000
            )["events"]
        except ClientError:
            continue
        return _last_error(events)
    return ""


def _last_error(events: list[dict[str, Any]]) -> str:
    for event in reversed(events):
        try:
            fields = json.loads(event["message"])
        except ValueError:
            continue
        if fields.get("messageType") == "ERROR":
            return str(fields.get("message", "")).strip().partition("\n")[0].rstrip(".")[:LONGEST]
        if fields.get("logger") == "managed-flink":
            return ""  # it ran or was stopped after that
    return ""
