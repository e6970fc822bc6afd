"""What `lab.diagnose` looks at, place by place, in the order in which a review passes them.

Each look returns what it saw and raises Trouble (or another LabError) with the first thing that is wrong.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import boto3
import pandas as pd
from botocore.exceptions import ClientError

from lab.checks.diagnosis_account import AGAIN, APPLICATION, INPUT, OUTPUT, Built
from lab.checks.diagnosis_job import failures, late_rows, slowest_subtasks
from lab.checks.probe import Trouble
from lab.core.tables import cell
from lab.flink.rest import Dashboard, DashboardSilent
from lab.streams.reading import Position, load_position, stream_batches
from lab.streams.records import Events, read_reviews
from lab.validation.completion import wait_for_windows
from lab.validation.reference import Reference, windows

_WINDOW = {
    "window_seconds": ("window.size.seconds", 60),
    "slide_seconds": ("window.slide.seconds", 30),
    "threshold": ("threshold", 1),
    "watermark_delay_seconds": ("watermark.delay.seconds", 5),
}


class Looks(Built):
    """All looks: at what is built, and at what flows through it. What one of them reads is kept for those after it."""

    def in_order(self) -> list[tuple[str, Callable[[], str]]]:
        """Place and look, from the landing zone to the last window."""
        return [
            ("account", self.account),
            ("landing zone", self.landing_zone),
            ("streams", self.streams),
            ("function", self.function),
            ("records in reviews", self.records),
            ("application", self.application),
            ("runtime properties", self.properties),
            ("parallelism", self.parallelism),
            ("status", self.status),
            ("job", self.job),
            ("start position", self.start_position),
            ("late rows", self.late),
            ("watermark", self.watermark),
            ("threshold", self.threshold),
            ("last window", self.last_window),
            ("output", self.output),
        ]

    @cached_property
    def dashboard(self) -> Dashboard | None:
        """The Flink dashboard, or None where it does not answer a program (on AWS it wants a browser)."""
        asked = {"ApplicationName": APPLICATION, "UrlType": "FLINK_DASHBOARD_URL"}
        try:
            url = boto3.client("kinesisanalyticsv2").create_application_presigned_url(**asked)["AuthorizedUrl"]
            dashboard = Dashboard(url)
            dashboard.jobs()
        except (DashboardSilent, ClientError):
            return None
        return dashboard

    def job(self) -> str:
        if self.dashboard is None:
            return "the dashboard does not answer a program: look at the job in the browser"
        running = self.dashboard.running_job()
        failed = failures(self.dashboard)
        if running and not failed.again_and_again:
            restarts = f", back after {failed.count} failures" if failed.count else ""
            return f"{running['name']} is RUNNING with {running['tasks']['total']} tasks{restarts}"
        if failed.first:
            raise Trouble(
                f"The job of {APPLICATION} is being restarted after {failed.count} failures, first because of "
                f"{failed.first}: correct that in "
                "flink_app, package and upload it, update the application and start it again."
            )
        raise Trouble(f"No job of {APPLICATION} is RUNNING with all its tasks: look at *Jobs* of the Flink dashboard.")

    @cached_property
    def position(self) -> Position | None:
        """Where the application began to read, None for the oldest record."""
        return load_position(self.session.flink_bucket) if self.initial_position == "LATEST" else None

    @cached_property
    def events(self) -> Events:
        """What the application can have read."""
        return read_reviews(stream_batches(INPUT, self.position))

    def start_position(self) -> str:
        count = len(self.events.table) + len(self.events.markers)
        if count:
            return f"{len(self.events.table):,} reviews and {len(self.events.markers):,} markers since the start"
        if len(self.events.unreadable):
            raise Trouble(
                f"None of the {len(self.events.unreadable):,} records since the start can be read (the first: "
                f"{self.events.unreadable['reason'].iloc[0]}): send them anew, as JSON with the ten fields."
            )
        started = f" at {cell(pd.Timestamp(self.position.created))} UTC" if self.position else ""
        raise Trouble(
            f"All records in {INPUT} were sent before {APPLICATION} started{started}, and it reads from LATEST, so it "
            f"saw none of them: {AGAIN}."
        )

    @cached_property
    def settings(self) -> dict[str, int]:
        """Window, slide, threshold and delay as the application was given them."""
        given = self.groups.get("window.config.0", {})
        try:
            return {name: int(given.get(key, default)) for name, (key, default) in _WINDOW.items()}
        except ValueError as error:
            raise Trouble(f"A property of window.config.0 is no whole number ({error}): correct it.") from error

    @cached_property
    def all_windows(self) -> Reference:
        """Every window with its count, whatever the threshold."""
        return windows(self.events, **{**self.settings, "threshold": 0})

    def late(self) -> str:
        counted = late_rows(self.dashboard)
        late = len(self.all_windows.late_pairs) if counted is None else counted
        by = "the streams' order" if counted is None else "Flink's numLateRecordsDropped"
        if late:
            example = self.all_windows.late_pairs.head(1)
            where = ""
            if len(example):
                row = example.iloc[0]
                where = f", such as {row['review_id']} of {cell(row['event_time'])} on {row['shard']}"
            raise Trouble(
                f"{late:,} rows were dropped as late by {by}{where}: event time went back, so stop {APPLICATION}, "
                f"start it again without snapshot and {AGAIN}."
            )
        return f"none, by {by}"

    def watermark(self) -> str:
        reference = self.all_windows
        idle = int(self.groups.get("consumer.config.0", {}).get("idle.timeout.seconds", "0") or 0)
        rows = pd.concat([part[["shard", "event_time"]] for part in (self.events.table, self.events.markers)])
        newest = rows["event_time"].max()
        behind = reference.watermark is pd.NaT or newest - reference.watermark > pd.Timedelta(
            seconds=self.settings["window_seconds"] + self.settings["watermark_delay_seconds"]
        )
        if behind and not idle:
            shards = " and ".join(reference.holding)
            seen = rows[rows["shard"].isin(reference.holding)]["event_time"]
            why = f"whose last event is of {cell(seen.max())}" if len(seen) else "without a record since the start"
            raise Trouble(
                f"The watermark stands at {_moment(reference.watermark)} while events have come to {cell(newest)}, "
                f"held by shard {shards}, {why}{slowest_subtasks(self.dashboard)}: {AGAIN}, its end markers go to "
                "every shard."
            )
        return f"{_moment(reference.watermark)}, newest event {cell(newest)}{slowest_subtasks(self.dashboard)}"

    def threshold(self) -> str:
        both = pd.concat([self.all_windows.windows, self.all_windows.open_windows])
        largest = int(both["movie_count"].max()) if len(both) else 0
        limit = self.settings["threshold"]
        if largest <= limit:
            raise Trouble(
                f"The threshold is too high: it keeps counts above {limit}, and the largest count of a reviewer in any "
                f"window is {largest}, so set a lower threshold or send reviews in which somebody writes more."
            )
        return f"{limit}, largest count {largest}"

    @cached_property
    def reference(self) -> Reference:
        """What must come out."""
        return windows(self.events, **self.settings)

    def last_window(self) -> str:
        waiting = self.reference.open_windows
        if len(waiting):
            raise Trouble(
                f"{len(waiting):,} windows are still open: the last ends at {cell(waiting['window_end'].max())} and "
                f"the watermark stands at {_moment(self.reference.watermark)} because no event comes after them; "
                f"{AGAIN} with end_markers, which close them."
            )
        return f"all closed, {len(self.reference.windows):,} above the threshold"

    def output(self) -> str:
        since = self.position or Position(APPLICATION, pd.Timestamp.now("UTC"), INPUT, {}, OUTPUT)
        output = wait_for_windows(self.reference, since)
        expected, found = len(self.reference.windows), len(output.table)
        if found < expected:
            raise Trouble(
                f"{found:,} of {expected:,} windows are in {OUTPUT}: wait a moment and look again, and if none comes "
                "look at *Checkpoints* and *Exceptions* of the job in the Flink dashboard."
            )
        return f"{found:,} windows in {OUTPUT}, {expected:,} expected; 04_validate compares them one by one."


def _moment(time: Any) -> str:
    return "no time at all" if time is pd.NaT else cell(time)
