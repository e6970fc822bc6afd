"""Right and wrong answers to the exercises 1 to 3: a key, a whole shard, a batch."""

import json
import random
import re
from pathlib import Path
from typing import Any

import boto3
import pytest

from lab.core.errors import LabError, StepMissing
from lab.core.names import EXERCISE_STREAM
from lab.core.session import Session
from lab.exercises.attempts import (
    Unreliable,
    hand_in_shard,
    read_with_own,
    send_batch,
    send_keyed,
)
from lab.exercises.catalog import EXERCISES, handed_in
from lab.exercises.student_edition import student_files
from tests.support.exercises import SAMPLE, finding

WHY = "Each review has an id of its own, so they spread evenly."


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
