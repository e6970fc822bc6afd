"""Run a student's function against the account, so that its check finds the traces."""

import hashlib
import json
import random
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pandas as pd

from lab.core.code_files import code_file
from lab.core.errors import LabError
from lab.core.names import EXERCISE_STREAM, INPUT_STREAM
from lab.core.session import Session
from lab.exercises import answers
from lab.exercises.answers import ask
from lab.exercises.catalog import EXERCISES, WrongAnswer, attempt, hand_in, own_function
from lab.streams.reading import read_stream
from lab.streams.records import Events
from lab.streams.shards import list_shards
from lab.validation.input_files import sendable_reviews
from lab.validation.reference import windows
from lab.validation.scores import Scores
from lab.validation.subtasks import read_by_subtasks

KEYED_REVIEWS, BATCH, REFUSED, PAGE = 200, 200, 0.3, 10
ANSWERS_IN_VAIN = 20  # of GetRecords, one after the other, that are empty at the tip, or that bring the same records
REQUESTS_IN_VAIN = 50  # of PutRecords, with records that have arrived already; a right solution sends none
PRECISE_ENOUGH = 0.6


class PracticeClient:
    """Provide the calls of a Kinesis client that an exercise needs; another one is refused with their names."""

    calls: tuple[str, ...] = ()

    def __init__(self, kinesis: Any) -> None:
        self._kinesis = kinesis
        self.exceptions = kinesis.exceptions

    def __getattr__(self, name: str) -> Any:
        there = " and ".join(f"`{call}`" for call in self.calls)
        raise AttributeError(f"the client of this exercise has no `{name}`, it has {there}")


class Unreliable(PracticeClient):
    """Refuse some records of every PutRecords, as a shard at its limit does."""

    calls = ("put_records",)

    def __init__(self, kinesis: Any, seed: int | None = None) -> None:
        super().__init__(kinesis)
        self._random = random.Random(seed)
        self._in_vain = 0
        self.requests = 0
        self.arrived: Counter[str] = Counter()  # partition key -> how often it came onto the stream

    def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Put records; about three of ten come back with ProvisionedThroughputExceededException.

        Raises WrongAnswer after REQUESTS_IN_VAIN with records that have arrived already: such a loop does not end.
        """
        self.requests += 1
        refused = {index for index in range(len(Records)) if self._random.random() < REFUSED}
        if self.requests == 1:
            refused.add(0)
        taken = [record for index, record in enumerate(Records) if index not in refused]
        answer: dict[str, Any] = {"Records": []}
        if taken or not Records:  # a request without records is refused as the service refuses it
            answer = self._kinesis.put_records(StreamName=StreamName, Records=taken)
        self._in_vain += any(record["PartitionKey"] in self.arrived for record in taken)
        if self._in_vain >= REQUESTS_IN_VAIN:
            raise WrongAnswer(
                f"Your `put_batch` sent the same records again and again, in {REQUESTS_IN_VAIN} requests after they "
                "had arrived: send only the refused records again, those whose entry in the answer has an ErrorCode."
            )
        self.arrived.update(record["PartitionKey"] for record in taken)
        entries = iter(answer["Records"])
        failed = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded for shard."}
        merged = [dict(failed) if index in refused else next(entries) for index in range(len(Records))]
        return {"FailedRecordCount": sum("ErrorCode" in one for one in merged), "Records": merged}


class SmallPages(PracticeClient):
    """Give few records in an answer of GetRecords, as a full shard does.

    An open shard has always a NextShardIterator: a loop that waits for its end is told so after 20 empty answers, and
    one that does not go on after 20 answers with the same records.
    """

    calls = ("get_shard_iterator", "get_records")

    def __init__(self, kinesis: Any, most: int = PAGE) -> None:
        super().__init__(kinesis)
        self._most, self._empty, self._same, self._first = most, 0, 0, ""

    def get_shard_iterator(self, **arguments: Any) -> dict[str, Any]:
        """Get a shard iterator."""
        return self._kinesis.get_shard_iterator(**arguments)

    def get_records(self, *, ShardIterator: str, Limit: int = 10_000, **more: Any) -> dict[str, Any]:  # noqa: N803
        """Get records. Raises WrongAnswer after ANSWERS_IN_VAIN in a row: empty at the tip, or the same records."""
        answer = self._kinesis.get_records(ShardIterator=ShardIterator, Limit=min(Limit, self._most), **more)
        self._empty = 0 if answer["Records"] or answer.get("MillisBehindLatest") else self._empty + 1
        first = answer["Records"][0]["SequenceNumber"] if answer["Records"] else ""
        self._same = self._same + 1 if first and first == self._first else 1
        self._first = first
        if self._same >= ANSWERS_IN_VAIN:
            raise WrongAnswer(
                f"Your `read_shard` got the same records {ANSWERS_IN_VAIN} times in a row, because the same iterator "
                "was used again, or a new one from the same place: go on with the NextShardIterator of each answer."
            )
        if self._empty >= ANSWERS_IN_VAIN:
            raise WrongAnswer(
                f"Your `read_shard` got {ANSWERS_IN_VAIN} empty answers in a row with MillisBehindLatest 0: that was "
                "all the shard holds, and one may stop at the first of them, because an open shard always has a "
                "NextShardIterator."
            )
        return answer


def send_keyed(
    session: Session, reviews: Path, partition_key: Callable[[dict[str, Any]], str], why: str
) -> pd.DataFrame | None:
    """Put the first reviews on the stream `exercises`, each twice, under the student's keys.

    Takes reviews that the function would send, and prints how many it left out. Returns records and keys per shard.
    """

    def work() -> pd.DataFrame:
        note, sent = uuid.uuid4().hex, []
        chosen, left_out = sendable_reviews(reviews, KEYED_REVIEWS)
        if left_out:
            why_not = ", ".join(f"{many} {reason}" for reason, many in left_out.items())
            print(f"Left out, as the function would reject them: {why_not}.")  # noqa: T201
        chosen = chosen * 2
        kinesis = boto3.client("kinesis")
        list_shards(kinesis, EXERCISE_STREAM)  # a stream that nobody made yet is no fault of the keys
        keys = answers.partition_keys(partition_key, chosen)
        records = [
            {"Data": json.dumps({"attempt": note, "review_id": review["review_id"]}).encode(), "PartitionKey": key}
            for review, key in zip(chosen, keys, strict=True)
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


def send_batch(session: Session, put_batch: Callable[..., Any] | None = None) -> None:
    """Let `put_batch` put one batch on `exercises`, through a client that refuses some; print what became of it.

    The default is `put_batch` of producer/put_batch.py.
    """

    def work() -> None:
        note = uuid.uuid4().hex
        records = [
            {"Data": json.dumps({"attempt": note, "number": number}).encode(), "PartitionKey": f"{note}-{number}"}
            for number in range(BATCH)
        ]
        kinesis = boto3.client("kinesis")
        list_shards(kinesis, EXERCISE_STREAM)  # a stream that nobody made yet is no fault of the function
        client = Unreliable(kinesis)
        ask(put_batch or code_file("producer/put_batch.py").put_batch, client, EXERCISE_STREAM, records)
        hand_in(session, "put_batch", attempt=note, sent=BATCH)
        print(answers.sent_in_words(BATCH, client.arrived, client.requests))  # noqa: T201

    attempt(session, "put_batch", work)


def hand_in_shard(session: Session, read_shard: Callable[[Any, str, str], list[dict[str, Any]]], shard: str) -> None:
    """Read a shard with the student's function, note which records it saw, and print how many of the shard's."""

    def own() -> list[str]:
        raw = read_stream(INPUT_STREAM)
        return raw.loc[raw["shard"] == shard, "sequence_number"].tolist()

    def work() -> None:
        there = own()
        due = len(there)  # before the function begins, so none of them may be missing
        numbers = answers.sequence_numbers(ask(read_shard, SmallPages(boto3.client("kinesis")), INPUT_STREAM, shard))
        if not set(numbers) <= set(there):  # they may have come meanwhile
            there = own()
        said = answers.read_in_words(numbers, there, due, shard)
        hand_in(session, "read_shard", shard=shard, count=len(numbers), due=due, digest=digest(numbers))
        print(said)  # noqa: T201

    attempt(session, "read_shard", work)


def read_with_own(stream: str, shard: str) -> pd.DataFrame | None:
    """Return the records of one shard, read with the `read_shard` that 02_producer holds, saved.

    None while that is blank.
    """
    try:
        function = own_function("02_producer", "read_shard")
        records = ask(function, SmallPages(boto3.client("kinesis"), most=10_000), stream, shard)
        return pd.DataFrame(records, columns=["SequenceNumber", "PartitionKey", "Data"])
    except NotImplementedError:
        print(EXERCISES["read_shard"].not_attempted)  # noqa: T201
    except WrongAnswer as error:
        print(f"✘ {error}")  # noqa: T201
    return None


def digest(sequence_numbers: list[str]) -> str:
    """Return SHA-256 of sequence numbers in their order."""
    return hashlib.sha256("\n".join(sequence_numbers).encode()).hexdigest()


def hand_in_threshold(
    session: Session, choose_threshold: Callable[[pd.DataFrame], int], scores: Scores | None
) -> str | None:
    """Note the threshold the student's function chooses from the scores."""
    if scores is None:
        return "There are no labels, so there is nothing to choose by."

    def work() -> str:
        best = scores.by_threshold["precision"].max()
        if not best >= PRECISE_ENOUGH:
            hand_in(session, "threshold", nothing_to_choose=True)
            return nothing_to_choose(scores)
        returned = ask(choose_threshold, scores.by_threshold.copy())
        chosen = answers.threshold(returned, scores)
        answers.no_row_label(choose_threshold, scores, returned)
        hand_in(session, "threshold", threshold=chosen)
        said = f"Chosen: keep movie_count > {chosen}. {scores.sentence(chosen)}"
        precise = scores.at(chosen)["precision"] >= PRECISE_ENOUGH
        return (
            said if precise else f"✘ {said} The precision is below {PRECISE_ENOUGH:.2f}, which the exercise asks for."
        )

    return attempt(session, "threshold", work)


def nothing_to_choose(scores: Scores) -> str:
    """Say why no threshold is precise enough, as with `clock = "now"`, which sends the whole file within seconds."""
    best, flagged = scores.by_threshold["precision"].max(), scores.by_threshold["flagged"].max()
    most = f"the largest precision is {best:.2f}" if best == best else "no reviewer is flagged at any"
    return (
        f"No threshold reaches a precision of {PRECISE_ENOUGH:.2f}: {most}, with up to {flagged:,} reviewers flagged. "
        'With `clock = "now"` event time is the time of sending, so all reviews fall into the same few windows; there '
        'is nothing to choose. Run 03_flink_job with `clock = "replay"` to do this exercise.'
    )


def dropped_by_parallelism(events: Events, **settings: int) -> pd.DataFrame:
    """Count what would be late at each parallelism up to the open shards, from the events sent.

    A subtask that reads several shards (`lab.validation.subtasks`) has one watermark over all of them. The unit is
    Flink's own (numLateRecordsDropped): a row counts when the last of its windows had closed before it. The watermark
    moves with every row here and every 200 ms in Flink, so Flink's number is another one in each run.
    Returns DataFrame[parallelism, late rows dropped].
    """
    name = "late rows dropped"
    parts = [part for part in (events.table, events.markers) if len(part)]
    if not parts:
        return pd.DataFrame(columns=[name])
    rows = pd.concat(parts, ignore_index=True)
    of_a_row = settings["window_seconds"] // settings["slide_seconds"]
    late = {}
    for parallelism in range(1, rows["shard"].nunique() + 1):
        read = read_by_subtasks(rows, parallelism)
        merged = read.assign(shard="subtask " + read["subtask"].astype(str), arrival=read["read"])
        merged["order"] = merged.groupby("shard").cumcount()
        pairs = windows(merged, **settings).late_pairs
        late[parallelism] = int((pairs.groupby(["shard", "order"]).size() == of_a_row).sum())
    return pd.DataFrame({name: late}).rename_axis("parallelism")
