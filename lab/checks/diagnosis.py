"""Diagnose an empty output: name the first thing that is wrong between the landing zone and the last window.

`diagnose()` reads the account through AWS's own APIs and the Flink dashboard's address, as the notebooks do, and
changes nothing. Where the dashboard does not answer a program (on AWS it wants a browser), the streams are asked.
"""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from lab.checks import diagnosis_account as built
from lab.checks.diagnosis_account import AGAIN
from lab.checks.diagnosis_job import failures, readable_dashboard, refused_records, slowest_subtasks, without_watermark
from lab.checks.pipeline import Pipeline
from lab.checks.probe import FAILED, UNREACHED, Finding, Probe, Report, Trouble, probe, take
from lab.core.account import Account
from lab.core.names import APPLICATION, CONSUMER_GROUP, INPUT_STREAM, OUTPUT_STREAM
from lab.core.session import Session, connected
from lab.core.tables import cell


@probe("job")
def job(lab: Pipeline) -> str:
    dashboard = readable_dashboard(lab)
    if dashboard is None:
        return "the dashboard does not answer a program: look at the job in the browser"
    running = dashboard.running_job()
    failed = failures(dashboard)
    if running and not failed.again_and_again:
        restarts = f", back after {failed.count} failures" if failed.count else ""
        return f"{running['name']} is RUNNING with {running['tasks']['total']} tasks{restarts}"
    if failed.first:
        raise Trouble(
            f"The job of {APPLICATION} is being restarted after {failed.count} failures, first because of "
            f"{failed.first}: correct that in flink_app, package and upload it, update the application and start it "
            "again."
        )
    raise Trouble(f"No job of {APPLICATION} is RUNNING with all its tasks: look at *Jobs* of the Flink dashboard.")


@probe("start position")
def start_position(lab: Pipeline) -> str:
    count = len(lab.events.table) + len(lab.events.markers)
    if count:
        return f"{len(lab.events.table):,} reviews and {len(lab.events.markers):,} markers since the start"
    if len(lab.events.unreadable):
        raise Trouble(
            f"None of the {len(lab.events.unreadable):,} records since the start can be read (the first: "
            f"{lab.events.unreadable['reason'].iloc[0]}): send them anew, as JSON with the ten fields."
        )
    started = cell(pd.Timestamp(lab.position.created))
    raise Trouble(
        f"All records in {INPUT_STREAM} were sent before {APPLICATION} started at {started} UTC, and it reads from "
        f"LATEST, so it saw none of them: {AGAIN}."
    )


@probe("late rows")
def late(lab: Pipeline) -> str:
    dashboard = readable_dashboard(lab)
    counted = dashboard.late_rows(lab.position.late_rows) if dashboard else None
    dropped = len(lab.all_windows.late_pairs) if counted is None else counted
    by = "the streams' order" if counted is None else "Flink's numLateRecordsDropped"
    if dropped:
        example = lab.all_windows.late_pairs.head(1)
        where = ""
        if len(example):
            row = example.iloc[0]
            where = f", such as {row['review_id']} of {cell(row['event_time'])} on {row['shard']}"
        raise Trouble(
            f"{dropped:,} rows were dropped as late by {by}{where}: event time went back, so stop {APPLICATION}, "
            f"start it again without snapshot and {AGAIN}."
        )
    return f"none, by {by}"


@probe("watermark")
def watermark(lab: Pipeline) -> str:
    reference = lab.all_windows
    idle = int(lab.properties.get(CONSUMER_GROUP, {}).get("idle.timeout.seconds", "0") or 0)
    rows = pd.concat([part[["shard", "event_time"]] for part in (lab.events.table, lab.events.markers)])
    newest = rows["event_time"].max()
    behind = reference.watermark is pd.NaT or newest - reference.watermark > pd.Timedelta(
        seconds=lab.window_settings["window_seconds"] + lab.window_settings["watermark_delay_seconds"]
    )
    in_flink = slowest_subtasks(readable_dashboard(lab))
    if behind and not idle:
        shards = " and ".join(reference.holding)
        seen = rows[rows["shard"].isin(reference.holding)]["event_time"]
        why = f"whose last event is of {cell(seen.max())}" if len(seen) else "without a record since the start"
        raise Trouble(
            f"The watermark stands at {_moment(reference.watermark)} while events have come to {cell(newest)}, "
            f"held by shard {shards}, {why}{in_flink}: {AGAIN}, its end markers go to every shard."
        )
    return f"{_moment(reference.watermark)}, newest event {cell(newest)}{in_flink}"


@probe("threshold")
def threshold(lab: Pipeline) -> str:
    both = pd.concat([lab.all_windows.windows, lab.all_windows.open_windows])
    largest = int(both["movie_count"].max()) if len(both) else 0
    limit = lab.window_settings["threshold"]
    if largest <= limit:
        raise Trouble(
            f"The threshold is too high: it keeps counts above {limit}, and the largest count of a reviewer in any "
            f"window is {largest}, so set a lower threshold or send reviews in which somebody writes more."
        )
    return f"{limit}, largest count {largest}"


@probe("last window")
def last_window(lab: Pipeline) -> str:
    waiting = lab.reference.open_windows
    if len(waiting):
        raise Trouble(
            f"{len(waiting):,} windows are still open: the last ends at {cell(waiting['window_end'].max())} and "
            f"the watermark stands at {_moment(lab.reference.watermark)} because no event comes after them; "
            f"{AGAIN} with end_markers, which close them."
        )
    return f"all closed, {len(lab.reference.windows):,} above the threshold"


@probe("output")
def output(lab: Pipeline) -> str:
    expected, found = len(lab.reference.windows), len(lab.output.table)
    refused = refused_records(readable_dashboard(lab)) if found == 0 < expected else 0
    if refused:
        raise Trouble(
            f"None of {expected:,} windows is in {OUTPUT_STREAM}: its sink has failed {refused:,} times "
            f"to write a record. Look for 'will retry' in the log of {APPLICATION}, which says why, and correct that."
        )
    if found < expected and without_watermark(readable_dashboard(lab)):
        raise Trouble(
            f"{found:,} of {expected:,} windows are in {OUTPUT_STREAM}: the job was restored, and Flink keeps no "
            "watermark in a snapshot or checkpoint, so it waits for a new record on every shard: "
            f"{AGAIN}, which brings them."
        )
    if found < expected:
        raise Trouble(
            f"{found:,} of {expected:,} windows are in {OUTPUT_STREAM}: wait a moment and look again, and if none "
            "comes look at *Checkpoints* and *Exceptions* of the job in the Flink dashboard."
        )
    return f"{found:,} windows in {OUTPUT_STREAM}, {expected:,} expected; 04_validate compares them one by one."


def _moment(time: Any) -> str:
    return "no time at all" if time is pd.NaT else cell(time)


PROBES: tuple[Probe, ...] = (
    built.account,
    built.landing_zone,
    built.streams,
    built.function,
    built.records,
    built.application,
    built.properties,
    built.status,
    job,
    built.parallelism,
    start_position,
    late,
    watermark,
    threshold,
    last_window,
    output,
)


class Diagnosis(Report):
    """Show every step in the order of the data; behind the first wrong one none was reached."""

    heading = "step"
    caption = "From the landing zone to the last window"

    @property
    def wrong(self) -> Probe | None:
        """Return the first step that is wrong, or None."""
        return next((one for one, found in self.taken if found.state == FAILED), None)

    @property
    def sentence(self) -> str:
        """Say the first thing that is wrong and what to do next."""
        return self.failed[0].message if self.failed else f"Nothing is wrong: {self.taken[-1][1].message}"

    def shown(self, found: Finding) -> str:
        """Leave out the wrong step's message, which the sentence says already."""
        return "" if found.state == FAILED else found.message


def walk(probes: Iterable[Probe], account: Account) -> Diagnosis:
    """Take the probes in order; after the first that finds something wrong, no further one is taken."""
    taken: list[tuple[Probe, Finding]] = []
    failed = False
    for one in probes:
        found = Finding(UNREACHED, "") if failed else take(one, account)
        failed = failed or found.state == FAILED
        taken.append((one, found))
    return Diagnosis(tuple(taken))


def diagnose(session: Session | None = None) -> Diagnosis:
    """Name the first thing that is wrong between the landing zone and the last window.

    Works in the account of the last `lab.connect` (or the one of `session`). The window, slide, threshold and delay are
    those the application itself was given. Raises nothing: what cannot be looked at is what is wrong.
    """
    return walk(PROBES, Pipeline(session or connected()))
