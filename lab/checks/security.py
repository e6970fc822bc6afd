"""Check the security defaults: of the landing zone and the streams, of the function, and of the application."""

from collections.abc import Callable

from lab.account.security import (
    application_faults,
    bucket_faults,
    function_faults,
    log_group_faults,
    stream_faults,
)
from lab.checks.pipeline import Pipeline
from lab.checks.probe import Finding, Place, probe
from lab.core.account import required
from lab.core.errors import StepMissing
from lab.core.names import APPLICATION, EXERCISE_STREAM, FUNCTION, GROUP_STREAM, INPUT_STREAM, LOG_GROUPS, OUTPUT_STREAM


@probe("Landing zone and streams are closed, encrypted and tagged", "01_streams", 5)
def raw_data(lab: Pipeline) -> Finding:
    bucket, streams = lab.session.landing_zone, [INPUT_STREAM, OUTPUT_STREAM]
    if _exists(lab, EXERCISE_STREAM):
        streams.append(EXERCISE_STREAM)

    def faults() -> list[str]:
        return [*bucket_faults(bucket), *(fault for name in streams for fault in stream_faults(name))]

    return _settings(lab, "01_streams", bucket, f"the bucket {bucket} and the streams {', '.join(streams)}", faults)


@probe("The function is tagged and private, its log lines expire", "02_producer", 5)
def function_and_log(lab: Pipeline) -> Finding:
    def faults() -> list[str]:
        return [*function_faults(FUNCTION), *log_group_faults(LOG_GROUPS[0])]

    return _settings(lab, "02_producer", FUNCTION, f"{FUNCTION} and {LOG_GROUPS[0]}", faults)


@probe("The application's bucket is closed, all of it is tagged, its log lines expire", "03_flink_job", 5)
def application_and_bucket(lab: Pipeline) -> Finding:
    bucket = lab.session.flink_bucket

    def faults() -> list[str]:
        return [
            *bucket_faults(bucket),
            *stream_faults(GROUP_STREAM),
            *application_faults(),
            *log_group_faults(LOG_GROUPS[1]),
        ]

    looked_at = f"the bucket {bucket}, {GROUP_STREAM}, {APPLICATION} and {LOG_GROUPS[1]}"
    return _settings(lab, "03_flink_job", APPLICATION, looked_at, faults)


def _exists(lab: Pipeline, stream: str) -> bool:
    """Ask for the stream by name: ListStreams answers a hundred names at a time, and an account may hold more."""
    try:
        lab.stream(stream)
    except StepMissing:
        return False
    return True


def _settings(lab: Pipeline, notebook: str, name: str, looked_at: str, faults: Callable[[], list[str]]) -> Finding:
    doing, missing = f"looking at the settings of {name}", f"{name}, or what belongs to it, does not exist"
    with required(doing, missing, notebook, lab.session):
        said = "; ".join(faults())
    if said:
        return Place(looked_at).failed(f"{said[:1].upper()}{said[1:]}, or run {notebook} again.")
    return Place(looked_at).passed("Everything is closed, encrypted and tagged, and logs are deleted after some days.")
