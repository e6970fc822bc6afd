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
import pandas as pd

from grader.hidden_run.sent_reviews import difference, disorder, expected_reviews
from grader.hidden_run.student_functions import FunctionFailed, Functions
from lab.checks.blanks import blank_functions
from lab.checks.check import Check, Finding, Lab, checks_of, run_check
from lab.checks.detection import RUN_OPTIONS, Result
from lab.core.errors import LabError
from lab.core.names import (
    APPLICATION,
    APPLICATION_FOLDER,
    APPLICATION_ZIP,
    CONSUMER_GROUP,
    GROUP_STREAM,
    INPUT_STREAM,
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
from lab.exercises.attempts import hand_in_shard, hand_in_threshold, send_batch, send_groups, send_keyed
from lab.exercises.catalog import EXERCISES
from lab.flink.waiters import application_status, stream_active
from lab.streams.reading import Position, read_stream, save_position
from lab.streams.records import read_reviews
from lab.validation.completion import wait_for_watermark, wait_for_windows
from lab.validation.input_files import labels_of
from lab.validation.reference import windows
from lab.validation.scores import score

SHARDS = 4
START_SECONDS, READ_SECONDS, TASKS_SECONDS = 150.0, 45.0, 30.0
# The points a Flink application earns by what it computes here.
OF_APPLICATION = (
    "The application is RUNNING, and so is its job",
    "Events are visible in suspicious_activity",
    "Every window equals the reference",
    "Nothing was lost on the way",
    EXERCISES["window"].title,
    EXERCISES["watermark"].title,
)
OF_FUNCTIONS = tuple(EXERCISES[n].title for n in ("partition_key", "put_batch", "read_shard", "threshold", "groups"))


@dataclass(frozen=True)
class Task:
    """What to prove: where things are, and the parameters of the series."""

    project: Path  # the submission's files
    producer: Path  # the trusted producer's source
    scratch: Path
    application: bool  # whether one was handed in
    parameters: dict[str, Any]


class Proof:
    """One proof in one account. `functions` calls the student's functions."""

    def __init__(self, session: Session, task: Task, functions: Functions) -> None:
        self._session, self._task, self._functions = session, task, functions
        self._settings = {
            name: task.parameters[name]
            for name in ("window_seconds", "slide_seconds", "threshold", "watermark_delay_seconds")
        }
        self._reviews = Path(task.parameters["reviews_file"])
        self._sent = expected_reviews(self._reviews)
        self._checks = {check.name: check for number in ("01", "02", "03", "04") for check in checks_of(number)}

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
        nobody = Position(APPLICATION, pd.Timestamp.now("UTC").to_pydatetime(), INPUT_STREAM, {})
        result = Result(nobody, events, windows(events, **self._settings), None)  # type: ignore[arg-type]
        lab = Lab(self._session, self._task.parameters, {"result": result})
        labels = labels_of(self._task.parameters["labels_file"], str(self._reviews))
        all_counts = windows(events, **{**self._settings, "threshold": 0}).windows
        size, slide = self._settings["window_seconds"], self._settings["slide_seconds"]
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
            return hand_in_threshold(self._session, function, score(all_counts, labels))

        def groups(where: str) -> object:
            function = self._functions.named(where, "bursting_groups")
            return send_groups(self._session, lambda *given: _groups(function(*given)), events, size, slide)

        steps: dict[str, Callable[[str], object]] = {
            "partition_key": keyed,
            "put_batch": lambda where: send_batch(self._session, self._functions.named(where, "put_batch")),
            "read_shard": lambda where: hand_in_shard(self._session, self._functions.named(where, "read_shard"), shard),
            "threshold": threshold,
            "groups": groups,
        }
        return {EXERCISES[name].title: self._exercise(name, step, lab) for name, step in steps.items()}

    def _exercise(self, name: str, step: Callable[[str], object], lab: Lab) -> Finding:
        exercise = EXERCISES[name]
        where = "producer/put_batch.py" if name == "put_batch" else self._notebook(exercise.notebook[:2])
        if where is None or not (self._task.project / where).is_file():
            return Finding(False, "the submission", f"{exercise.notebook} is not in it: hand it in.", attempted=False)
        try:
            step(where)
        except FunctionFailed as error:
            return Finding(False, f"{exercise.where} on data of the grader's", str(error))
        except Exception as error:  # noqa: BLE001 - what a function answers may be anything
            said = f"Its answer cannot be used ({type(error).__name__}: {error}): correct what it returns."
            return Finding(False, f"{exercise.where} on data of the grader's", said)
        return self._run(self._checks[exercise.title], lab)

    def _notebook(self, number: str) -> str | None:
        found = sorted((self._task.project / "notebooks").glob(f"{number}_*.ipynb"))
        return f"notebooks/{found[0].name}" if found else None

    def _run(self, check: Check, lab: Lab) -> Finding:
        try:
            return run_check(check, lab)
        except Exception as error:  # noqa: BLE001 - an odd answer must not cost the other points
            return Finding(False, "what the submission left", f"It cannot be read ({type(error).__name__}: {error}).")

    # -- the application ----------------------------------------------------------------------------------------

    def _prove_application(self) -> dict[str, Finding]:
        folder = self._task.project / "flink_app" / APPLICATION_FOLDER
        script = folder / Path(RUN_OPTIONS["python"]).name
        looked = "the application handed in, on data of the grader's"
        if not self._task.application:
            gone = f"flink_app/{APPLICATION_FOLDER}/{script.name} is not in the submission: hand it in."
            return dict.fromkeys(OF_APPLICATION, Finding(False, looked, gone, attempted=False))
        blank = [n for n in ("window", "watermark") if n in blank_functions(script.read_text("utf-8", "replace"))]
        try:
            position = self._start(folder)
        except LabError as error:
            return dict.fromkeys(OF_APPLICATION, Finding(False, looked, str(error)))
        if blank:
            waits = Finding(False, looked, EXERCISES[blank[0]].not_attempted, attempted=False)
            titles = {EXERCISES[name].title: name for name in ("window", "watermark")}
            said = {
                title: Finding(False, looked, EXERCISES[name if name in blank else blank[0]].not_attempted, False)
                for title, name in titles.items()
            }
            # The API says RUNNING a moment before every task does.
            deadline = time.monotonic() + TASKS_SECONDS
            while not (running := self._application_running({}))[OF_APPLICATION[0]].passed:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.5)
            return {name: waits for name in OF_APPLICATION[1:]} | said | running
        first = self._produce()
        events = read_reviews(read_stream(INPUT_STREAM, position))
        reference = windows(events, **self._settings)
        if tampered := difference(self._sent, first, self._task.parameters["rate"], events) or disorder(reference):
            said = f"The application changed its input: {tampered}. It may only read it."
            return dict.fromkeys(OF_APPLICATION, Finding(False, looked, said))
        # First until Flink has read everything, however busy the machine; only then does silence mean an end.
        wait_for_watermark(reference.watermark, timeout=READ_SECONDS)
        result = Result(position, events, reference, wait_for_windows(reference, position))
        seen = {"result": result, "zip": self._package.read_bytes(), "parallelism": (SHARDS, SHARDS)}
        return self._application_running(seen, OF_APPLICATION)

    def _application_running(self, seen: dict[str, Any], names: tuple[str, ...] = OF_APPLICATION[:1]) -> dict[str, Any]:
        lab = Lab(self._session, self._task.parameters, seen)
        return {name: self._run(self._checks[name], lab) for name in names}

    def _start(self, folder: Path) -> Position:
        """Create and start the application as notebook 03 does, with as many subtasks as shards."""
        self._package = build_flink_zip(self._task.scratch / APPLICATION_ZIP, folder)
        boto3.client("s3").upload_file(str(self._package), self._session.flink_bucket, APPLICATION_ZIP)
        flink = boto3.client("kinesisanalyticsv2")
        flink.create_application(
            ApplicationName=APPLICATION,
            RuntimeEnvironment=RUNTIME,
            ServiceExecutionRole=self._session.role_arn,
            ApplicationConfiguration=self._configuration(),
        )
        position = save_position(self._session.flink_bucket)
        flink.start_application(ApplicationName=APPLICATION, RunConfiguration={})
        application_status(flink, APPLICATION, until="RUNNING", timeout=START_SECONDS)
        return position

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
        properties = {
            RUN_OPTIONS_GROUP: RUN_OPTIONS,
            CONSUMER_GROUP: source,
            PRODUCER_GROUP: sink,
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


def _groups(answer: Any) -> pd.DataFrame:
    """The table of groups a function answered, with times that Python knows."""
    if not isinstance(answer, pd.DataFrame):
        raise FunctionFailed("`bursting_groups` must return a table: movie, window_start, window_end.")
    if not len(answer):
        return pd.DataFrame(columns=["movie", "window_start", "window_end"])
    missing = {"movie", "window_start", "window_end"} - set(answer.columns)
    if missing:
        raise FunctionFailed(f"The table of `bursting_groups` has no column {sorted(missing)[0]}.")
    times = {
        name: pd.to_datetime(answer[name], format="ISO8601").dt.tz_localize(None)
        for name in ("window_start", "window_end")
    }
    return answer.assign(**times, movie=answer["movie"].astype(str))
