"""Right and wrong answers to the exercises, in an embedded account of their own."""

import hashlib
import io
import json
import random
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
import pytest

from lab.checks import check
from lab.checks.check import CHECKS
from lab.checks.pipeline import Pipeline
from lab.checks.probe import Finding, Place, probe, take
from lab.core.errors import LabError, StepMissing
from lab.core.names import APPLICATION_SCRIPT, EXERCISE_STREAM, GROUPS_GROUP
from lab.core.session import Session, connect
from lab.exercises.attempts import (
    Unreliable,
    dropped_by_parallelism,
    hand_in_shard,
    hand_in_threshold,
    read_with_own,
    send_batch,
    send_keyed,
)
from lab.exercises.catalog import EXERCISES, handed_in
from lab.exercises.student_edition import student_files
from lab.streams.reading import Position
from lab.streams.records import Events, Groups, Output, read_groups
from lab.validation.input_files import labels_of
from lab.validation.reference import windows
from lab.validation.scores import score
from tests.support.account import PROJECT, EmbeddedAccount, running_account

WHY = "Each review has an id of its own, so they spread evenly."
SAMPLE = PROJECT / "data" / "sample.json"
SETTINGS = {"window_seconds": 60, "slide_seconds": 30, "threshold": 1, "watermark_delay_seconds": 5}


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    with running_account(tmp_path_factory.mktemp("exercises"), "--cold") as account:
        account.client("s3").create_bucket(Bucket="000000000000-landing-zone")
        kinesis = account.client("kinesis")
        for name, shards in {EXERCISE_STREAM: 4, "reviews": 2}.items():
            kinesis.create_stream(StreamName=name, ShardCount=shards)
            kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
        yield account


@pytest.fixture
def session(embedded: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch) -> Session:
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.setenv(name, "")  # connect changes them; they are put back after the test
    for name in ("LOCALAWS_PORT", "LOCALAWS_HOME"):
        monkeypatch.setenv(name, embedded.environment[name])
    return connect()


def finding(session: Session, name: str, known: dict[str, Any] | None = None, **more: Any) -> Finding:
    (check,) = [check for check in CHECKS if check.slug == name]
    return take(check, Pipeline(session, {**SETTINGS, "reviews_file": "data/sample.json", **more}, known))


def test_the_partition_key_by_its_id_is_right(session: Session) -> None:
    table = send_keyed(session, SAMPLE, lambda review: review["review_id"], WHY)
    assert table is not None and table["records"].sum() == 400 and len(table) == 4
    found = finding(session, "partition_key")
    assert found.passed, found.message
    assert "200 keys" in found.message and f"A person judges your reason: {WHY}" in found.message


def test_reviews_that_the_function_would_reject_are_left_out_and_counted(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reviews = json.loads(SAMPLE.read_text())[:210]
    reviews[3]["review_id"] = ""
    reviews[4] = "no review"
    odd = tmp_path / "odd.json"
    odd.write_text(json.dumps(reviews))
    table = send_keyed(session, odd, lambda review: review["review_id"], WHY)
    assert table is not None and table["records"].sum() == 400
    said = "Left out, as the function would reject them: 1 empty review_id, 1 not an object.\n"
    assert capsys.readouterr().out == said


@pytest.mark.parametrize(
    ("key", "why", "said"),
    [
        (lambda review: str(review["rating"]), WHY, "There are only 11 keys for 200 reviews"),
        (lambda review: str(random.random()), WHY, "have two keys"),
        (lambda review: review["review_id"], "because", "The reason has 1 words"),
    ],
    ids=["few", "random", "no reason"],
)
def test_other_keys_are_told_what_is_wrong(session: Session, key: Any, why: str, said: str) -> None:
    send_keyed(session, SAMPLE, key, why)
    found = finding(session, "partition_key")
    assert (found.passed, found.attempted) == (False, True)
    assert said in found.message


def test_going_back_to_the_blank_takes_back_what_was_handed_in(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    send_keyed(session, SAMPLE, lambda review: review["review_id"], WHY)

    def blank(review: dict[str, Any]) -> str:
        raise NotImplementedError

    assert send_keyed(session, SAMPLE, blank, "") is None
    assert capsys.readouterr().out == EXERCISES["partition_key"].not_attempted + "\n"
    assert handed_in(session, "partition_key") is None
    found = finding(session, "partition_key")
    assert (found.passed, found.attempted, found.message) == (False, False, EXERCISES["partition_key"].not_attempted)


def misspelt(review: dict[str, Any]) -> str:
    return review["reviewid"]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (lambda review: review["rating"], r"returned null \(None\) at review 45 \(rw\d+\), and no usable key for 15 of "
         r"200 reviews in all: a partition key is a text of 1 to 256 characters"),
        (misspelt, r"Your `misspelt` failed at review 1 in its line 2 \(`return review\[\"reviewid\"\]`\) with "
         r"KeyError: 'reviewid': correct it"),
        (lambda review: review["spoiler_tag"], r"returned 1 \(of the type int\) at review 1 "),
        (lambda review: "", r"returned '' \(of the type str\) at review 1 \(rw\d+\), and no usable key for 200 of 200"),
    ],
    ids=["null", "misspelt", "a number", "empty"],
)  # fmt: skip
def test_what_is_no_key_is_one_sentence_and_the_check_says_it_again(
    session: Session, capsys: pytest.CaptureFixture[str], key: Any, said: str
) -> None:
    assert send_keyed(session, SAMPLE, key, WHY) is None
    shown = capsys.readouterr().out
    assert shown.startswith("✘ Your ") and re.search(said, shown), shown
    found = finding(session, "partition_key")
    assert (found.passed, found.attempted) == (False, True)
    assert f"✘ {found.message}\n" == shown


def put_batch_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str) -> None:
    path = tmp_path / "put_batch.py"
    path.write_text(f"def put_batch(kinesis, stream, records):\n{body}")
    monkeypatch.setattr("lab.core.code_files.project_path", lambda _: path)


def test_resending_what_failed_and_only_that_is_right(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    send_batch(session)
    said = r"200 of 200 records arrived, in ([2-9]|1\d) requests, each once\.\n"
    assert re.fullmatch(said, capsys.readouterr().out)
    found = finding(session, "put_batch")
    assert found.passed and found.message == "All 200 records are there, each once."


@pytest.mark.parametrize(
    ("body", "shows", "said"),
    [
        (
            "    kinesis.put_records(StreamName=stream, Records=records)\n",
            r"✘ 1[2-7]\d of 200 records arrived, in 1 request; \d\d were refused and not sent again\.$",
            "records never arrived: send only the refused records again, until FailedRecordCount is 0",
        ),
        (
            "    for _ in range(30):\n        kinesis.put_records(StreamName=stream, Records=records)\n",
            r"✘ 200 of 200 records arrived, in 30 requests; 200 of them arrived more than once\.$",
            "records arrived more than once: send only the refused records again",
        ),
        (
            "    while kinesis.put_records(StreamName=stream, Records=records)['FailedRecordCount']:\n        pass\n",
            r"✘ Your `put_batch` sent the same records again and again, in 50 requests after they had arrived: send "
            r"only the refused records again, those whose entry in the answer has an ErrorCode\.$",
            "in 50 requests after they had arrived: send only the refused records again",
        ),
        (
            "    while records:\n        answer = kinesis.put_records(StreamName=stream, Records=records)\n"
            "        records = [entry for entry in answer['Records'] if 'ErrorCode' in entry]\n",
            r"✘ Your `put_batch` failed in its line 3 \(`answer = .*\) with ParamValidationError: Missing required "
            r'parameter in Records\[0\]: "Data" \(and \d+ more like it\): correct it, save its file, then',
            "with ParamValidationError",
        ),
        (
            "    while True:\n        kinesis.put_records(StreamName=stream, Records=[])\n",
            r"✘ Your `put_batch` failed .* with ParamValidationError: Invalid length for parameter Records, value: 0, "
            r"valid min length: 1: correct it",
            "Invalid length for parameter Records",
        ),
        (
            "    kinesis.put_record(StreamName=stream, **records[0])\n",
            r"✘ Your `put_batch` failed in its line 2 .* with AttributeError: the client of this exercise has no "
            r"`put_record`, it has `put_records`: correct it",
            "it has `put_records`",
        ),
    ],
    ids=["never again", "everything again", "everything without end", "the entries again", "nothing", "one by one"],
)
def test_other_batches_are_told_what_is_wrong(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    body: str, shows: str, said: str,
) -> None:  # fmt: skip
    put_batch_in(monkeypatch, tmp_path, body)
    send_batch(session)
    shown = capsys.readouterr().out
    assert re.match(shows, shown), shown
    found = finding(session, "put_batch")
    assert (found.passed, found.attempted) == (False, True)
    assert said in found.message


def test_the_blank_of_the_code_file_is_not_attempted(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "put_batch.py"
    path.write_text(student_files()["producer/put_batch.py"])
    monkeypatch.setattr("lab.core.code_files.project_path", lambda _: path)
    assert send_batch(session) is None
    assert not finding(session, "put_batch").attempted


def test_without_the_stream_of_the_exercises_no_function_is_blamed(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.exercises.attempts.EXERCISE_STREAM", "nowhere")
    with pytest.raises(StepMissing, match="`nowhere` does not exist: run 01_streams first"):
        send_keyed(session, SAMPLE, lambda review: review["review_id"], WHY)
    with pytest.raises(StepMissing, match="`nowhere` does not exist: run 01_streams first"):
        send_batch(session)


def test_the_unreliable_client_answers_in_the_order_of_the_request(session: Session) -> None:
    records = [{"Data": b"{}", "PartitionKey": str(number)} for number in range(50)]
    client = Unreliable(boto3.client("kinesis"), seed=3)
    answer = client.put_records(StreamName=EXERCISE_STREAM, Records=records)
    refused = [number for number, entry in enumerate(answer["Records"]) if "ErrorCode" in entry]
    assert 0 in refused and len(refused) == answer["FailedRecordCount"] < 50
    assert all("SequenceNumber" in entry for entry in answer["Records"] if "ErrorCode" not in entry)


def read_all(kinesis: Any, stream: str, shard: str) -> list[dict[str, Any]]:
    arguments = {"StreamName": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    iterator, records = kinesis.get_shard_iterator(**arguments)["ShardIterator"], []
    while True:
        answer = kinesis.get_records(ShardIterator=iterator)
        if not answer["Records"]:
            return records
        records += answer["Records"]
        iterator = answer["NextShardIterator"]


def first_page(kinesis: Any, stream: str, shard: str) -> list[dict[str, Any]]:
    return read_all(kinesis, stream, shard)[:10]


def test_a_whole_shard_is_right_and_less_is_not_however_young_it_is(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    kinesis = boto3.client("kinesis")
    for number in range(35):
        kinesis.put_record(StreamName="reviews", Data=b"{}", PartitionKey=str(number), ExplicitHashKey="0")
    shard = kinesis.list_shards(StreamName="reviews")["Shards"][0]["ShardId"]
    hand_in_shard(session, read_all, shard)
    assert capsys.readouterr().out == f"35 of 35 records of {shard} read.\n"
    assert finding(session, "read_shard").message == "35 records, all of them, in order."
    hand_in_shard(session, first_page, shard)
    assert capsys.readouterr().out == f"✘ 10 of 35 records of {shard} read.\n"
    for wrong in (
        first_page,
        lambda *given: [],
        lambda *given: read_all(*given)[-10:],
        lambda *given: read_all(*given)[::2],
    ):
        hand_in_shard(session, wrong, shard)
        found = finding(session, "read_shard")
        assert not found.passed and "of 35 records" in found.message


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda kinesis, stream, shard: read_all(kinesis, stream, "shardId-000000000001"),
         r"These are not the records of shardId-000000000000: 37 of the 37 that your `read_shard` returned are not in "
         r"that shard, so let the function use its arguments `stream` and `shard`\."),
        (lambda *given: read_all(*given)[::-1], r"in another order than they are in"),
        (lambda *given: read_all(*given) * 2, r"returned \d+ records of shardId-000000000000 once more"),
    ],
    ids=["another shard", "backwards", "twice"],
)  # fmt: skip
def test_as_many_records_as_the_shard_has_are_not_enough(
    session: Session, capsys: pytest.CaptureFixture[str], function: Any, said: str
) -> None:
    kinesis = boto3.client("kinesis")
    for key in "acd":
        kinesis.put_record(StreamName="reviews", Data=b"{}", PartitionKey=key, ExplicitHashKey="0")
    there = len(read_all(kinesis, "reviews", "shardId-000000000001"))
    for number in range(37 - there):  # more than the shard that is asked for
        kinesis.put_record(StreamName="reviews", Data=b"{}", PartitionKey="b", ExplicitHashKey=str(2**128 - 1 - number))
    hand_in_shard(session, function, "shardId-000000000000")
    shown = capsys.readouterr().out
    assert shown.startswith("✘ ") and re.search(said, shown), shown
    found = finding(session, "read_shard")
    assert (found.passed, found.attempted, f"✘ {found.message}\n") == (False, True, shown)


def test_a_record_that_comes_while_the_function_reads_is_the_shards_own(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    def read_late(kinesis: Any, stream: str, shard: str) -> list[dict[str, Any]]:
        boto3.client("kinesis").put_record(StreamName=stream, Data=b"{}", PartitionKey="a", ExplicitHashKey="0")
        return read_all(kinesis, stream, shard)

    hand_in_shard(session, read_late, "shardId-000000000000")
    assert re.fullmatch(r"(\d+) of \1 records of shardId-000000000000 read\.\n", capsys.readouterr().out)
    assert finding(session, "read_shard").passed


def same_iterator(kinesis: Any, stream: str, shard: str) -> list[dict[str, Any]]:
    start = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records: list[dict[str, Any]] = []
    while answer := kinesis.get_records(ShardIterator=start["ShardIterator"])["Records"]:
        records += answer
    return records


def from_the_beginning(kinesis: Any, stream: str, shard: str) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    while answer := first_answer(kinesis, stream, shard):
        records += answer
    return records


def first_answer(kinesis: Any, stream: str, shard: str) -> list[dict[str, Any]]:
    start = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return kinesis.get_records(ShardIterator=start["ShardIterator"])["Records"]


def for_ever(kinesis: Any, stream: str, shard: str) -> list[dict[str, Any]]:
    start = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    iterator, records = start["ShardIterator"], []
    while iterator:
        answer = kinesis.get_records(ShardIterator=iterator)
        records += answer["Records"]
        iterator = answer.get("NextShardIterator")
    return records


def stopped_by_hand(kinesis: Any, stream: str, shard: str) -> list[dict[str, Any]]:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (for_ever, "got 20 empty answers in a row with MillisBehindLatest 0: that was all the shard holds"),
        (stopped_by_hand, "Your `stopped_by_hand` was interrupted in its line 2 (`raise KeyboardInterrupt`)"),
        (same_iterator, "got the same records 20 times in a row, because the same iterator was used again"),
        (from_the_beginning, "or a new one from the same place: go on with the NextShardIterator of each answer"),
    ],
    ids=["for ever", "interrupted", "same iterator", "from the beginning"],
)
def test_a_reader_that_does_not_end_is_told(
    session: Session, capsys: pytest.CaptureFixture[str], function: Any, said: str
) -> None:
    boto3.client("kinesis").put_record(StreamName="reviews", Data=b"{}", PartitionKey="a", ExplicitHashKey="0")
    hand_in_shard(session, function, "shardId-000000000000")
    assert said in capsys.readouterr().out
    assert said in finding(session, "read_shard").message


def notebook_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str) -> None:
    """A saved 02_producer that holds this cell."""
    path = tmp_path / "02_producer.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": source.splitlines(keepends=True)}]}))
    monkeypatch.setattr("lab.exercises.catalog.project_path", lambda _: path)


def test_one_shard_is_read_with_the_students_own_function(session: Session) -> None:
    """The solution of 02_producer, as it stands there."""
    kinesis = boto3.client("kinesis")
    kinesis.put_record(StreamName="reviews", Data=b"{}", PartitionKey="own", ExplicitHashKey=str(2**128 - 1))
    shard = kinesis.list_shards(StreamName="reviews")["Shards"][-1]["ShardId"]
    table = read_with_own("reviews", shard)
    assert table is not None and table["PartitionKey"].tolist()[-1] == "own"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def read_shard(kinesis, stream, shard):\n    raise NotImplementedError()\n", "Not attempted yet"),
        ("def read_shard(kinesis, stream, shard):\n    return kinesis.nothing\n", "✘ Your `read_shard` failed"),
    ],
    ids=["blank", "wrong"],
)
def test_without_an_own_function_the_notebook_says_so_and_goes_on(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    source: str, said: str,
) -> None:  # fmt: skip
    notebook_with(monkeypatch, tmp_path, source)
    assert read_with_own("reviews", "shardId-000000000000") is None
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    "around",
    ["%%time\n{}", "%%capture said\n{}", "%matplotlib inline\n{}", "!ls\n{}\nread_shard?\n"],
    ids=["time", "capture", "line", "shell"],
)
def test_a_cell_with_magics_is_read_as_ipython_reads_it(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, around: str
) -> None:
    notebook_with(monkeypatch, tmp_path, around.format("def read_shard(kinesis, stream, shard):\n    return []\n"))
    table = read_with_own("reviews", "shardId-000000000000")
    assert table is not None and not len(table)


@pytest.mark.parametrize("source", ["x = 1\n", "def read_shard(:\n"], ids=["none", "no Python"])
def test_a_notebook_without_the_function_is_one_sentence(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    notebook_with(monkeypatch, tmp_path, source)
    with pytest.raises(LabError, match="then run this cell again"):
        read_with_own("reviews", "shardId-000000000000")


@pytest.fixture(scope="module")
def sample() -> Events:
    """The sample as `reviews` holds it: four shards in turn, ten reviews a second, one marker a shard at the end."""
    table = pd.DataFrame(json.loads(SAMPLE.read_text()))[["review_id", "reviewer", "movie", "rating"]]
    number = pd.Series(range(len(table)))
    time = pd.Timestamp("2026-01-01") + pd.to_timedelta(number * 100, unit="ms")
    table = table.assign(
        shard="shard-" + (number % 4).astype(str), order=number // 4, event_time=time,
        arrival=pd.Timestamp("2026-11-01", tz="UTC") + pd.to_timedelta(number // 400 * 200, unit="ms"),
    )  # fmt: skip
    marker = table.iloc[-4:].assign(reviewer=None, review_id="end-marker", event_time=time.max() + pd.Timedelta("5min"))
    marker["order"] += 1
    return Events(table, marker, pd.DataFrame(), tuple(sorted(table["shard"].unique())), ())


@pytest.fixture(scope="module")
def known(sample: Events) -> dict[str, Any]:
    reference = windows(sample, 60, 30, 1, 5)
    position = Position("student", pd.Timestamp("2026-11-01").to_pydatetime(), "reviews", {})
    return {"position": position, "events": sample, "reference": reference, "output": Output(reference.windows)}


@pytest.mark.parametrize(("chosen", "said"), [(3, ""), (2, "precision is below 0.60"), (4, "a lower one is too")])
def test_the_threshold_is_the_lowest_that_is_precise_enough(
    session: Session, sample: Events, known: dict[str, Any], chosen: int, said: str
) -> None:
    scores = score(windows(sample, 60, 30, 0, 5).windows, labels_of("", "data/sample.json"))
    shown = hand_in_threshold(session, lambda table: chosen, scores) or ""
    assert shown.startswith(f"{'✘ ' * (chosen == 2)}Chosen: keep movie_count > {chosen}. ")
    assert ("The precision is below 0.60" in shown) is (chosen == 2)
    found = finding(session, "threshold", known)
    assert found.passed is not bool(said), found.message
    assert said in found.message


@pytest.mark.parametrize(
    ("choose", "said"),
    [
        (lambda table: table["precision"].max(), "returned 1.0: that is a precision, not a threshold"),
        (lambda table: 0.5, "returned 0.5: return one whole number"),
        (lambda table: table, "returned a DataFrame of 12: return one whole number"),
        (lambda table: None, "returned None (is a `return` missing?)"),
        (lambda table: table[table["precision"] > 1]["threshold"].iloc[0], "with IndexError: single positional"),
        (
            lambda table: table[table["precision"] >= 0.6]["recall"].idxmax(),
            "returned 2: that is the label of a row, as `idxmax` returns it, and not its threshold, so return",
        ),
    ],
    ids=["precision", "half", "table", "nothing", "IndexError", "label"],
)
def test_what_is_no_threshold_is_not_made_one(
    session: Session, sample: Events, capsys: pytest.CaptureFixture[str], choose: Any, said: str
) -> None:
    scores = score(windows(sample, 60, 30, 0, 5).windows, labels_of("", "data/sample.json"))
    assert hand_in_threshold(session, choose, scores) is None
    assert said in capsys.readouterr().out
    found = finding(session, "threshold")
    assert (found.passed, found.attempted) == (False, True) and said in found.message


def test_a_threshold_from_a_row_of_the_table_may_be_a_float(session: Session, sample: Events) -> None:
    scores = score(windows(sample, 60, 30, 0, 5).windows, labels_of("", "data/sample.json"))
    assert "keep movie_count > 3." in (
        hand_in_threshold(session, lambda table: table.iloc[2]["threshold"], scores) or ""
    )


def test_where_no_threshold_is_precise_enough_it_is_said_and_nothing_is_lost(session: Session, sample: Events) -> None:
    """With the wall clock all reviews are of one second, and everybody who writes twice is flagged."""
    at_once = sample.table.assign(event_time=sample.table["event_time"].min())
    events = Events(at_once, sample.markers, sample.unreadable, sample.open_shards, ())
    scores = score(windows(events, 60, 30, 0, 5).windows, labels_of("", "data/sample.json"))

    def choose(table: pd.DataFrame) -> int:
        return table[table["precision"] >= 0.6]["threshold"].iloc[0]

    said = hand_in_threshold(session, choose, scores) or ""
    assert "No threshold reaches a precision of 0.60" in said and 'With `clock = "now"`' in said
    found = finding(session, "threshold", {"events": events})
    assert found.passed and "No threshold reaches a precision of 0.60" in found.message


def crowds(reviews: pd.DataFrame, size: int, slide: int, *, agreed: bool, least: int = 5) -> pd.DataFrame:
    rows = reviews.assign(window_start=reviews["event_time"].dt.floor(f"{slide}s"), rating=reviews["rating"].fillna(""))
    rows = pd.concat([rows, rows.assign(window_start=rows["window_start"] - pd.Timedelta(seconds=slide))])
    counts = rows.groupby(["movie", "window_start"]).agg(n=("reviewer", "nunique"), r=("rating", "nunique"))
    found = counts[(counts["n"] >= least) & ((counts["r"] == 1) | (not agreed))].reset_index()
    return found.rename(columns={"n": "reviewers"}).assign(
        window_end=found["window_start"] + pd.Timedelta(seconds=size)
    )


def package_of(source: str) -> zipfile.ZipFile:
    """The zip of an application whose file is this."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as out:
        out.writestr(APPLICATION_SCRIPT, source)
    return zipfile.ZipFile(package)


def with_groups(known: dict[str, Any], groups: pd.DataFrame, **more: Any) -> dict[str, Any]:
    """What is known of an account whose application has written these groups."""
    source = (PROJECT / "flink_app" / APPLICATION_SCRIPT).read_text()
    there = {"package": package_of(source), "properties": {GROUPS_GROUP: {}}, "parallelism": (4, 4)}
    return {**known, **there, "groups": Groups(groups), **more}


@pytest.mark.parametrize(
    ("agreed", "least", "said"),
    [(True, 5, "30 of the 30 reviewers who burst together are caught, 0 others too."),
     (False, 5, "look how the ratings of a plot differ"), (True, 50, "let the count go down")],
    ids=["right", "opening nights too", "nobody"],
)  # fmt: skip
def test_groups_are_caught_and_opening_nights_are_not(
    session: Session, sample: Events, known: dict[str, Any], agreed: bool, least: int, said: str
) -> None:
    found = finding(session, "groups", with_groups(known, crowds(sample.table, 60, 30, agreed=agreed, least=least)))
    assert found.passed is (least == 5 and agreed), found.message
    assert said in found.message


def test_groups_that_one_subtask_lost_are_the_matter_of_exercise_6(session: Session, known: dict[str, Any]) -> None:
    nobody = pd.DataFrame(columns=["movie", "reviewers", "window_start", "window_end"])
    found = finding(session, "groups", with_groups(known, nobody, parallelism=(1, 4), rows_dropped=1435))
    assert not found.passed and not found.attempted
    assert "1,435 rows were dropped as late" in found.message


def test_a_second_output_that_cannot_be_judged_says_why(
    session: Session, sample: Events, known: dict[str, Any]
) -> None:
    right = crowds(sample.table, 60, 30, agreed=True)
    none = finding(session, "groups", with_groups(known, right, properties={}))
    assert not none.passed and none.attempted
    assert "has no property group producer.config.1, so it looks for no groups: run 03_flink_job again" in none.message
    odd = read_groups(pd.DataFrame({"shard": ["s"], "sequence_number": ["1"], "data": [b'{"movie": "m"}']}))
    unreadable = finding(session, "groups", {**with_groups(known, right), "groups": odd})
    assert not unreadable.passed and "1 records cannot be read (the first: reviewers is 'None')" in unreadable.message


@pytest.mark.parametrize(("solved", "waits_for"), [((), "groups"), (("bursting_groups",), "window")])
def test_a_blank_second_statement_is_not_attempted(
    session: Session, known: dict[str, Any], solved: tuple[str, ...], waits_for: str
) -> None:
    """Where it is solved and the window is blank, the application writes nothing, and that is the exercise to do."""
    source = student_files()["flink_app/SlidingWindows/sliding-windows.py"]
    for name in solved:
        begin = source.index("raise NotImplementedError()", source.index(f"def {name}("))
        source = source[:begin] + source[begin:].replace("raise NotImplementedError()", "return ''", 1)
    found = finding(session, "groups", {**known, "package": package_of(source)})
    assert (found.passed, found.attempted) == (False, False)
    assert found.message == EXERCISES[waits_for].not_attempted


@pytest.mark.parametrize("slug", ["window", "watermark", "groups"])
def test_an_edited_file_does_not_pass_by_what_ran_before(
    session: Session, known: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slug: str
) -> None:
    """Compared is what stands in the files, and the zip in the bucket with the one that the application has."""
    folder = tmp_path / "SlidingWindows"
    folder.mkdir()
    source = (PROJECT / "flink_app" / APPLICATION_SCRIPT).read_text()
    script = folder / "sliding-windows.py"
    script.write_text(source.replace(' = 1"""', ' <= 2"""'))
    (check,) = [check for check in CHECKS if check.slug == slug]

    def found(runs: bytes) -> Finding:
        digest = hashlib.md5(runs, usedforsecurity=False).hexdigest()
        code = {"ApplicationCodeConfigurationDescription": {"CodeContentDescription": {"CodeMD5": digest}}}
        detail = {"ApplicationConfigurationDescription": code}
        monkeypatch.setattr(Pipeline, "application", lambda lab: detail)
        there = with_groups(known, crowds(known["events"].table, 60, 30, agreed=True), package_bytes=b"zip")
        return take(check, Pipeline(session, {**SETTINGS, "reviews_file": "data/sample.json"}, there, folder))

    edited = found(b"zip")
    assert (edited.passed, edited.attempted) == (False, True)
    assert edited.message == (
        "Your file SlidingWindows/sliding-windows.py is newer than the zip in the bucket, so what ran is not what you "
        "wrote: run 03_flink_job again from 'Package and upload' on, then this notebook."
    )
    script.write_text(source)
    assert "The zip in the bucket is newer than the one that runs" in found(b"older").message
    if slug != "watermark":  # which asks the running job
        assert found(b"zip").passed


@pytest.mark.parametrize("slug", ["window", "watermark", "windows_equal", "nothing_lost", "output_visible", "groups"])
def test_a_notebook_with_another_threshold_than_the_application_is_told_so(
    session: Session, known: dict[str, Any], slug: str
) -> None:
    there = with_groups(known, crowds(known["events"].table, 60, 30, agreed=True))
    found = finding(session, slug, there, threshold=3, slide_seconds=20)
    assert not found.passed and found.attempted
    assert found.message == (
        "The application runs with slide_seconds = 30 and threshold = 1, and this notebook says slide_seconds = 20 and "
        "threshold = 3: set the same parameters in 03_flink_job and 04_validate, then run both again."
    )


def test_fewer_subtasks_than_shards_drop_rows_and_as_many_drop_none(sample: Events) -> None:
    table = sample.table
    # Each shard's answer holds 100 s of event time: the second shard of a subtask is that late.
    late_first = sample.table.assign(arrival=table["arrival"].dt.floor("2s"))
    dropped = dropped_by_parallelism(
        Events(late_first, sample.markers, sample.unreadable, sample.open_shards), **SETTINGS
    )["late rows dropped"]
    assert dropped[4] == 0
    assert len(table) > dropped[1] > dropped[2] > 500


@pytest.mark.parametrize("dropped", [1435, 0])
def test_one_subtask_as_asked_says_what_it_cost(
    session: Session, monkeypatch: pytest.MonkeyPatch, dropped: int
) -> None:
    """The exercise begins with parallelism 1: the checks that it spoils say so, and not to fill a blank."""
    monkeypatch.setattr("lab.checks.blanks.blank_exercises", lambda lab: [EXERCISES["parallelism"]])
    known = {"parallelism": (1, 4), "rows_dropped": dropped}
    for slug in ("windows_equal", "nothing_lost"):
        found = finding(session, slug, known)
        assert (found.passed, found.attempted) == (False, False)
        assert "You ran with parallelism 1, as exercise 6 asks" in found.message
        assert ("1,435 rows were dropped as late" in found.message) is (dropped == 1435)
        assert "fill the blank" not in found.message
    assert ("1,435 rows" in finding(session, "parallelism", known).message) is (dropped == 1435)


def test_a_blank_is_shown_with_its_hint_and_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[tuple[Any, ...]] = []
    blank = probe("key", "01_streams", 5)(lambda lab: Place("there").open("Not attempted yet"))
    monkeypatch.setattr(check, "CHECKS", (blank,))
    monkeypatch.setattr(check, "leave", lambda *given: left.append(given))
    check.check("01", Session("local", "us-east-1", "000000000000", "http://127.0.0.1:1", "run-1"))
    ((_, data, text, html),) = left
    assert (data["checks"][0]["passed"], data["checks"][0]["attempted"]) == (False, False)
    assert text.startswith("  not attempted  key") and "○ not attempted" in html
