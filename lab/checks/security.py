"""The checks of the security defaults: of the landing zone and the streams, the function, and the application."""

from collections.abc import Iterable
from contextlib import AbstractContextManager

import boto3

from lab.account.security import (
    application_faults,
    bucket_faults,
    function_faults,
    log_group_faults,
    stream_faults,
)
from lab.checks.check import Finding, Lab, register
from lab.core.aws_errors import plain_words
from lab.core.errors import StepMissing
from lab.core.names import APPLICATION, EXERCISE_STREAM, FUNCTION, INPUT_STREAM, LOG_GROUPS, OUTPUT_STREAM


@register("01_streams", "Landing zone and streams are closed, encrypted and tagged", 5)
def raw_data(lab: Lab) -> Finding:
    bucket = lab.session.landing_zone
    with _asking(lab, "01_streams", bucket):
        streams = [INPUT_STREAM, OUTPUT_STREAM]
        streams += [EXERCISE_STREAM] if _stream_exists(EXERCISE_STREAM) else []
        faults = [*bucket_faults(bucket), *(fault for name in streams for fault in stream_faults(name))]
    return _finding(f"the bucket {bucket} and the streams {', '.join(streams)}", faults, "01_streams")


@register("02_producer", "The function is tagged and private, its log forgets", 5)
def function_and_log(lab: Lab) -> Finding:
    with _asking(lab, "02_producer", FUNCTION):
        faults = [*function_faults(FUNCTION), *log_group_faults(LOG_GROUPS[0])]
    return _finding(f"{FUNCTION} and {LOG_GROUPS[0]}", faults, "02_producer")


@register("03_flink_job", "The application's bucket is closed, all of it is tagged, its log forgets", 5)
def application_and_bucket(lab: Lab) -> Finding:
    bucket = lab.session.flink_bucket
    with _asking(lab, "03_flink_job", APPLICATION):
        faults = [*bucket_faults(bucket), *application_faults(), *log_group_faults(LOG_GROUPS[1])]
    return _finding(f"the bucket {bucket}, {APPLICATION} and {LOG_GROUPS[1]}", faults, "03_flink_job")


def _stream_exists(name: str) -> bool:
    """Asked for by name: ListStreams answers a hundred names at a time, and an account may hold more."""
    kinesis = boto3.client("kinesis")
    try:
        kinesis.describe_stream_summary(StreamName=name)
    except kinesis.exceptions.ResourceNotFoundException:
        return False
    return True


def _asking(lab: Lab, notebook: str, name: str) -> AbstractContextManager[None]:
    missing = StepMissing(f"{name}, or what belongs to it, does not exist", notebook)
    return plain_words(f"looking at the settings of {name}", lab.session.endpoint, gone=missing)


def _finding(looked: str, faults: Iterable[str], notebook: str) -> Finding:
    said = "; ".join(faults)
    if said:
        return Finding(False, looked, f"{said[:1].upper()}{said[1:]}, or run {notebook} again.")
    return Finding(True, looked, "Nothing is open, unencrypted, untagged or kept for ever.")
