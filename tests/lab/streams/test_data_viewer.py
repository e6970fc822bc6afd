"""The Data viewer against a real stream."""

import datetime as dt
import html
import json
import time

import boto3
import pandas as pd
import pytest
from botocore.stub import Stubber

from lab.core.errors import AccountRefused, BadParameter, StepMissing, StreamGone
from lab.streams.data_viewer import COLUMNS, DataViewer

FIRST = "shardId-000000000000"


def values(count, first=0):
    return [{"review_id": f"rw{number:07d}"} for number in range(first, first + count)]


def keys(page):
    return page["Partition key"].tolist()


def test_the_four_columns_and_fifty_records_a_page(make_stream, put):
    name = make_stream(1)
    put(name, values(120))
    viewer = DataViewer(name)
    page = viewer.records(FIRST, "Trim horizon")
    assert list(page.columns) == COLUMNS
    assert keys(page) == [f"rw{number:07d}" for number in range(50)]
    assert page["Data"][0] == '{"review_id": "rw0000000"}'
    assert isinstance(page["Sequence number"][0], str)
    assert page["Approximate arrival timestamp"].dt.tz is not None
    assert keys(viewer.next_records()) == [f"rw{number:07d}" for number in range(50, 100)]
    assert keys(viewer.next_records(limit=15)) == [f"rw{number:07d}" for number in range(100, 115)]
    assert keys(viewer.next_records()) == [f"rw{number:07d}" for number in range(115, 120)]
    assert len(viewer.next_records()) == 0 and list(viewer.next_records().columns) == COLUMNS


def test_a_shard_by_its_number_and_all_records_over_the_shards(make_stream, put):
    name = make_stream(4)
    put(name, values(200))
    viewer = DataViewer(name)
    assert viewer.shards == [f"shardId-{number:012d}" for number in range(4)]
    pages = [viewer.records(number, limit=1000) for number in range(4)]
    assert sorted(key for page in pages for key in keys(page)) == [f"rw{number:07d}" for number in range(200)]
    assert keys(viewer.records("shardId-000000000002", limit=1000)) == keys(pages[2])


def test_latest_shows_what_comes_afterwards(make_stream, put):
    name = make_stream(1)
    put(name, values(10))
    viewer = DataViewer(name)
    assert len(viewer.records(FIRST, "LATEST")) == 0
    put(name, values(3, first=10))
    assert keys(viewer.next_records()) == ["rw0000010", "rw0000011", "rw0000012"]


def test_at_and_after_a_sequence_number(make_stream, put):
    name = make_stream(1)
    put(name, values(10))
    viewer = DataViewer(name)
    fifth = viewer.records(FIRST)["Sequence number"][4]
    assert keys(viewer.records(FIRST, "At sequence number", sequence_number=fifth))[0] == "rw0000004"
    assert keys(viewer.records(FIRST, "AFTER_SEQUENCE_NUMBER", sequence_number=fifth))[0] == "rw0000005"


def test_at_timestamp(make_stream, put):
    name = make_stream(1)
    put(name, values(5))
    time.sleep(0.05)
    moment = dt.datetime.now(dt.UTC)
    time.sleep(0.05)
    put(name, values(5, first=5))
    viewer = DataViewer(name)
    for spelled in (moment, moment.isoformat(), moment.replace(tzinfo=None), str(moment.replace(tzinfo=None))):
        assert keys(viewer.records(FIRST, "AT_TIMESTAMP", timestamp=spelled))[0] == "rw0000005"


def test_bytes_that_are_no_text_are_shown_as_escapes(make_stream, put):
    name = make_stream(1)
    put(name, [b"\xff\x00ok", "\u4e2d\U0001f3ac".encode()])
    assert DataViewer(name).records(FIRST)["Data"].tolist() == ["\\xff\x00ok", "\u4e2d\U0001f3ac"]


def test_an_empty_stream_is_an_empty_page(make_stream):
    page = DataViewer(make_stream(1)).records(0)
    assert len(page) == 0 and list(page.columns) == COLUMNS
    assert isinstance(page["Approximate arrival timestamp"].dtype, pd.DatetimeTZDtype)


def test_a_missing_stream(aws):
    with pytest.raises(StepMissing, match="`nowhere` does not exist: run 01_streams first"):
        DataViewer("nowhere")


def test_an_unknown_shard_lists_the_shards(make_stream):
    viewer = DataViewer(make_stream(2))
    for shard in ("shardId-7", 7):
        with pytest.raises(BadParameter, match="shardId-000000000000, shardId-000000000001"):
            viewer.records(shard)


def test_a_shard_that_came_with_a_split_is_found(make_stream, kinesis):
    name = make_stream(1)
    viewer = DataViewer(name)
    kinesis.split_shard(StreamName=name, ShardToSplit=FIRST, NewStartingHashKey=str(2**127))
    with pytest.raises(StreamGone, match=f"Shard {FIRST} of the stream `{name}` went away"):
        viewer.records(FIRST)  # the emulator forgets a shard that was split, where AWS keeps its records
    assert len(viewer.records("shardId-000000000001")) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"position": "newest"}, "starting positions are TRIM_HORIZON, LATEST"),
        ({"position": "AT_SEQUENCE_NUMBER"}, "wants the digits of a record's Sequence number"),
        ({"position": "AFTER_SEQUENCE_NUMBER", "sequence_number": "x"}, "wants the digits"),
        ({"position": "AFTER_SEQUENCE_NUMBER", "sequence_number": 5}, "wants the digits"),
        ({"position": "AT_TIMESTAMP"}, "AT_TIMESTAMP wants a moment"),
        ({"position": "AT_TIMESTAMP", "timestamp": "yesterday"}, "AT_TIMESTAMP wants a moment"),
        ({"position": "AT_TIMESTAMP", "timestamp": 5}, "AT_TIMESTAMP wants a moment"),
        ({"limit": 0}, "1 to 10,000"),
        ({"limit": 10_001}, "1 to 10,000"),
        ({"limit": "50"}, "1 to 10,000"),
        ({"limit": 2.5}, "1 to 10,000"),
    ],
)
def test_a_position_without_its_value_and_other_slips(make_stream, arguments, says):
    with pytest.raises(BadParameter, match=says) as caught:
        DataViewer(make_stream(1)).records(0, **arguments)
    assert "\n" not in str(caught.value)


def test_next_records_before_records(make_stream):
    with pytest.raises(BadParameter, match=r"call `records\(shard, position\)` first"):
        DataViewer(make_stream(1)).next_records()


def test_a_page_read_for_more_than_five_minutes_goes_on(make_stream, put, monkeypatch):
    name = make_stream(1)
    put(name, values(60))
    viewer = DataViewer(name)
    viewer.records(0)
    viewer._iterator = "an iterator that has expired"
    assert keys(viewer.next_records()) == [f"rw{number:07d}" for number in range(50, 60)]


def test_empty_answers_while_behind_are_asked_again(aws):
    client = boto3.client("kinesis")
    shard = {"ShardId": FIRST, "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "9"},
             "SequenceNumberRange": {"StartingSequenceNumber": "1"}}  # fmt: skip
    record = {"SequenceNumber": "5", "Data": b"x", "PartitionKey": "k"}
    record["ApproximateArrivalTimestamp"] = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with Stubber(client) as stubber:
        stubber.add_response("list_shards", {"Shards": [shard]})
        stubber.add_response("get_shard_iterator", {"ShardIterator": "a"})
        stubber.add_response("get_records", {"Records": [], "NextShardIterator": "b", "MillisBehindLatest": 5000})
        stubber.add_response("get_records", {"Records": [record], "MillisBehindLatest": 0})
        viewer = DataViewer("reviews", client=client)
        assert viewer.records(0)["Sequence number"].tolist() == ["5"]
        assert len(viewer.next_records()) == 0  # the shard is closed: there is no next iterator


def test_a_displayed_page_holds_the_json_whole_and_folded(make_stream, put):
    name = make_stream(1)
    long = {"review_id": "rw0000001", "review_detail": "<b>good</b> " * 100}
    put(name, [long])
    page = DataViewer(name).records(FIRST)
    shown = page._repr_html_()
    assert html.unescape(shown).count(json.dumps(long, indent=2)) == 1
    assert "<details><summary" in shown and "<b>good" not in shown
    assert "text-align:left" in shown and page["Sequence number"][0] in shown
    assert "no records" in DataViewer(name).records(FIRST, "LATEST")._repr_html_()
    assert "Partition key" in page[["Partition key"]].to_html()  # still a table like another


def test_a_value_that_the_account_refuses_is_to_be_corrected(make_stream, kinesis):
    viewer = DataViewer(make_stream(1), client=kinesis)
    said = "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis"
    with Stubber(kinesis) as stubber, pytest.raises(AccountRefused, match="correct the value that is named there"):
        stubber.add_response(
            "list_shards",
            {
                "Shards": [
                    {
                        "ShardId": FIRST,
                        "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "1"},
                        "SequenceNumberRange": {"StartingSequenceNumber": "1"},
                    }
                ]
            },
        )
        stubber.add_client_error("get_shard_iterator", "InvalidArgumentException", said)
        viewer.shards = []
        viewer.records(FIRST, "AT_TIMESTAMP", timestamp="2999-01-01")
