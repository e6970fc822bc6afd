"""The proof: what a submission wrote, run once more on data it has never seen, in an account only the grader fed.

The functions of the exercises are called first, while nothing of the submission is in the account; then its Flink
application runs. Records put in by hand, answers known from the sample and output copied from the reference are not
here: what comes out was computed by the code that was handed in.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from grader.hidden_run.flink_evidence import counts_in_sliding_windows
from grader.hidden_run.sent_reviews import difference, disorder, expected_reviews
from grader.hidden_run.student_functions import FunctionFailed, Functions, FunctionTooSlow
from grader.submission_grading import NotGraded
from lab.checks import detection, exercises
from lab.checks.blanks import blank_in
from lab.checks.check import CHECKS
from lab.checks.detection import RUN_OPTIONS
from lab.checks.pipeline import Pipeline
from lab.checks.probe import Finding, Place, Probe, take
from lab.core.errors import LabError
from lab.core.names import (
    APPLICATION,
    APPLICATION_FOLDER,
    APPLICATION_ZIP,
    CONSUMER_GROUP,
    GROUP_STREAM,
    GROUPS_GROUP,
    INPUT_STREAM,
    LOG_GROUPS,
    OUTPUT_STREAM,
    PRODUCER_GROUP,
    REVIEWS_FILE,
    RUN_OPTIONS_GROUP,
    RUNTIME,
    STREAMS,
    WINDOW_GROUP,
)
from lab.core.session import Session
from lab.deploy.flink_zip import build_flink_zip
from lab.exercises.attempts import hand_in_shard, hand_in_threshold, send_batch, send_keyed
from lab.exercises.catalog import EXERCISES
from lab.flink.rest import Dashboard, DashboardSilent
from lab.flink.waiters import WaitedInVain, application_status, stream_active
from lab.streams.reading import Position, read_stream, save_position
from lab.streams.records import read_reviews
from lab.validation.completion import wait_for_watermark, wait_for_windows
from lab.validation.input_files import labels_of
from lab.validation.reference import windows
from lab.validation.scores import score

SHARDS = 4
LOG_STREAM = "kinesis-analytics-log-stream"
_ASKED_SECONDS = 5.0  # between two looks at how far a start has come
_STILL_SECONDS = 30.0  # without a record more: Flink renews its counts every ten seconds, later on a busy machine
# The points a Flink application earns by what it computes here.
_RUNNING = detection.running.slug
OF_APPLICATION = (
    _RUNNING,
    detection.output_visible.slug,
    detection.windows_equal.slug,
    detection.nothing_lost.slug,
    exercises.window.slug,
    exercises.watermark.slug,
    exercises.groups.slug,
)
# The points of functions that a student wrote.
OF_FUNCTIONS = tuple(name for name, exercise in EXERCISES.items() if exercise.calls_a_function)


@dataclass(frozen=True)
class Task:
    """What to prove: where things are, and the parameters of the series."""

    project: Path  # the submission's files
    producer: Path  # the trusted producer's source
    scratch: Path
    application: bool  # whether one was handed in
    parameters: dict[str, Any]
    timeout: float  # seconds in which it must come a step on
    last: bool  # whether a passed limit costs points; else there is another try


class Proof:
    """One proof in one account. `functions` calls the student's functions, `step` is told what is done."""

    def __init__(self, session: Session, task: Task, functions: Functions, step: Callable[[str], None]) -> None:
        self._session, self._task, self._functions, self._step = session, task, functions, step
        self._settings = {
            name: task.parameters[name]
            for name in ("window_seconds", "slide_seconds", "threshold", "watermark_delay_seconds")
        }
        self._reviews = Path(task.parameters["reviews_file"])
        self._sent = expected_reviews(self._reviews)
        self._checks = {check.slug: check for check in CHECKS}

    def run(self) -> dict[str, Finding]:
        """Everything; what each check of OF_FUNCTIONS and OF_APPLICATION finds."""
        self._furnish()
        return {**self._prove_functions(), **self._prove_application()}

    def _furnish(self) -> None:
        s3, kinesis = boto3.client("s3"), boto3.client("kinesis")
        for bucket in (self._session.landing_zone, self._session.flink_bucket):
            s3.create_bucket(Bucket=bucket)
        s3.upload_file(str(self._reviews), self._session.landing_zone, REVIEWS_FILE)
        for name in STREAMS:
            kinesis.create_stream(StreamName=name, ShardCount=1 if name == GROUP_STREAM else SHARDS)
        for name in STREAMS:
            stream_active(kinesis, name)

    def _produce(self) -> str:
        """Let the trusted producer send the whole file; the event time it began with."""
        os.environ["LANDING_ZONE_BUCKET"] = self._session.landing_zone
        if str(self._task.producer) not in sys.path:
            sys.path.insert(0, str(self._task.producer))
        from lambda_function import lambda_handler

        event = {name: self._task.parameters[name] for name in ("rate", "window_seconds", "watermark_delay_seconds")}
        answer = lambda_handler({**event, "clock": "replay"}, None)
        return answer["first_event_time"]

    # -- the functions ------------------------------------------------------------------------------------------

    def _prove_functions(self) -> dict[str, Finding]:
        self._produce()
        events = read_reviews(read_stream(INPUT_STREAM))
        lab = Pipeline(self._session, self._task.parameters, {"events": events})
        labels = labels_of(self._task.parameters["labels_file"], str(self._reviews))
        shard = events.open_shards[0]

        def keyed(where: str) -> object:
            function = self._functions.named(where, "partition_key")
            try:
                why = str(self._functions.value(where, "why"))
            except FunctionFailed:
                why = ""
            return send_keyed(self._session, self._reviews, lambda review: str(function(review)), why)

        def threshold(where: str) -> object:
            assert labels is not None
            function = self._functions.named(where, "choose_threshold")
            return hand_in_threshold(self._session, function, score(lab.all_windows.windows, labels))

        steps: dict[str, Callable[[str], object]] = {
            "partition_key": keyed,
            "put_batch": lambda where: send_batch(self._session, self._functions.named(where, "put_batch")),
            "read_shard": lambda where: hand_in_shard(self._session, self._functions.named(where, "read_shard"), shard),
            "threshold": threshold,
        }
        return {name: self._exercise(name, step, lab) for name, step in steps.items()}

    def _exercise(self, name: str, step: Callable[[str], object], lab: Pipeline) -> Finding:
        exercise = EXERCISES[name]
        where = "producer/put_batch.py" if name == "put_batch" else f"notebooks/{exercise.notebook}.ipynb"
        if not (self._task.project / where).is_file():
            return Place("the submission").open(f"{exercise.notebook} is not in it: hand it in.")
        place = Place(f"{exercise.where} on data of the grader's")
        try:
            step(where)
        except FunctionFailed as error:
            if isinstance(error, FunctionTooSlow) and not self._task.last:
                raise NotGraded(str(error)) from error
            return place.failed(str(error))
        except Exception as error:  # noqa: BLE001 - what a function answers may be anything
            return place.failed(
                f"Its answer cannot be used ({type(error).__name__}: {error}): correct what it returns."
            )
        finally:
            self._step(name)
        return self._take(self._checks[name], lab)

    def _take(self, check: Probe, lab: Pipeline) -> Finding:
        try:
            return take(check, lab)
        except Exception as error:  # noqa: BLE001 - an odd answer must not cost the other points
            said = f"It cannot be read ({type(error).__name__}: {error})."
            return Place("what the submission left").failed(said)

    # -- the application ----------------------------------------------------------------------------------------

    def _prove_application(self) -> dict[str, Finding]:
        folder = self._task.project / "flink_app" / APPLICATION_FOLDER
        script = folder / Path(RUN_OPTIONS["python"]).name
        place = Place("the application handed in, on data of the grader's")
        if not self._task.application:
            gone = f"flink_app/{APPLICATION_FOLDER}/{script.name} is not in the submission: hand it in."
            return dict.fromkeys(OF_APPLICATION, place.open(gone))
        source = script.read_text("utf-8", "replace")
        blank = [exercise.name for exercise in blank_in(source)]
        try:
            position = self._start(folder)
        except LabError as error:
            if not self._task.last:  # on a busy machine Flink loses a TaskManager that is only slow
                raise NotGraded(str(error)) from error
            return dict.fromkeys(OF_APPLICATION, place.failed(str(error)))
        if blank:
            waits = place.open(EXERCISES[blank[0]].not_attempted)
            all_blank = blank_in(source, ("window", "watermark", "groups"))
            said = {exercise.name: place.open(exercise.not_attempted) for exercise in all_blank}
            # The API says RUNNING a moment before every task does.
            deadline = time.monotonic() + self._task.timeout
            while not (running := self._application_running({}, (_RUNNING,)))[_RUNNING].passed:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.5)
            return dict.fromkeys(OF_APPLICATION, waits) | said | running
        first = self._produce()
        events = read_reviews(read_stream(INPUT_STREAM, position))
        reference = windows(events, **self._settings)
        if tampered := difference(self._sent, first, self._task.parameters["rate"], events) or disorder(reference):
            changed = f"The application changed its input: {tampered}. It may only read it."
            return dict.fromkeys(OF_APPLICATION, place.failed(changed))
        # First until Flink has read everything, however busy the machine; only then does silence mean an end.
        wait_for_watermark(reference.watermark, self._task.timeout, quiet=_STILL_SECONDS)
        self._step("watermark")
        output = wait_for_windows(reference, position, self._task.timeout, quiet=_STILL_SECONDS)
        self._step("output")
        dashboard = Dashboard.of_application()
        job = dashboard.running_job()
        if job and (foreign := self._put_by_others(dashboard, job["jid"], OUTPUT_STREAM)):
            return dict.fromkeys(OF_APPLICATION, place.failed(foreign))
        foreign_groups = self._put_by_others(dashboard, job["jid"], GROUP_STREAM) if job else None
        known = {
            "position": position,
            "events": events,
            "reference": reference,
            "output": output,
            "package": self._package.read_bytes(),
            "parallelism": (SHARDS, SHARDS),
        }
        found = self._application_running(known, OF_APPLICATION)
        if foreign_groups:
            found[exercises.groups.slug] = place.failed(foreign_groups)
        for exercise, table in ((exercises.window.slug, OUTPUT_STREAM), (exercises.groups.slug, GROUP_STREAM)):
            if found[exercise].passed and not (job and counts_in_sliding_windows(dashboard, job["jid"], table)):
                found[exercise] = Place("the plan of the job that Flink ran").failed(
                    f"What is in {table} is right, but no sliding window of the job leads there: write it in SQL, "
                    "with HOP."
                )
        return found

    def _put_by_others(self, dashboard: Dashboard, job: str, stream: str) -> str | None:
        """A sentence where an output holds other records than those the job's sink wrote. Raises NotGraded."""
        until = time.monotonic() + _STILL_SECONDS
        while True:
            there = len(read_stream(stream))
            written = dashboard.records_taken(job, stream) or 0
            if there == written:
                return None
            if time.monotonic() > until:
                break
            time.sleep(0.5)
        self._step("counts")
        said = f"{stream} holds {there:,} records, and its Flink job wrote {written:,}: the job alone may write there."
        if not self._task.last:  # a job that was restarted counts from 0 again
            raise NotGraded(said)
        return said

    def _application_running(self, known: dict[str, Any], slugs: tuple[str, ...]) -> dict[str, Finding]:
        lab = Pipeline(self._session, self._task.parameters, known)
        return {slug: self._take(self._checks[slug], lab) for slug in slugs}

    def _start(self, folder: Path) -> Position:
        """Create and start the application as notebook 03 does, with as many subtasks as shards."""
        self._package = build_flink_zip(self._task.scratch / APPLICATION_ZIP, folder)
        boto3.client("s3").upload_file(str(self._package), self._session.flink_bucket, APPLICATION_ZIP)
        flink = boto3.client("kinesisanalyticsv2")
        logs = boto3.client("logs")
        logs.create_log_group(logGroupName=LOG_GROUPS[1])
        logs.create_log_stream(logGroupName=LOG_GROUPS[1], logStreamName=LOG_STREAM)
        account = f"arn:aws:logs:{self._session.region}:{self._session.account}"
        flink.create_application(
            ApplicationName=APPLICATION,
            RuntimeEnvironment=RUNTIME,
            ServiceExecutionRole=self._session.role_arn,
            ApplicationConfiguration=self._configuration(),
            CloudWatchLoggingOptions=[{"LogStreamARN": f"{account}:log-group:{LOG_GROUPS[1]}:log-stream:{LOG_STREAM}"}],
        )
        position = save_position(self._session.flink_bucket)
        flink.start_application(ApplicationName=APPLICATION, RunConfiguration={})
        self._until_running(flink)
        return position

    def _until_running(self, flink: Any) -> None:
        """Wait for as long as the start makes progress. Raises LabError."""
        seen, until = None, time.monotonic() + self._task.timeout
        while True:
            try:
                application_status(flink, APPLICATION, until="RUNNING", timeout=_ASKED_SECONDS)
                self._step("RUNNING")
                return
            except WaitedInVain:
                detail = flink.describe_application(ApplicationName=APPLICATION)["ApplicationDetail"]
                if detail["ApplicationStatus"] != "STARTING":
                    raise
            if (now := self._tasks()) != seen:
                seen, until = now, time.monotonic() + self._task.timeout
                self._step(f"starting: {now}")
            if time.monotonic() > until:
                said = f"The application was still STARTING, with no progress for {self._task.timeout:.0f} s."
                raise WaitedInVain(said)

    def _tasks(self) -> str:
        """How far a start has come: the cluster's TaskManagers, and the tasks of its jobs by their states."""
        try:
            dashboard = Dashboard.of_application()
            return f"{dashboard.get('/overview')['taskmanagers']} {[job['tasks'] for job in dashboard.jobs()]}"
        except (ClientError, DashboardSilent) as error:
            return type(error).__name__

    def _configuration(self) -> dict[str, Any]:
        region, endpoint = self._session.region, {"aws.endpoint": self._session.endpoint}
        settings = {
            "window.size.seconds": self._settings["window_seconds"],
            "window.slide.seconds": self._settings["slide_seconds"],
            "threshold": self._settings["threshold"],
            "watermark.delay.seconds": self._settings["watermark_delay_seconds"],
        }
        source = {"input.stream.name": INPUT_STREAM, "scan.stream.initpos": "LATEST", "aws.region": region, **endpoint}
        sink = {"output.stream.name": OUTPUT_STREAM, "aws.region": region, "shard.count": "1", **endpoint}
        groups = {"output.stream.name": GROUP_STREAM, "aws.region": region, **endpoint}
        properties = {
            RUN_OPTIONS_GROUP: RUN_OPTIONS,
            CONSUMER_GROUP: source,
            PRODUCER_GROUP: sink,
            GROUPS_GROUP: groups,
            WINDOW_GROUP: {name: str(value) for name, value in settings.items()},
        }
        return {
            "FlinkApplicationConfiguration": {
                "ParallelismConfiguration": {
                    "ConfigurationType": "CUSTOM",
                    "Parallelism": SHARDS,
                    "ParallelismPerKPU": SHARDS,
                    "AutoScalingEnabled": False,
                },
                "CheckpointConfiguration": {
                    "ConfigurationType": "CUSTOM",
                    "CheckpointingEnabled": True,
                    "CheckpointInterval": 10_000,
                    "MinPauseBetweenCheckpoints": 5_000,
                },
            },
            "ApplicationSnapshotConfiguration": {"SnapshotsEnabled": False},
            "ApplicationCodeConfiguration": {
                "CodeContentType": "ZIPFILE",
                "CodeContent": {
                    "S3ContentLocation": {
                        "BucketARN": f"arn:aws:s3:::{self._session.flink_bucket}",
                        "FileKey": APPLICATION_ZIP,
                    }
                },
            },
            "EnvironmentProperties": {
                "PropertyGroups": [
                    {"PropertyGroupId": name, "PropertyMap": pairs} for name, pairs in properties.items()
                ]
            },
        }
