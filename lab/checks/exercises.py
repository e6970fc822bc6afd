"""The checks of the exercises. Each looks at what an attempt left in the account and the streams."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

import boto3
import numpy as np
import pandas as pd

from lab.checks.blanks import ZIP, blank_exercises, parallelism
from lab.checks.check import Finding, Lab, register
from lab.checks.detection import read_result
from lab.core.names import EXERCISE_STREAM, GROUP_STREAM
from lab.exercises.attempts import PRECISE_ENOUGH, digest, nothing_to_choose
from lab.exercises.catalog import EXERCISES, handed_in
from lab.flink.rest import Dashboard, DashboardSilent
from lab.streams.reading import read_stream
from lab.validation.completion import wait_for_watermark
from lab.validation.input_files import labels_of
from lab.validation.reference import windows
from lab.validation.scores import score

WORDS, KEYS_A_SHARD = 8, 10
GROUP_RECALL = GROUP_PRECISION = 0.8
SMALLEST_GROUP = 5


def _exercise(name: str) -> Callable[[Callable[[Lab], Finding]], Callable[[Lab], Finding]]:
    exercise = EXERCISES[name]
    keep = register(exercise.notebook, exercise.title, exercise.points)

    def answered(look: Callable[[Lab], Finding]) -> Callable[[Lab], Finding]:
        @wraps(look)
        def finding(lab: Lab) -> Finding:
            """A wrong answer was handed in as the sentence that says what is wrong with it."""
            note = handed_in(lab.session, name) if exercise.calls_a_function else None
            return Finding(False, f"the answer of {exercise.where}", note["wrong"]) if note and "wrong" in note else (
                look(lab)
            )  # fmt: skip

        return keep(finding)

    return answered


def _nothing(name: str, looked: str) -> Finding:
    return Finding(False, looked, EXERCISES[name].not_attempted, attempted=False)


def _sent(stream: str, note: dict[str, Any]) -> pd.DataFrame:
    """The records of one attempt, with the fields of their data as columns."""
    raw = read_stream(stream)
    rows = []
    for record in raw.itertuples(index=False):
        try:
            data = json.loads(record.data)
        except ValueError:
            continue
        if isinstance(data, dict) and data.get("attempt") == note.get("attempt"):
            rows.append({**data, "shard": record.shard, "partition_key": record.partition_key})
    table = pd.DataFrame(rows, columns=None if rows else ["shard", "partition_key", "review_id", "number"])
    table.attrs["shards"] = len(raw.attrs["open_shards"])
    return table


@_exercise("partition_key")
def partition_key(lab: Lab) -> Finding:
    looked = f"the records of {EXERCISE_STREAM}, each review twice, and your reason"
    note = handed_in(lab.session, "partition_key")
    if note is None:
        return _nothing("partition_key", looked)
    sent = _sent(EXERCISE_STREAM, note)
    if not len(sent) or len(sent) != note["sent"]:
        return Finding(False, looked, f"{len(sent):,} of {note['sent']:,} records are there: send them again.")
    copies = sent.groupby("review_id")["partition_key"].nunique()
    if (copies > 1).any():
        return Finding(
            False,
            looked,
            f"The copies of {(copies > 1).sum():,} reviews have two keys, so they may be in different shards and in no "
            "order: take the key from the review alone.",
        )
    shards, keys = sent.attrs["shards"], sent["partition_key"].nunique()
    if keys < min(KEYS_A_SHARD * shards, len(copies) // 2):
        return Finding(
            False,
            looked,
            f"There are only {keys:,} keys for {len(copies):,} reviews, and those of one key all go to one shard: "
            "take a field with more values.",
        )
    busiest = sent["shard"].value_counts(normalize=True).max()
    if busiest > 1.5 / shards + 2 / np.sqrt(len(copies)):
        return Finding(False, looked, f"One of {shards} shards got {busiest:.0%} of all: take a key with more values.")
    why = str(note.get("why") or "").strip()
    if len(why.split()) < WORDS:
        return Finding(
            False, looked, f"The reason has {len(why.split())} words: say in a sentence what the key decides."
        )
    return Finding(True, looked, f"{keys:,} keys, the busiest of {shards} shards has {busiest:.0%}. Your reason: {why}")


@_exercise("put_batch")
def put_batch(lab: Lab) -> Finding:
    looked = f"the records of your batch in {EXERCISE_STREAM}"
    note = handed_in(lab.session, "put_batch")
    if note is None:
        return _nothing("put_batch", looked)
    times = _sent(EXERCISE_STREAM, note)["number"].value_counts()
    missing, twice = note["sent"] - len(times), int((times > 1).sum())
    if missing:
        return Finding(
            False,
            looked,
            f"{missing:,} of {note['sent']:,} records never arrived: go on until FailedRecordCount is 0.",
        )
    if twice:
        return Finding(False, looked, f"{twice:,} records arrived more than once: resend only those with an ErrorCode.")
    return Finding(True, looked, f"All {len(times):,} records are there, each once.")


@_exercise("read_shard")
def read_shard(lab: Lab) -> Finding:
    note = handed_in(lab.session, "read_shard")
    if note is None:
        return _nothing("read_shard", "exercises/read_shard.json in the landing zone")
    looked = f"all records of {note['shard']} of reviews"
    raw = read_stream("reviews")
    raw = raw[raw["shard"] == note["shard"]]
    # Five seconds: what arrived while the function was about to end may be missing.
    due = raw[raw["arrival"] <= pd.Timestamp(note["at"]) - pd.Timedelta(seconds=5)]["sequence_number"].tolist()
    there = raw["sequence_number"].tolist()
    if note["count"] < len(due) or digest(there[: note["count"]]) != note["digest"]:
        return Finding(
            False,
            looked,
            f"You read {note['count']:,} of {len(there):,} records, or not in their order: begin at TRIM_HORIZON and "
            "follow NextShardIterator until nothing is behind it.",
        )
    return Finding(True, looked, f"{note['count']:,} records, all of them, in order.")


@_exercise("window")
def window(lab: Lab) -> Finding:
    looked = f"s3://{lab.session.flink_bucket}/{ZIP} and the windows in suspicious_activity"
    blank = {exercise.name for exercise in blank_exercises(lab)}
    if "window" in blank:
        return _nothing("window", looked)
    if "watermark" in blank:
        return _nothing("watermark", looked)
    result = read_result(lab)
    pairs = ["window_start", "window_end"]
    found = set(result.output.table[pairs].itertuples(index=False, name=None))
    wanted = set(result.reference.windows[pairs].itertuples(index=False, name=None))
    size, slide = lab["window_seconds"], lab["slide_seconds"]
    if strange := sorted(found - wanted):
        start, end = strange[0]
        return Finding(
            False,
            looked,
            f"There is a window from {start:%H:%M:%S} to {end:%H:%M:%S}; windows are {size} s long and begin every "
            f"{slide} s: look at the order of slide and size in HOP.",
        )
    # With too few subtasks rows are dropped as late, and whole windows with them: that is the next exercise's matter.
    if (absent := sorted(wanted - found)) and ("parallelism" not in blank or not found):
        start, end = absent[0]
        return Finding(
            False,
            looked,
            f"{len(absent):,} windows have no row, the first from {start:%H:%M:%S} to {end:%H:%M:%S}: look at slide "
            "and size in HOP, and whether the last events were sent.",
        )
    return Finding(True, looked, f"{len(found):,} windows, each {size} s long, one every {slide} s.")


@_exercise("parallelism")
def parallelism_matches(lab: Lab) -> Finding:
    subtasks, shards = parallelism(lab)
    looked = f"the application's parallelism ({subtasks}), the open shards of reviews ({shards}) and Flink's late rows"
    if subtasks == 1 < shards:
        return _nothing("parallelism", looked)
    if subtasks != shards:
        return Finding(
            False,
            looked,
            f"{subtasks} subtasks read {shards} shards: make them equal, then run 03_flink_job again.",
        )
    flink = boto3.client("kinesisanalyticsv2")
    url = flink.create_application_presigned_url(ApplicationName="student", UrlType="FLINK_DASHBOARD_URL")
    try:
        dashboard = Dashboard(url["AuthorizedUrl"])
        job = dashboard.running_job()
        late = dashboard.metric_sum(job["jid"], "numLateRecordsDropped") if job else 0
    except DashboardSilent:
        late = 0  # on AWS a program does not get behind the URL; the configuration is all there is
    if late:
        return Finding(False, looked, f"{late:,.0f} rows were late: run 03_flink_job again from the start.")
    return Finding(True, looked, "One subtask a shard, no row was late.")


@_exercise("watermark")
def watermark(lab: Lab) -> Finding:
    looked = "the watermark of the running job"
    if "watermark" in {exercise.name for exercise in blank_exercises(lab)}:
        return _nothing("watermark", looked)
    result = read_result(lab)
    if not len(result.events.table):
        return Finding(False, looked, "No review was sent since the application started: run 03_flink_job again.")
    wanted = result.reference.watermark
    try:
        found = wait_for_watermark(wanted)
    except DashboardSilent:
        closed = len(result.output.table) > 0
        message = "The windows closed." if closed else "No window closed: look at the watermark's clause."
        return Finding(closed, "the windows in suspicious_activity", message)
    if found is None or found != wanted:
        said = "there is none" if found is None else f"it is {found:%Y-%m-%d %H:%M:%S.%f}"[:-3]
        return Finding(
            False,
            looked,
            f"It should be {wanted:%Y-%m-%d %H:%M:%S}, the newest event less {lab['watermark_delay_seconds']} s, and "
            f"{said}: correct the clause, then run 03_flink_job again.",
        )
    delay = lab["watermark_delay_seconds"]
    return Finding(True, looked, f"{found:%Y-%m-%d %H:%M:%S}: {delay} s behind the newest event of the slowest shard.")


def _labels(lab: Lab) -> pd.DataFrame | None:
    return labels_of(lab.parameters.get("labels_file", ""), lab.parameters.get("reviews_file", "data/sample.json"))


@_exercise("threshold")
def threshold(lab: Lab) -> Finding:
    looked = "exercises/threshold.json, all windows of reviews, and the labels"
    labels = _labels(lab)
    if labels is None:
        return Finding(True, looked, "There are no labels, so there is nothing to choose by.")
    note = handed_in(lab.session, "threshold")
    if note is None:
        return _nothing("threshold", looked)
    result = read_result(lab)
    counts = windows(
        result.events, lab["window_seconds"], lab["slide_seconds"], 0, lab["watermark_delay_seconds"]
    ).windows
    scores = score(counts, labels)
    table = scores.by_threshold.fillna({"precision": 0.0})
    if table["precision"].max() < PRECISE_ENOUGH:
        return Finding(True, looked, nothing_to_choose(scores))
    if "threshold" not in note:
        return _nothing("threshold", looked)
    recall = table.loc[table["precision"] >= PRECISE_ENOUGH, "recall"].max()
    chosen = table[table["threshold"] == note["threshold"]]
    if not len(chosen) or chosen["precision"].iloc[0] < PRECISE_ENOUGH:
        return Finding(
            False,
            looked,
            f"At threshold {note['threshold']} precision is below {PRECISE_ENOUGH:.2f}: look where its line reaches "
            "that.",
        )
    if chosen["recall"].iloc[0] < recall:
        return Finding(
            False,
            looked,
            f"Threshold {note['threshold']} is precise enough, but a lower one is too and finds more: compare recall.",
        )
    return Finding(True, looked, scores.sentence(int(note["threshold"])))


@_exercise("groups")
def groups(lab: Lab) -> Finding:
    looked = f"the records of {GROUP_STREAM}, the reviews they mean, and the labels"
    note = handed_in(lab.session, "groups")
    if note is None:
        return _nothing("groups", looked)
    sent = _sent(GROUP_STREAM, note)
    if len(sent) != note["sent"]:
        return Finding(False, looked, f"{len(sent):,} of {note['sent']:,} records are there: run the cell again.")
    labels = _labels(lab)
    if labels is None:
        return Finding(True, looked, f"{len(sent):,} groups; there are no labels, so nobody knows who is right.")
    table = read_result(lab).events.table
    members = _catchable(table, labels, lab["window_seconds"], lab["slide_seconds"])
    flagged: set[str] = set()
    for row in sent.itertuples(index=False):
        start, end = pd.Timestamp(row.window_start), pd.Timestamp(row.window_end)
        inside = (table["movie"] == row.movie) & (table["event_time"] >= start) & (table["event_time"] < end)
        flagged |= set(table.loc[inside, "reviewer"])
    planted = set(labels.loc[labels["kind"] == "group_burst", "reviewer"])
    caught, right = len(members & flagged), len(planted & flagged)
    recall = caught / len(members) if members else 1.0
    precision = right / len(flagged) if flagged else 1.0
    said = f"{caught} of the {len(members)} reviewers who burst together are caught, {len(flagged) - right} others too"
    if recall < GROUP_RECALL:
        return Finding(False, looked, f"{said}: let the count go down until the groups come into sight.")
    if precision < GROUP_PRECISION:
        return Finding(False, looked, f"{said}: look how the ratings of a plot differ from those of an opening night.")
    return Finding(True, looked, f"{said}.")


def _catchable(table: pd.DataFrame, labels: pd.DataFrame, size: int, slide: int) -> set[str]:
    """The members of groups of which enough stand together in one window at this rate."""
    planted = labels.loc[labels["kind"] == "group_burst", "reviewer"]
    rows = table[table["reviewer"].isin(planted)]
    step, back = pd.Timedelta(seconds=slide), range(size // slide)
    parts = [rows.assign(start=rows["event_time"].dt.floor(step) - number * step) for number in back]
    found: set[str] = set()
    for _, window in pd.concat(parts).groupby(["movie", "start"]):
        if window["reviewer"].nunique() >= SMALLEST_GROUP:
            found |= set(window["reviewer"])
    return found
