"""Prove the application: run it on unseen data, and compare what Flink wrote with the reference.

What comes out was computed by the code that was handed in: the job's plan and its operators' counts are asked, too.
"""

import time
from pathlib import Path

from grader.evidence import NotGraded
from grader.hidden_run.application_start import start
from grader.hidden_run.proof_account import SHARDS, ProofAccount
from grader.hidden_run.sent_reviews import difference, disorder
from lab.checks import detection, exercises
from lab.checks.blanks import blank_in
from lab.checks.detection import RUN_OPTIONS
from lab.checks.probe import Finding, Place
from lab.core.errors import LabError
from lab.core.names import APPLICATION_FOLDER, APPLICATION_ZIP, GROUP_STREAM, INPUT_STREAM, OUTPUT_STREAM
from lab.core.zips import open_zip
from lab.flink.rest import Dashboard
from lab.streams.quiet_time import QuietTime
from lab.streams.reading import read_stream
from lab.streams.records import read_reviews
from lab.validation.completion import wait_for_watermark, wait_for_windows
from lab.validation.reference import windows

_STILL_SECONDS = 30.0  # without a record more: Flink renews its counts every ten seconds, later on a busy machine
# A window table function, and the older GROUP BY HOP(...), in the plan's own words.
_SLIDING = ("HOP(", "SlidingGroupWindow(")
_RUNNING = detection.running.slug
# The points a Flink application earns by what it computes here.
OF_APPLICATION = (
    _RUNNING,
    detection.output_visible.slug,
    detection.windows_equal.slug,
    detection.nothing_lost.slug,
    exercises.window.slug,
    exercises.watermark.slug,
    exercises.groups.slug,
)


def prove_application(account: ProofAccount) -> dict[str, Finding]:
    """Run the application that was handed in; returns what each check of OF_APPLICATION finds. Raises NotGraded."""
    task = account.task
    folder = task.project / "flink_app" / APPLICATION_FOLDER
    script = folder / Path(RUN_OPTIONS["python"]).name
    place = Place("the application handed in, on data of the grader's")
    if not task.application:
        gone = f"flink_app/{APPLICATION_FOLDER}/{script.name} is not in the submission: hand it in."
        return dict.fromkeys(OF_APPLICATION, place.open(gone))
    source = script.read_text("utf-8", "replace")
    blank = blank_in(source)
    try:
        position = start(account, folder)
    except LabError as error:
        if not task.last:  # on a busy machine Flink loses a TaskManager that is only slow
            raise NotGraded(str(error)) from error
        return dict.fromkeys(OF_APPLICATION, place.failed(str(error)))
    if blank:
        waits = place.open(blank[0].not_attempted)
        all_blank = blank_in(source, ("window", "watermark", "groups"))
        said = {exercise.name: place.open(exercise.not_attempted) for exercise in all_blank}
        # The API says RUNNING a moment before every task does.
        waited = QuietTime()
        while not (running := account.take(_RUNNING, account.pipeline())).passed and waited.seconds() < task.timeout:
            time.sleep(0.5)
        return dict.fromkeys(OF_APPLICATION, waits) | said | {_RUNNING: running}
    first = account.produce()
    events = read_reviews(read_stream(INPUT_STREAM, position))
    reference = windows(events, **account.window_settings)
    if tampered := difference(account.sent, first, task.parameters["rate"], events) or disorder(reference):
        changed = f"The application changed its input: {tampered}. It may only read it."
        return dict.fromkeys(OF_APPLICATION, place.failed(changed))
    # First until Flink has read everything, however busy the machine; only then does silence mean an end.
    wait_for_watermark(reference.watermark, task.timeout, quiet=_STILL_SECONDS)
    account.step("watermark")
    output = wait_for_windows(reference, position, task.timeout, quiet=_STILL_SECONDS)
    account.step("output")
    dashboard = Dashboard.of_application()
    # Any RUNNING job will do: one of its sources, such as VALUES, may have ended.
    job = next((one["jid"] for one in dashboard.jobs() if one["state"] == "RUNNING"), None)
    if job is None:  # then nobody can say who wrote what is in the outputs
        ended = "No job of the application was RUNNING any more when its output was counted."
        if not task.last:
            raise NotGraded(ended)
        return dict.fromkeys(OF_APPLICATION, place.failed(ended))
    if foreign := _put_by_others(account, dashboard, job, OUTPUT_STREAM):
        return dict.fromkeys(OF_APPLICATION, place.failed(foreign))
    foreign_groups = _put_by_others(account, dashboard, job, GROUP_STREAM)
    lab = account.pipeline(
        position=position, events=events, reference=reference, output=output, parallelism=(SHARDS, SHARDS),
        package=open_zip(task.scratch / APPLICATION_ZIP, APPLICATION_ZIP),
    )  # fmt: skip
    found = {slug: account.take(slug, lab) for slug in OF_APPLICATION}
    if foreign_groups:
        found[exercises.groups.slug] = place.failed(foreign_groups)
    for exercise, table in ((exercises.window.slug, OUTPUT_STREAM), (exercises.groups.slug, GROUP_STREAM)):
        if found[exercise].passed and not counts_in_sliding_windows(dashboard, job, table):
            found[exercise] = Place("the plan of the job that Flink ran").failed(
                f"What is in {table} is right, but no sliding window of the job leads there: write it in SQL, with HOP."
            )
    return found


def _put_by_others(account: ProofAccount, dashboard: Dashboard, job: str, stream: str) -> str | None:
    """Say in a sentence where an output holds other records than those the job's sink wrote. Raises NotGraded."""
    silence = QuietTime()
    while True:
        there = len(read_stream(stream))
        written = dashboard.records_taken(job, stream) or 0
        if there == written:
            return None
        if silence.seconds() > _STILL_SECONDS:
            break
        time.sleep(0.5)
    account.step("counts")
    said = f"{stream} holds {there:,} records, and its Flink job wrote {written:,}: the job alone may write there."
    if not account.task.last:  # a job that was restarted counts from 0 again
        raise NotGraded(said)
    return said


def counts_in_sliding_windows(dashboard: Dashboard, job_id: str, table: str) -> bool:
    """Say whether a sliding window of SQL gave rows on towards this sink table. Raises DashboardSilent."""
    plan = {node["id"]: node for node in dashboard.get(f"/jobs/{job_id}/plan")["plan"]["nodes"]}
    reached = {name for name, node in plan.items() if f"{table}[" in node["description"]}
    while more := {one["id"] for name in reached for one in plan[name].get("inputs") or []} - reached:
        reached |= more
    sliding = {name for name in reached if any(word in plan[name]["description"] for word in _SLIDING)}
    counts = (dashboard.operators_sum(job_id, name, "numRecordsOut", ("WindowAggregate",)) for name in sliding)
    return any((count or 0) > 0 for count in counts)
