"""What the notebooks do with a student's function: run it against the account, so that its check finds the traces."""

import hashlib
import json
import random
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pandas as pd

from lab.core.errors import LabError
from lab.core.names import EXERCISE_STREAM, GROUP_STREAM, INPUT_STREAM
from lab.core.session import Session
from lab.exercises.catalog import attempt, code_file, hand_in
from lab.streams.records import Events
from lab.validation.input_files import first_reviews
from lab.validation.reference import windows
from lab.validation.scores import Scores

KEYED_REVIEWS, BATCH, REFUSED, PAGE = 200, 200, 0.3, 10
GROUP_COLUMNS = ["movie", "window_start", "window_end"]


class Unreliable:
    """A Kinesis client whose PutRecords refuses some records of every request, as a shard at its limit does."""

    def __init__(self, kinesis: Any, refused: float = REFUSED, seed: int | None = None) -> None:
        self._kinesis, self._refused, self._random = kinesis, refused, random.Random(seed)
        self.requests = 0

    def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """PutRecords; about three of ten records come back with ProvisionedThroughputExceededException."""
        self.requests += 1
        refused = {index for index in range(len(Records)) if self._random.random() < self._refused}
        if self.requests == 1:
            refused.add(0)
        taken = [record for index, record in enumerate(Records) if index not in refused]
        answer = self._kinesis.put_records(StreamName=StreamName, Records=taken) if taken else {"Records": []}
        entries = iter(answer["Records"])
        failed = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded for shard."}
        merged = [dict(failed) if index in refused else next(entries) for index in range(len(Records))]
        return {"FailedRecordCount": sum("ErrorCode" in one for one in merged), "Records": merged}


class SmallPages:
    """A Kinesis client whose GetRecords gives few records an answer, as a full shard does."""

    def __init__(self, kinesis: Any, most: int = PAGE) -> None:
        self._kinesis, self._most = kinesis, most

    def get_shard_iterator(self, **arguments: Any) -> dict[str, Any]:
        """GetShardIterator."""
        return self._kinesis.get_shard_iterator(**arguments)

    def get_records(self, *, ShardIterator: str, Limit: int = 10_000, **more: Any) -> dict[str, Any]:  # noqa: N803
        """GetRecords."""
        return self._kinesis.get_records(ShardIterator=ShardIterator, Limit=min(Limit, self._most), **more)


def send_keyed(
    session: Session, reviews: Path, partition_key: Callable[[dict[str, Any]], str], why: str
) -> pd.DataFrame | None:
    """Put the first reviews on the stream `exercises`, each twice, under the student's keys.

    Returns records and keys per shard.
    """

    def work() -> pd.DataFrame:
        note, sent = uuid.uuid4().hex, []
        chosen = first_reviews(reviews, KEYED_REVIEWS).to_dict("records") * 2
        kinesis = boto3.client("kinesis")
        records = [
            {
                "Data": json.dumps({"attempt": note, "review_id": review["review_id"]}).encode(),
                "PartitionKey": partition_key(review),
            }
            for review in chosen
        ]
        for start in range(0, len(records), 100):
            answer = kinesis.put_records(StreamName=EXERCISE_STREAM, Records=records[start : start + 100])
            if answer["FailedRecordCount"]:
                raise LabError(f"The stream {EXERCISE_STREAM} refused records of the exercise: run this cell again.")
            sent += [(entry["ShardId"], record["PartitionKey"]) for entry, record in
                     zip(answer["Records"], records[start : start + 100], strict=True)]  # fmt: skip
        hand_in(session, "partition_key", attempt=note, sent=len(records), why=why)
        table = pd.DataFrame(sent, columns=["shard", "key"])
        return table.groupby("shard")["key"].agg(records="size", keys="nunique")

    return attempt(session, "partition_key", work)


def send_batch(session: Session, put_batch: Callable[..., Any] | None = None) -> str | None:
    """Let `put_batch` (by default that of producer/put_batch.py) put one batch on `exercises`, through a client that
    refuses some."""

    def work() -> str:
        note = uuid.uuid4().hex
        records = [
            {"Data": json.dumps({"attempt": note, "number": number}).encode(), "PartitionKey": f"{note}-{number}"}
            for number in range(BATCH)
        ]
        client = Unreliable(boto3.client("kinesis"))
        (put_batch or code_file("producer/put_batch.py").put_batch)(client, EXERCISE_STREAM, records)
        hand_in(session, "put_batch", attempt=note, sent=BATCH)
        return f"{BATCH} records in {client.requests} requests."

    return attempt(session, "put_batch", work)


def hand_in_shard(
    session: Session,
    read_shard: Callable[[Any, str, str], list[dict[str, Any]]],
    shard: str,
    stream: str = INPUT_STREAM,
) -> str | None:
    """Read a shard with the student's function and note which records it saw."""

    def work() -> str:
        records = read_shard(SmallPages(boto3.client("kinesis")), stream, shard)
        numbers = [record["SequenceNumber"] for record in records]
        hand_in(
            session, "read_shard", shard=shard, count=len(numbers), last=numbers[-1] if numbers else "",
            digest=digest(numbers),
        )  # fmt: skip
        return f"{len(numbers):,} records read from {shard}."

    return attempt(session, "read_shard", work)


def digest(sequence_numbers: list[str]) -> str:
    """SHA-256 of sequence numbers in their order."""
    return hashlib.sha256("\n".join(sequence_numbers).encode()).hexdigest()


def hand_in_threshold(
    session: Session, choose_threshold: Callable[[pd.DataFrame], int], scores: Scores | None
) -> str | None:
    """Note the threshold the student's function chooses from the scores."""
    if scores is None:
        return "There are no labels, so there is nothing to choose by."

    def work() -> str:
        chosen = int(choose_threshold(scores.by_threshold.copy()))
        hand_in(session, "threshold", threshold=chosen)
        return f"Chosen: keep movie_count > {chosen}. {scores.sentence(chosen)}"

    return attempt(session, "threshold", work)


def send_groups(
    session: Session, bursting_groups: Callable[..., pd.DataFrame], events: Events, window_seconds: int, slide: int
) -> pd.DataFrame | None:
    """Put what the student's function finds on the second output, the stream `suspicious_groups`."""

    def work() -> pd.DataFrame:
        note = uuid.uuid4().hex
        found = bursting_groups(events.table.copy(), window_seconds, slide)[GROUP_COLUMNS].drop_duplicates()
        kinesis = boto3.client("kinesis")
        for row in found.itertuples(index=False):
            data = {"attempt": note, "movie": row.movie, "window_start": str(row.window_start),
                    "window_end": str(row.window_end)}  # fmt: skip
            kinesis.put_record(StreamName=GROUP_STREAM, Data=json.dumps(data).encode(), PartitionKey=row.movie[:256])
        hand_in(session, "groups", attempt=note, sent=len(found))
        return found.reset_index(drop=True)

    return attempt(session, "groups", work)


def dropped_by_parallelism(events: Events, **settings: int) -> pd.DataFrame:
    """What would be late at each parallelism up to the number of open shards, from the events that were sent.

    A subtask that reads several shards takes their answers of GetRecords in turn (here: what arrived within 200 ms) and
    has one watermark over all of them. Returns DataFrame[parallelism, late (review, window) pairs].
    """
    parts = [part for part in (events.table, events.markers) if len(part)]
    if not parts:
        return pd.DataFrame(columns=["late (review, window) pairs"])
    rows = pd.concat(parts, ignore_index=True)
    rows["answer"] = rows["arrival"].dt.floor("200ms")
    rows = rows.sort_values(["answer", "shard", "order"], ignore_index=True)
    number = {shard: index for index, shard in enumerate(sorted(rows["shard"].unique()))}
    late = {}
    for parallelism in range(1, len(number) + 1):
        subtask = rows["shard"].map(number) % parallelism
        merged = rows.assign(shard="subtask " + subtask.astype(str), arrival=rows["answer"])
        merged["order"] = merged.groupby("shard").cumcount()
        late[parallelism] = len(windows(merged, **settings).late_pairs)
    return pd.DataFrame({"late (review, window) pairs": late}).rename_axis("parallelism")
