"""Wait for a status on AWS, with one line a change, and end when it cannot be reached any more."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from lab.core.cell_outputs import mark_timing
from lab.core.errors import LabError


class WaitedInVain(LabError):
    """Say that a status was not reached in time, or cannot be reached any more."""


class NotYet(WaitedInVain):
    """Say that a status was not reached in the time given, and may still be."""


def stream_active(kinesis: Any, name: str, timeout: float = 120.0) -> str:
    """Wait until a stream is ACTIVE; returns its status."""
    return _until(
        lambda: kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamStatus"],
        "ACTIVE",
        f"the stream {name}",
        timeout,
    )


def stream_encrypted(kinesis: Any, name: str) -> str:
    """Wait for a stream and encrypt it with the key AWS holds for Kinesis; returns its status.

    The key is free and its use costs a few cents a day at most; on the way a stream is UPDATING, so wait again.
    """
    stream_active(kinesis, name)
    if kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["EncryptionType"] == "NONE":
        kinesis.start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    return stream_active(kinesis, name)


def function_active(lambda_: Any, name: str, timeout: float = 120.0) -> str:
    """Wait until a function is Active and its last update went through; returns its state."""

    def state() -> str:
        configuration = lambda_.get_function_configuration(FunctionName=name)
        if configuration.get("State") == "Failed" or configuration.get("LastUpdateStatus") == "Failed":
            reason = configuration.get("StateReason") or configuration.get("LastUpdateStatusReason")
            raise WaitedInVain(f"The function {name} could not be made ready ({reason}); correct it and run again.")
        if configuration.get("LastUpdateStatus", "Successful") != "Successful":
            return "Updating"
        return configuration.get("State", "Active")

    return _until(state, "Active", f"the function {name}", timeout)


def application_status(flink: Any, name: str, until: str, timeout: float = 900.0) -> str:
    """Wait until the application has the status ``until`` ("RUNNING" or "READY"); prints each change with its time.

    Raises NotYet after ``timeout`` seconds, WaitedInVain with the cause from the application's log stream where a start
    fails (it goes back to READY).
    """
    began = time.monotonic()
    last = ""
    while True:
        detail = flink.describe_application(ApplicationName=name)["ApplicationDetail"]
        status = detail["ApplicationStatus"]
        if status != last:
            print(f"{time.monotonic() - began:6.1f} s  {status}")  # noqa: T201
        if status == until:
            if until == "RUNNING" and last:
                mark_timing("StartApplication to RUNNING", time.monotonic() - began)
            if until == "RUNNING" and not last and (complaint := complaint_since_running(detail)):
                print(f"The application {name} is RUNNING, but since then: {complaint}")  # noqa: T201
            return status
        if until == "RUNNING" and status == "READY" and (last == "STARTING" or time.monotonic() - began > 2):
            raise WaitedInVain(f"The application {name} did not start: {failure_cause(detail)}")
        if time.monotonic() - began > timeout:
            still = f"The application {name} is still {status} after {timeout:.0f} seconds, not {until}"
            raise NotYet(f"{still}: run `lab.diagnose()` to see why.")
        last = status
        time.sleep(0.2 if time.monotonic() - began < 60 else 2)


def failure_cause(detail: dict[str, Any]) -> str:
    """Say in one sentence why the last start failed, from the application's log stream; or where to look."""
    group = log_names(detail)[0]
    if not group:
        return "it has no CloudWatch logging option, so the cause is not kept; add one and start again."
    try:
        return newest_error(detail) or f"no error is in the log group {group} yet; look there in a minute."
    except ClientError as error:
        return f"its log group {group} cannot be read ({error.response['Error']['Code']})."


def complaint_since_running(detail: dict[str, Any]) -> str:
    """Read the first error of its service in the log stream since the application was RUNNING; empty without one.

    The embedded account writes such lines (logger "managed-flink"); AWS writes none.
    """
    first = ""
    with suppress(ClientError):  # nobody may read the log, or it is not there yet
        for fields in _newest_messages(detail):
            if fields.get("logger") != "managed-flink":
                continue
            if str(fields.get("message", "")).startswith("The application is RUNNING"):
                break
            if fields.get("messageType") == "ERROR":
                first = str(fields.get("message"))
    return first


def newest_error(detail: dict[str, Any]) -> str:
    """Read the newest error of the application's log stream; empty where it ran or was stopped after that."""
    for fields in _newest_messages(detail):
        if fields.get("messageType") == "ERROR" and fields.get("message"):
            return str(fields["message"])
        if fields.get("logger") == "managed-flink":
            return ""
    return ""


def _newest_messages(detail: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the JSON messages of the application's log stream, newest first; none where it has no log stream."""
    import boto3

    group, stream = log_names(detail)
    asked = {"logGroupName": group, "logStreamName": stream, "startFromHead": False, "limit": 1000}
    for event in reversed(boto3.client("logs").get_log_events(**asked)["events"] if group else []):
        try:
            fields = json.loads(event["message"])
        except ValueError:
            continue
        if isinstance(fields, dict):
            yield fields


def log_names(detail: dict[str, Any]) -> tuple[str, str]:
    """Name log group and log stream of the application's logging option; both empty where it has none."""
    options = detail.get("CloudWatchLoggingOptionDescriptions", [])
    arn = options[0]["LogStreamARN"] if options else ""
    group, _, stream = arn.partition(":log-group:")[2].partition(":log-stream:")
    return group, stream


def _until(ask: Callable[[], str], wanted: str, what: str, timeout: float) -> str:
    deadline = time.monotonic() + timeout
    while True:
        found = ask()
        if found == wanted:
            return found
        if time.monotonic() > deadline:
            raise NotYet(f"Waited {timeout:.0f} seconds for {what} to be {wanted}; it is {found}. Run this cell again.")
        time.sleep(0.2)
