"""Reading real streams: every record once, in order, from the beginning and from a position."""

import datetime as dt
import json

import boto3
import pandas as pd
import pytest
from botocore.stub import Stubber

from lab.core.errors import AccountRefused, AccountSilent, StepMissing, StreamGone
from lab.streams import reading
from lab.streams.reading import COLUMNS, Position, load_position, read_stream, save_position, stream_batches, tip
from lab.streams.shards import (
    RECORDS_AN_ANSWER,
    arrival_seconds,
    first_shard_with_records,
    reading_client,
    shard_answers,
)

GARBAGE = bytes(range(256)) * 4


def values(count, first=0):
    return [{"review_id": f"rw{number:07d}", "n": number} for number in range(first, first + count)]


def numbers(raw):
    return [json.loads(data)["n"] for data in raw["data"]]


@pytest.mark.parametrize("shards", [1, 4])
def test_every_record_once_and_in_order_within_a_shard(make_stream, put, shards):
    name = make_stream(shards)
    put(name, values(1200))
    raw = read_stream(name)
    assert list(raw.columns) == COLUMNS
    assert sorted(numbers(raw)) == list(range(1200))
    assert raw["shard"].is_monotonic_increasing and raw["shard"].nunique() == shards
    for _, rows in raw.groupby("shard"):
        sequence = [int(number) for number in rows["sequence_number"]]
        assert sequence == sorted(set(sequence))
        assert numbers(rows) == sorted(numbers(rows))
    assert raw["partition_key"].tolist() == [f"rw{number:07d}" for number in numbers(raw)]
    assert str(raw["arrival"].dtype) == "datetime64[ns, UTC]"
    age = pd.Timestamp.now(tz="UTC") - raw["arrival"].max()
    assert pd.Timedelta(0) <= age < pd.Timedelta(minutes=1)
    assert raw.attrs["open_shards"] == [f"shardId-{number:012d}" for number in range(shards)]
    assert raw.attrs["closed_shards"] == []


def test_an_empty_stream_is_an_empty_table_with_its_shards(make_stream):
    name = make_stream(2)
    raw = read_stream(name)
    assert list(raw.columns) == COLUMNS and len(raw) == 0
    assert raw.attrs["open_shards"] == ["shardId-000000000000", "shardId-000000000001"]
    assert tip(name) == {"shardId-000000000000": None, "shardId-000000000001": None}


def test_binary_records_come_back_byte_for_byte(make_stream, put):
    name = make_stream(1)
    put(name, [GARBAGE, b"\xff\xfe", "\u4e2d\u6587 \U0001f3ac".encode()])
    assert read_stream(name)["data"].tolist() == [GARBAGE, b"\xff\xfe", "\u4e2d\u6587 \U0001f3ac".encode()]


def test_more_than_one_answer_of_get_records(make_stream, put, monkeypatch):
    monkeypatch.setattr("lab.streams.shards.RECORDS_AN_ANSWER", 100)
    name = make_stream(2)
    put(name, values(1000))
    assert sorted(numbers(read_stream(name))) == list(range(1000))
    batches = list(stream_batches(name))
    assert len(batches[0]) == 0 and max(len(batch) for batch in batches) == 100
    assert sum(len(batch) for batch in batches) == 1000


def test_the_reader_can_stop_in_the_middle(make_stream, put, monkeypatch):
    monkeypatch.setattr("lab.streams.shards.RECORDS_AN_ANSWER", 10)
    name = make_stream(4)
    put(name, values(2000))
    batches = stream_batches(name)
    next(batches)
    assert len(next(batches)) == 10
    batches.close()  # must not wait for the 190 answers that are left


def test_a_missing_stream_names_the_notebook_that_makes_it(aws):
    for read in (read_stream, tip):
        with pytest.raises(StepMissing, match="`nowhere` does not exist: run 01_streams first") as caught:
            read("nowhere")
        assert caught.value.notebook == "01_streams"
        assert caught.value.__cause__.response["Error"]["Code"] == "ResourceNotFoundException"


def test_no_account_at_all_is_one_sentence(aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(AccountSilent, match=r"nothing answers at http://127\.0\.0\.1:9: .*again from 01_streams"):
        tip("reviews", client=boto3.client("kinesis"))


def test_only_what_came_after_the_position_is_read(make_stream, put):
    name = make_stream(4)
    put(name, values(300))
    position = tip(name)
    assert all(isinstance(number, str) for number in position.values())
    raw = read_stream(name)
    for shard, rows in raw.groupby("shard"):
        assert position[shard] == max(rows["sequence_number"], key=int)
    assert len(read_stream(name, position)) == 0
    put(name, values(200, first=300))
    assert sorted(numbers(read_stream(name, position))) == list(range(300, 500))


def test_a_shard_that_was_empty_or_not_there_is_read_from_its_first_record(make_stream, put):
    name = make_stream(2)
    put(name, values(100))
    assert len(read_stream(name, {"shardId-000000000000": None})) == 100
    assert len(read_stream(name, {})) == 100


def test_a_shard_split_after_the_position(make_stream, put, kinesis):
    name = make_stream(1)
    position = tip(name)
    middle = str(2**127)
    kinesis.split_shard(StreamName=name, ShardToSplit="shardId-000000000000", NewStartingHashKey=middle)
    put(name, values(400))
    raw = read_stream(name, position)
    assert sorted(numbers(raw)) == list(range(400))
    assert set(raw["shard"]) == {"shardId-000000000001", "shardId-000000000002"}


def test_old_records_are_found_by_tip_although_nothing_came_lately(make_stream, put, monkeypatch):
    monkeypatch.setattr(reading, "RECENT", dt.timedelta(days=-1))  # so the look at the last minutes finds nothing
    name = make_stream(1)
    put(name, values(10))
    assert tip(name) == {"shardId-000000000000": read_stream(name)["sequence_number"].iloc[-1]}


def test_the_first_shard_that_holds_a_record(make_stream, put):
    name = make_stream(3)
    assert first_shard_with_records(name, quiet=0) == "shardId-000000000000"  # none comes
    put(name, values(1))
    assert first_shard_with_records(name) == read_stream(name)["shard"][0]


def test_position_in_s3(make_stream, put, aws):
    reviews, output = make_stream(2), make_stream(1)
    put(reviews, values(50))
    bucket = "000000000000-flink-position"
    boto3.client("s3").create_bucket(Bucket=bucket)
    with pytest.raises(StepMissing, match="run 03_flink_job first"):
        load_position(bucket)
    saved = save_position(bucket, "student", reviews, output)
    assert saved.shards == tip(reviews) and saved.output_shards == {"shardId-000000000000": None}
    put(reviews, values(5, first=50))
    put(output, values(3))
    loaded = load_position(bucket)
    assert loaded == Position(**{**saved.__dict__, "created": loaded.created})
    assert abs(loaded.created - saved.created) < dt.timedelta(milliseconds=1)
    assert sorted(numbers(read_stream(reviews, loaded))) == list(range(50, 55))
    assert numbers(read_stream(output, loaded)) == [0, 1, 2]
    text = json.loads(boto3.client("s3").get_object(Bucket=bucket, Key="lab/position.json")["Body"].read())
    assert text["application"] == "student" and text["stream"] == reviews and text["shards"] == saved.shards


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"application": "student"}', b"\xff"])
def test_a_broken_position_says_what_to_run(aws, body):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="000000000000-flink-broken")
    s3.put_object(Bucket="000000000000-flink-broken", Key="lab/position.json", Body=body)
    with pytest.raises(StepMissing, match=r"position\.json\) cannot be read: run 03_flink_job first"):
        load_position("000000000000-flink-broken")
    with pytest.raises(StepMissing, match="run 03_flink_job first"):
        load_position("no-such-bucket-anywhere")


# What the emulator never does, answered by botocore's Stubber instead.


def record(number):
    arrival = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return {"SequenceNumber": str(number), "Data": b"{}", "PartitionKey": "k", "ApproximateArrivalTimestamp": arrival}


def answer(records, behind, following="next"):
    result = {"Records": records, "MillisBehindLatest": behind}
    return {**result, "NextShardIterator": following} if following else result


@pytest.fixture
def stubbed(aws):
    client = boto3.client("kinesis")
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def test_empty_answers_are_not_the_tip_while_the_shard_is_behind(stubbed):
    client, stubber = stubbed
    stubber.add_response("get_shard_iterator", {"ShardIterator": "a"})
    stubber.add_response("get_records", answer([], 9000))
    stubber.add_response("get_records", answer([record(1)], 4000))
    stubber.add_response("get_records", answer([], 1000))
    stubber.add_response("get_records", answer([record(2)], 0))
    got = list(shard_answers(client, "reviews", "shardId-000000000000", {"ShardIteratorType": "TRIM_HORIZON"}))
    assert [[one["SequenceNumber"] for one in records] for records in got] == [["1"], ["2"]]


def test_a_full_answer_is_not_the_tip_even_at_zero_milliseconds(stubbed):
    client, stubber = stubbed
    full = [record(number) for number in range(RECORDS_AN_ANSWER)]
    stubber.add_response("get_shard_iterator", {"ShardIterator": "a"})
    stubber.add_response("get_records", answer(full, 0))
    stubber.add_response("get_records", answer([record(10_000)], 0))
    got = list(shard_answers(client, "reviews", "shardId-000000000000", {"ShardIteratorType": "TRIM_HORIZON"}))
    assert [len(records) for records in got] == [10_000, 1]


def test_a_closed_shard_ends_without_a_next_iterator(stubbed):
    client, stubber = stubbed
    shards = [
        {"ShardId": "shardId-000000000000", "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "9"},
         "SequenceNumberRange": {"StartingSequenceNumber": "1", "EndingSequenceNumber": "5"}},
        {"ShardId": "shardId-000000000001", "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "9"},
         "ParentShardId": "shardId-000000000000", "SequenceNumberRange": {"StartingSequenceNumber": "6"}},
    ]  # fmt: skip
    stubber.add_response("list_shards", {"Shards": shards[:1], "NextToken": "more"})
    stubber.add_response("list_shards", {"Shards": shards[1:]}, {"NextToken": "more"})
    stubber.add_response("get_shard_iterator", {"ShardIterator": "a"})
    stubber.add_response("get_records", answer([record(3)], 0, following=None))
    batches = stream_batches("reviews", {"shardId-000000000000": "2"}, client=_OneShardAtATime(client))
    first = next(batches)
    assert first.attrs["open_shards"] == ["shardId-000000000001"]
    assert first.attrs["closed_shards"] == ["shardId-000000000000"]
    assert [table["sequence_number"].tolist() for table in batches] == [["3"]]


class _OneShardAtATime:
    """The stubbed client, which answers in one order only; the open shard is empty here without asking it."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        return getattr(self._client, name)

    def get_shard_iterator(self, **arguments):
        if arguments["ShardId"] == "shardId-000000000001":
            assert arguments["ShardIteratorType"] == "TRIM_HORIZON"
            return {"ShardIterator": ""}
        assert arguments["StartingSequenceNumber"] == "2"
        return self._client.get_shard_iterator(**arguments)


def test_an_expired_iterator_goes_on_after_the_last_record(stubbed):
    client, stubber = stubbed
    stubber.add_response("get_shard_iterator", {"ShardIterator": "a"})
    stubber.add_response("get_records", answer([record(7)], 5000))
    stubber.add_client_error("get_records", "ExpiredIteratorException")
    stubber.add_response(
        "get_shard_iterator", {"ShardIterator": "b"},
        {"StreamName": "reviews", "ShardId": "shardId-000000000000", "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
         "StartingSequenceNumber": "7"},
    )  # fmt: skip
    stubber.add_response("get_records", answer([record(8)], 0))
    got = list(shard_answers(client, "reviews", "shardId-000000000000", {"ShardIteratorType": "TRIM_HORIZON"}))
    assert [one["SequenceNumber"] for records in got for one in records] == ["7", "8"]


def test_a_stream_that_goes_away_while_it_is_read(make_stream, put, kinesis, monkeypatch):
    monkeypatch.setattr("lab.streams.shards.RECORDS_AN_ANSWER", 10)
    name = make_stream(1)
    put(name, values(2000))
    batches = stream_batches(name)
    next(batches)
    next(batches)
    kinesis.delete_stream(StreamName=name)
    with pytest.raises(StreamGone, match="went away while it was being read") as caught:
        list(batches)
    assert caught.value.stream == name and caught.value.shard == "shardId-000000000000"
    kinesis.create_stream(StreamName=name, ShardCount=1)  # for the fixture to delete


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("AccessDeniedException", "look at the policies"),
        ("ExpiredTokenException", "refresh the credentials"),
        ("ProvisionedThroughputExceededException", "wait a minute"),
        ("InternalFailure", "run this cell again"),
    ],
)
def test_what_the_account_refuses_says_the_next_step(stubbed, code, says):
    client, stubber = stubbed
    stubber.add_client_error("list_shards", code, "because")
    with pytest.raises(AccountRefused, match=says) as caught:
        read_stream("reviews", client=client)
    assert caught.value.code == code and "\n" not in str(caught.value)


def test_a_position_of_an_earlier_stream_is_told_apart(stubbed):
    client, stubber = stubbed
    stubber.add_client_error("get_shard_iterator", "InvalidArgumentException", "StartingSequenceNumber is invalid")
    start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": "7"}
    with pytest.raises(AccountRefused, match="belongs to an earlier stream, run 03_flink_job first"):
        list(shard_answers(client, "reviews", "shardId-000000000000", start))


def test_our_own_client_gives_arrival_in_seconds(make_stream, put):
    name = make_stream(1)
    put(name, values(1))
    fast, plain = (read_stream(name, client=client) for client in (reading_client(), boto3.client("kinesis")))
    pd.testing.assert_frame_equal(fast, plain)
    assert arrival_seconds(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)) == arrival_seconds(1767225600.0) == 1767225600.0
