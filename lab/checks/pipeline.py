"""Ask an account about the lab's pipeline: what was built, what flowed through it, and what must come out."""

import zipfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pandas as pd

from lab.checks.probe import Trouble
from lab.core.account import Account
from lab.core.names import (
    APPLICATION,
    APPLICATION_ZIP,
    CONSUMER_GROUP,
    INPUT_STREAM,
    WINDOW_GROUP,
)
from lab.core.session import Session
from lab.core.zips import open_zip
from lab.deploy.flink_zip import edited_file, has_zip
from lab.flink.rest import Dashboard, DashboardSilent
from lab.streams.reading import Position, load_position, stream_batches
from lab.streams.records import Events, Groups, Output, read_reviews
from lab.validation.completion import wait_for_groups, wait_for_windows
from lab.validation.reference import Reference, windows

# The parameters of the notebooks, with the property of window.config.0 and its value where it is not set.
WINDOW_PROPERTIES = {
    "window_seconds": ("window.size.seconds", 60),
    "slide_seconds": ("window.slide.seconds", 30),
    "threshold": ("threshold", 1),
    "watermark_delay_seconds": ("watermark.delay.seconds", 5),
}


class Pipeline(Account):
    """Ask an account, with a notebook's parameters by name; each answer is kept for the next probes.

    `known` holds answers that are not to be asked for, by the name of the property. `folder` is the application's
    folder, where the one who asks edits it.
    """

    def __init__(
        self,
        session: Session | None,
        parameters: Mapping[str, Any] | None = None,
        known: Mapping[str, Any] | None = None,
        folder: Path | None = None,
    ) -> None:
        super().__init__(session)
        self.folder = folder
        self.parameters = dict(parameters or {})
        for name, answer in (known or {}).items():
            getattr(type(self), name)  # a property that exists
            self.__dict__[name] = answer

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]

    @cached_property
    def package_bytes(self) -> bytes:
        """Read the application's zip from the bucket."""
        bucket = self.session.flink_bucket
        where = f"s3://{bucket}/{APPLICATION_ZIP}"

        def ask() -> bytes:
            return boto3.client("s3").get_object(Bucket=bucket, Key=APPLICATION_ZIP)["Body"].read()

        return self.answer(f"reading {where}", f"There is no {where}", "03_flink_job", ask)

    @cached_property
    def package(self) -> zipfile.ZipFile:
        """Open the application's zip in the bucket. Raises UnreadableZip."""
        return open_zip(self.package_bytes, f"s3://{self.session.flink_bucket}/{APPLICATION_ZIP}")

    @cached_property
    def not_what_runs(self) -> str:
        """Say how the application's folder differs from what runs; empty where it does not, or nobody edits it here."""
        if self.folder is None:
            return ""
        if edited := edited_file(self.package, self.folder):
            return f"Your file {edited} is newer than the zip in the bucket"
        if not has_zip(self.application(), self.package_bytes):
            return "The zip in the bucket is newer than the one that runs"
        return ""

    @cached_property
    def parallelism(self) -> tuple[int, int]:
        """Return the application's parallelism and the open shards of its input stream."""
        flink = self.application()["ApplicationConfigurationDescription"]["FlinkApplicationConfigurationDescription"]
        subtasks = flink.get("ParallelismConfigurationDescription", {}).get("Parallelism", 1)
        return subtasks, self.stream(INPUT_STREAM)["OpenShardCount"]

    @property
    def one_for_all(self) -> bool:
        """Say whether one subtask reads several shards, as exercise 6 begins."""
        subtasks, shards = self.parallelism
        return subtasks == 1 < shards

    @cached_property
    def properties(self) -> dict[str, dict[str, str]]:
        """Return the application's runtime properties: group -> key -> value."""
        configuration = self.application()["ApplicationConfigurationDescription"]
        groups = configuration.get("EnvironmentPropertyDescriptions", {}).get("PropertyGroupDescriptions", [])
        return {group["PropertyGroupId"]: group["PropertyMap"] for group in groups}

    @property
    def initial_position(self) -> str:
        """Return where the application's source begins to read, such as LATEST."""
        return self.properties.get(CONSUMER_GROUP, {}).get("scan.stream.initpos", "LATEST")

    @cached_property
    def dashboard(self) -> Dashboard | None:
        """Take the Flink dashboard; None where it does not answer a program (on AWS it wants a browser)."""
        dashboard = Dashboard.of_application()
        try:
            dashboard.jobs()
        except DashboardSilent:
            return None
        return dashboard

    @cached_property
    def rows_dropped(self) -> int:
        """Count the rows Flink dropped as late since the position; 0 where nobody tells, as on AWS."""
        return (self.dashboard.late_rows(self.position.late_rows) or 0) if self.dashboard else 0

    @cached_property
    def position(self) -> Position:
        """Find where the application began to read: as 03_flink_job noted it, or at the oldest record."""
        if self.initial_position == "LATEST":
            return load_position(self.session.flink_bucket)
        return Position(APPLICATION, pd.Timestamp.now("UTC").to_pydatetime(), INPUT_STREAM, {})

    @cached_property
    def events(self) -> Events:
        """Read the events the application can have read."""
        return read_reviews(stream_batches(INPUT_STREAM, self.position))

    @cached_property
    def window_settings(self) -> dict[str, int]:
        """Take window, slide, threshold and delay from the notebook's parameters, else from the application."""
        if WINDOW_PROPERTIES.keys() <= self.parameters.keys():
            return {name: self.parameters[name] for name in WINDOW_PROPERTIES}
        return self.running_settings

    @cached_property
    def running_settings(self) -> dict[str, int]:
        """Take window, slide, threshold and delay from the application's properties."""
        given = self.properties.get(WINDOW_GROUP, {})
        try:
            return {name: int(given.get(key, default)) for name, (key, default) in WINDOW_PROPERTIES.items()}
        except ValueError as error:
            raise Trouble(f"A property of {WINDOW_GROUP} is no whole number ({error}): correct it.") from error

    @cached_property
    def reference(self) -> Reference:
        """Compute the windows that must come out."""
        return windows(self.events, **self.window_settings)

    @cached_property
    def all_windows(self) -> Reference:
        """Compute every window with its count, whatever the threshold."""
        return windows(self.events, **{**self.window_settings, "threshold": 0})

    @cached_property
    def output(self) -> Output:
        """Read the windows that came out, once all of the reference are there or no more come."""
        return wait_for_windows(self.reference, self.position)

    @cached_property
    def groups(self) -> Groups:
        """Read the groups of the second output, once the job has written what its windows hold."""
        return wait_for_groups(self.reference)
