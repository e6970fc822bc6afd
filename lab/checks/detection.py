"""The checks of 03_flink_job and 04_validate: the application, its job, and whether every window is right."""

import io
import zipfile
from dataclasses import dataclass
from typing import Any

import boto3

from lab.checks.blanks import uploaded_zip, waits_for_exercise
from lab.checks.check import Finding, Lab, register
from lab.core.aws_errors import plain_words
from lab.core.errors import StepMissing
from lab.core.session import restarted_hint
from lab.deploy.flink_zip import JAR_IN_ZIP
from lab.flink.rest import Dashboard, DashboardSilent
from lab.streams.reading import Position, load_position, read_stream
from lab.streams.records import Events, Output, read_reviews
from lab.validation.comparison import compare_windows
from lab.validation.completion import wait_for_windows
from lab.validation.reference import Reference, windows

APPLICATION = "student"
ZIP = "SlidingWindows.zip"
RUN_OPTIONS = {"python": "SlidingWindows/sliding-windows.py", "jarfile": JAR_IN_ZIP}


@dataclass(frozen=True)
class Result:
    """Input, expectation and output of the application since it started reading."""

    position: Position
    events: Events
    reference: Reference
    output: Output


def read_result(lab: Lab) -> Result:
    """Read both streams from where the application began, compute the reference and wait for its windows."""
    if "result" in lab.seen:
        return lab.seen["result"]
    position = load_position(lab.session.flink_bucket)
    events = read_reviews(read_stream("reviews", position))
    reference = windows(
        events,
        lab["window_seconds"],
        lab["slide_seconds"],
        lab["threshold"],
        lab["watermark_delay_seconds"],
    )
    result = Result(position, events, reference, wait_for_windows(reference, position))
    lab.seen["result"] = result
    return result


def _application(lab: Lab) -> dict[str, Any]:
    flink = boto3.client("kinesisanalyticsv2")
    missing = StepMissing(f"The application {APPLICATION} does not exist{restarted_hint(lab.session)}", "03_flink_job")
    with plain_words(f"describing {APPLICATION}", lab.session.endpoint, gone=missing):
        return flink.describe_application(ApplicationName=APPLICATION)["ApplicationDetail"]


@register("03_flink_job", "The zip is in the bucket, its paths start with SlidingWindows/", 5)
def zip_uploaded(lab: Lab) -> Finding:
    bucket = lab.session.flink_bucket
    looked = f"s3://{bucket}/{ZIP}"
    body = uploaded_zip(lab)
    names = set(zipfile.ZipFile(io.BytesIO(body)).namelist())
    outside = sorted(name for name in names if not name.startswith("SlidingWindows/"))
    if outside:
        return Finding(False, looked, f"{outside[0]} is not below SlidingWindows/: zip the folder, not its content.")
    absent = [path for path in RUN_OPTIONS.values() if path not in names]
    if absent:
        return Finding(False, looked, f"{absent[0]} is not in the zip: build and upload it again.")
    return Finding(True, looked, f"{len(names)} files, {len(body) / 1e6:.0f} MB.")


@register("03_flink_job", "The application is configured as the lab says", 10)
def configured(lab: Lab) -> Finding:
    detail = _application(lab)
    configuration = detail["ApplicationConfigurationDescription"]
    groups = {
        group["PropertyGroupId"]: group["PropertyMap"]
        for group in configuration.get("EnvironmentPropertyDescriptions", {}).get("PropertyGroupDescriptions", [])
    }
    wanted = {
        "kinesis.analytics.flink.run.options": RUN_OPTIONS,
        "consumer.config.0": {
            "aws.region": lab.session.region,
            "input.stream.name": "reviews",
            "scan.stream.initpos": "LATEST",
        },
        "producer.config.0": {
            "aws.region": lab.session.region,
            "output.stream.name": "suspicious_activity",
            "shard.count": "1",
        },
    }
    wrong = [
        f"{group} / {key} is {groups.get(group, {}).get(key)!r}, not {value!r}"
        for group, pairs in wanted.items()
        for key, value in pairs.items()
        if groups.get(group, {}).get(key) != value
    ]
    if detail["ServiceExecutionRole"] != lab.session.role_arn:
        wrong.append(f"the role is {detail['ServiceExecutionRole']}, not LabRole")
    looked = f"the runtime properties of {APPLICATION}, version {detail['ApplicationVersionId']}"
    if wrong:
        return Finding(False, looked, f"{'; '.join(wrong)}: update the application.")
    return Finding(True, looked, "Code, role and all three property groups as in the lab.")


@register("03_flink_job", "The application is RUNNING, and so is its job", 10)
def running(lab: Lab) -> Finding:
    status = _application(lab)["ApplicationStatus"]
    if status != "RUNNING":
        return Finding(False, f"the status of {APPLICATION}", f"It is {status}: start it and wait for RUNNING.")
    flink = boto3.client("kinesisanalyticsv2")
    url = flink.create_application_presigned_url(ApplicationName=APPLICATION, UrlType="FLINK_DASHBOARD_URL")
    try:
        job = Dashboard(url["AuthorizedUrl"]).running_job()
    except DashboardSilent:
        # On AWS the page behind the URL wants a browser; the API's status is all a program gets.
        return Finding(True, f"the status of {APPLICATION}", "RUNNING; look at the job in the dashboard.")
    if job is None:
        return Finding(False, "the Flink dashboard", "No job is RUNNING with all its tasks: look at the log stream.")
    return Finding(
        True, "the API and the Flink dashboard", f"Job {job['name']}: {job['tasks']['running']} tasks RUNNING."
    )


@register("03_flink_job", "Events are visible in suspicious_activity", 10)
def output_visible(lab: Lab) -> Finding:
    if waiting := waits_for_exercise(lab):
        return waiting
    result = read_result(lab)
    looked = "suspicious_activity since the application started"
    if not len(result.events.table):
        return Finding(False, looked, "No review was sent since the application started: invoke the function again.")
    found, expected = len(result.output.table), len(result.reference.windows)
    if expected and not found:
        return Finding(False, looked, f"Nothing is there and {expected:,} windows should be: look at the dashboard.")
    return Finding(True, looked, f"{found:,} windows are there.")


@register("04_validate", "Every window equals the reference", 25)
def windows_equal(lab: Lab) -> Finding:
    if waiting := waits_for_exercise(lab):
        return waiting
    result = read_result(lab)
    comparison = compare_windows(result.reference, result.output)
    looked = f"{len(result.events.table):,} reviews and {len(result.output.table):,} windows"
    if not len(result.events.table):
        return Finding(False, looked, "No review was sent since the application started: run 03_flink_job again.")
    if not comparison.equal:
        return Finding(False, looked, f"{comparison.sentence} Look at the rows that differ, above.")
    return Finding(True, looked, comparison.sentence)


@register("04_validate", "Nothing was lost on the way", 5)
def nothing_lost(lab: Lab) -> Finding:
    if waiting := waits_for_exercise(lab):
        return waiting
    result = read_result(lab)
    late, bad = len(result.reference.late_pairs), len(result.events.unreadable)
    conflicts, holding = len(result.output.conflicts), result.reference.holding
    looked = "late reviews, unreadable records, windows written twice, shards that hold the watermark"
    if late or bad or conflicts or len(result.output.unreadable):
        return Finding(
            False,
            looked,
            f"{late:,} (review, window) pairs were late, {bad:,} records of reviews could not be read, "
            f"{conflicts:,} windows were written with two counts: look at the tables above.",
        )
    if len(result.reference.open_windows):
        return Finding(
            False,
            looked,
            f"{len(result.reference.open_windows):,} windows are still open (held by "
            f"{', '.join(holding) or 'the watermark'}): send the end markers with the function.",
        )
    return Finding(True, looked, f"None; {result.output.duplicates:,} copies of at-least-once writing were removed.")
