"""Check the exercises: what an attempt left in the account and the streams."""

from typing import Any

import numpy as np
import pandas as pd

from lab.checks.blanks import ran_with_one, require_written
from lab.checks.pipeline import Pipeline
from lab.checks.probe import Ask, Finding, Place, Probe, Settled
from lab.core.names import (
    APPLICATION,
    APPLICATION_ZIP,
    EXERCISE_STREAM,
    GROUP_STREAM,
    GROUPS_GROUP,
    INPUT_STREAM,
    OUTPUT_STREAM,
    REVIEWS_FILE,
)
from lab.exercises.attempts import PRECISE_ENOUGH, digest, nothing_to_choose
from lab.exercises.catalog import EXERCISES, handed_in
from lab.flink.rest import DashboardSilent
from lab.streams.reading import read_stream
from lab.streams.records import read_attempts
from lab.validation.completion import wait_for_watermark
from lab.validation.input_files import labels_of
from lab.validation.scores import score

WORDS, KEYS_A_SHARD = 8, 10
GROUP_RECALL = GROUP_PRECISION = 0.8
SMALLEST_GROUP = 5


def _exercise(function: Ask) -> Probe:
    """Make a function the check of the exercise of its name."""
    exercise = EXERCISES[function.__name__]
    return Probe(exercise.name, exercise.title, function, exercise.notebook, exercise.points)


def _not_attempted(name: str, place: Place) -> Finding:
    return place.open(EXERCISES[name].not_attempted)


def _answer(lab: Pipeline, name: str, place: Place) -> dict[str, Any]:
    """Read the note of what was handed in. Settles the check where nothing was, or what is wrong with it was."""
    note = handed_in(lab.session, name)
    if note is None:
        raise Settled(_not_attempted(name, place))
    if "wrong" in note:
        raise Settled(Place(f"the answer of {EXERCISES[name].where}").failed(note["wrong"]))
    return note


@_exercise
def partition_key(lab: Pipeline) -> Finding:
    place = Place(f"the records of {EXERCISE_STREAM}, each review twice, and your reason")
    note = _answer(lab, "partition_key", place)
    raw = read_stream(EXERCISE_STREAM)
    attempts = read_attempts(raw)
    sent = attempts[attempts["attempt"] == note["attempt"]]
    if not len(sent) or len(sent) != note["sent"]:
        return place.failed(f"{len(sent):,} of {note['sent']:,} records are there: send them again.")
    copies = sent.groupby("review_id")["partition_key"].nunique()
    if (copies > 1).any():
        return place.failed(
            f"The copies of {(copies > 1).sum():,} reviews have two keys, so they may be in different shards and in no "
            "order: take the key from the review alone."
        )
    shards, keys = len(raw.attrs["open_shards"]), sent["partition_key"].nunique()
    if keys < min(KEYS_A_SHARD * shards, len(copies) // 2):
        return place.failed(
            f"There are only {keys:,} keys for {len(copies):,} reviews, and those of one key all go to one shard: "
            "take a field with more values."
        )
    busiest = sent["shard"].value_counts(normalize=True).max()
    if busiest > 1.5 / shards + 2 / np.sqrt(len(copies)):
        return place.failed(f"One of {shards} shards got {busiest:.0%} of all: take a key with more values.")
    why = str(note.get("why") or "").strip()
    if len(why.split()) < WORDS:
        return place.failed(f"The reason has {len(why.split())} words: say in a sentence what the key decides.")
    return place.passed(
        f"{keys:,} keys, the busiest of {shards} shards has {busiest:.0%}. A person judges your reason: {why}"
    )


@_exercise
def put_batch(lab: Pipeline) -> Finding:
    place = Place(f"the records of your batch in {EXERCISE_STREAM}")
    note = _answer(lab, "put_batch", place)
    attempts = read_attempts(read_stream(EXERCISE_STREAM))
    times = attempts.loc[attempts["attempt"] == note["attempt"], "number"].value_counts()
    missing, twice = note["sent"] - len(times), int((times > 1).sum())
    if missing:
        return place.failed(
            f"{missing:,} of {note['sent']:,} records never arrived: send only the refused records again, until "
            "FailedRecordCount is 0."
        )
    if twice:
        return place.failed(f"{twice:,} records arrived more than once: send only the refused records again, "
                            "those with an ErrorCode.")  # fmt: skip
    return place.passed(f"All {len(times):,} records are there, each once.")


@_exercise
def read_shard(lab: Pipeline) -> Finding:
    note = _answer(lab, "read_shard", Place("exercises/read_shard.json in the landing zone"))
    place = Place(f"all records of {note['shard']} of reviews")
    raw = read_stream(INPUT_STREAM)
    raw = raw[raw["shard"] == note["shard"]]
    there = raw["sequence_number"].tolist()
    if note["count"] < note["due"] or digest(there[: note["count"]]) != note["digest"]:
        return place.failed(
            f"You read {note['count']:,} of {len(there):,} records, or not in their order: begin at TRIM_HORIZON and "
            "follow NextShardIterator until nothing is behind it."
        )
    return place.passed(f"{note['count']:,} records, all of them, in order.")


@_exercise
def window(lab: Pipeline) -> Finding:
    place = Place(f"s3://{lab.session.flink_bucket}/{APPLICATION_ZIP} and the windows in {OUTPUT_STREAM}")
    require_written(lab, place, "window", "watermark")
    pairs = ["window_start", "window_end"]
    found = set(lab.output.table[pairs].itertuples(index=False, name=None))
    wanted = set(lab.reference.windows[pairs].itertuples(index=False, name=None))
    size, slide = lab["window_seconds"], lab["slide_seconds"]
    if strange := sorted(found - wanted):
        start, end = strange[0]
        return place.failed(
            f"There is a window from {start:%H:%M:%S} to {end:%H:%M:%S}; windows are {size} s long and begin every "
            f"{slide} s: look at the order of slide and size in HOP."
        )
    # With too few subtasks rows are dropped as late, and whole windows with them: that is the next exercise's matter.
    if (absent := sorted(wanted - found)) and not (found and lab.one_for_all):
        start, end = absent[0]
        return place.failed(
            f"{len(absent):,} windows have no row, the first from {start:%H:%M:%S} to {end:%H:%M:%S}: look at slide "
            "and size in HOP, and whether the last events were sent."
        )
    return place.passed(f"{len(found):,} windows, each {size} s long, one every {slide} s.")


@_exercise
def parallelism(lab: Pipeline) -> Finding:
    subtasks, shards = lab.parallelism
    place = Place(
        f"the application's parallelism ({subtasks}), the open shards of reviews ({shards}) and Flink's late rows"
    )
    if lab.one_for_all:
        return place.open(ran_with_one(lab)) if lab.rows_dropped else _not_attempted("parallelism", place)
    if subtasks != shards:
        return place.failed(f"{subtasks} subtasks read {shards} shards: make them equal, then run 03_flink_job again.")
    # On AWS a program does not get behind the dashboard's URL; the configuration is all there is.
    if lab.rows_dropped:
        return place.failed(f"{lab.rows_dropped:,} rows were late: run 03_flink_job again from the start.")
    return place.passed("One subtask a shard, no row was late.")


@_exercise
def watermark(lab: Pipeline) -> Finding:
    place = Place("the watermark of the running job")
    require_written(lab, place, "watermark")
    if not len(lab.events.table):
        return place.failed("No review was sent since the application started: run 03_flink_job again.")
    wanted = lab.reference.watermark
    try:
        found = wait_for_watermark(wanted)
    except DashboardSilent:
        place = Place(f"the windows in {OUTPUT_STREAM}")
        if not len(lab.output.table):
            return place.failed("No window closed: look at the watermark's clause.")
        return place.passed("The windows closed.")
    if found is None or found != wanted:
        said = "there is none" if found is None else f"it is {found:%Y-%m-%d %H:%M:%S.%f}"[:-3]
        return place.failed(
            f"It should be {wanted:%Y-%m-%d %H:%M:%S}, the newest event less {lab['watermark_delay_seconds']} s, and "
            f"{said}: correct the clause, then run 03_flink_job again."
        )
    behind = f"{lab['watermark_delay_seconds']} s behind the newest event of the slowest shard"
    return place.passed(f"{found:%Y-%m-%d %H:%M:%S}: {behind}.")


def _labels(lab: Pipeline) -> pd.DataFrame | None:
    return labels_of(lab.parameters.get("labels_file", ""), lab.parameters.get("reviews_file", f"data/{REVIEWS_FILE}"))


@_exercise
def threshold(lab: Pipeline) -> Finding:
    place = Place("exercises/threshold.json, all windows of reviews, and the labels")
    if (labels := _labels(lab)) is None:
        return place.passed("There are no labels, so there is nothing to choose by.")
    note = _answer(lab, "threshold", place)
    scores = score(lab.all_windows.windows, labels)
    table = scores.by_threshold.fillna({"precision": 0.0})
    if table["precision"].max() < PRECISE_ENOUGH:
        return place.passed(nothing_to_choose(scores))
    if "threshold" not in note:
        return _not_attempted("threshold", place)
    recall = table.loc[table["precision"] >= PRECISE_ENOUGH, "recall"].max()
    chosen = table[table["threshold"] == note["threshold"]]
    if not len(chosen) or chosen["precision"].iloc[0] < PRECISE_ENOUGH:
        return place.failed(
            f"At threshold {note['threshold']} precision is below {PRECISE_ENOUGH:.2f}: look where its line reaches "
            "that."
        )
    if chosen["recall"].iloc[0] < recall:
        return place.failed(
            f"Threshold {note['threshold']} is precise enough, but a lower one is too and finds more: compare recall."
        )
    return place.passed(scores.sentence(int(note["threshold"])))


@_exercise
def groups(lab: Pipeline) -> Finding:
    place = Place(f"the records of {GROUP_STREAM}, the reviews they mean, and the labels")
    require_written(lab, place, "groups", "window", "watermark")
    if GROUPS_GROUP not in lab.properties:
        return place.failed(
            f"{APPLICATION} has no property group {GROUPS_GROUP}, so it looks for no groups: run 03_flink_job again "
            "from 'Configure it'."
        )
    table = lab.events.table
    if not len(table):
        return place.failed("No review was sent since the application started: run 03_flink_job again.")
    found = lab.groups
    if len(found.unreadable):
        first = found.unreadable["reason"].iloc[0]
        return place.failed(
            f"{len(found.unreadable):,} records cannot be read (the first: {first}): write the columns that the table "
            f"{GROUP_STREAM} declares."
        )
    if (labels := _labels(lab)) is None:
        return place.passed(f"{len(found.table):,} groups; there are no labels, so nobody knows who is right.")
    members = _catchable(table, labels, lab["window_seconds"], lab["slide_seconds"])
    flagged: set[str] = set()
    for row in found.table.itertuples(index=False):
        inside = (table["movie"] == row.movie) & table["event_time"].between(
            row.window_start, row.window_end, inclusive="left"
        )
        flagged |= set(table.loc[inside, "reviewer"])
    planted = set(labels.loc[labels["kind"] == "group_burst", "reviewer"])
    caught, right = len(members & flagged), len(planted & flagged)
    recall = caught / len(members) if members else 1.0
    precision = right / len(flagged) if flagged else 1.0
    said = f"{caught} of the {len(members)} reviewers who burst together are caught, {len(flagged) - right} others too"
    if recall < GROUP_RECALL and lab.one_for_all:
        return place.open(ran_with_one(lab))
    if recall < GROUP_RECALL:
        return place.failed(f"{said}: let the count go down until the groups come into sight.")
    if precision < GROUP_PRECISION:
        return place.failed(f"{said}: look how the ratings of a plot differ from those of an opening night.")
    return place.passed(f"{said}.")


def _catchable(table: pd.DataFrame, labels: pd.DataFrame, size: int, slide: int) -> set[str]:
    """Name the members of groups of which enough stand together in one window at this rate."""
    planted = labels.loc[labels["kind"] == "group_burst", "reviewer"]
    rows = table[table["reviewer"].isin(planted)]
    step, back = pd.Timedelta(seconds=slide), range(size // slide)
    parts = [rows.assign(start=rows["event_time"].dt.floor(step) - number * step) for number in back]
    found: set[str] = set()
    for _, window in pd.concat(parts).groupby(["movie", "start"]):
        if window["reviewer"].nunique() >= SMALLEST_GROUP:
            found |= set(window["reviewer"])
    return found
