"""Decoding: what counts as a review, as a marker, as unreadable; copies and conflicts in the output."""

import hashlib
import json

import pandas as pd
import pytest

from lab.streams.records import EVENT_COLUMNS, read_reviews, read_windows

KEYS = ["review_id", "reviewer", "movie", "rating", "review_summary", "review_date", "spoiler_tag", "review_detail",
        "helpful", "event_time"]  # fmt: skip


def review(number=1, **changes):
    values = {"review_id": f"rw{number:07d}", "reviewer": "ann", "movie": "Heat (1995)", "rating": "8",
              "review_summary": "", "review_date": "24 July 2005", "spoiler_tag": 0, "review_detail": "x",
              "helpful": ["0", "1"], "event_time": "2026-01-01T00:00:00.100"}  # fmt: skip
    return {**values, **changes}


def raw(datas, shards=None, open_shards=(), closed_shards=()):
    datas = [data if isinstance(data, bytes) else json.dumps(data).encode() for data in datas]
    table = pd.DataFrame(
        {
            "shard": shards or ["shardId-000000000000"] * len(datas),
            "sequence_number": [str(number) for number in range(len(datas))],
            "arrival": pd.to_datetime([1_767_225_600_000] * len(datas), unit="ms", utc=True),
            "partition_key": "k",
            "data": pd.Series(datas, dtype=object),
        }
    )
    table.attrs = {"open_shards": list(open_shards), "closed_shards": list(closed_shards)}
    return table


def test_a_review_is_a_row():
    events = read_reviews(raw([review()]))
    assert list(events.table.columns) == [*EVENT_COLUMNS, "event_time"]
    row = events.table.iloc[0]
    assert (row.review_id, row.reviewer, row.movie, row.rating) == ("rw0000001", "ann", "Heat (1995)", "8")
    assert row.event_time == pd.Timestamp("2026-01-01 00:00:00.100") and row.order == 0
    assert str(events.table["event_time"].dtype) == "datetime64[ns]"
    assert events.sentence == "1 reviews, 0 end markers and 0 unreadable records on 1 shards."


def test_markers_and_nobody():
    empty = dict.fromkeys(KEYS)
    marker = {**empty, "review_id": "end-marker-shardId-000000000000-3", "event_time": "2026-01-01T00:09:00.000"}
    nobody = {**empty, "event_time": "2026-01-01T00:08:00.000"}
    posing = review(4, review_id="end-marker-for-fun")
    events = read_reviews(raw([review(1), marker, nobody, posing]))
    assert events.markers["review_id"].tolist() == ["end-marker-shardId-000000000000-3"]
    assert events.markers["event_time"].tolist() == [pd.Timestamp("2026-01-01 00:09:00")]
    assert events.table["review_id"].tolist() == ["rw0000001", None, "end-marker-for-fun"]
    assert events.table["order"].tolist() == [0, 2, 3]


MEANT = ", not YYYY-MM-DDTHH:MM:SS of 1970 to 2099"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xfe{}", "not UTF-8 text"),
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "JSON nested too deeply"),
        (b"[1]", "JSON, but not an object"),
        (b"5", "JSON, but not an object"),
        (review(event_time=None), "no event_time"),
        ({"review_id": "rw1"}, "no event_time"),
        (review(event_time="yesterday"), "event_time is 'yesterday'" + MEANT),
        (review(event_time="2026-01-01T00:00:00.000Z"), "event_time is '2026-01-01T00:00:00.000Z'" + MEANT),
        (review(event_time="2026-02-30T00:00:00.000"), "event_time is '2026-02-30T00:00:00.000'" + MEANT),
        (review(event_time=5), "event_time is '5'" + MEANT),
    ],
)
def test_what_cannot_be_read_is_listed_with_its_reason(data, reason):
    events = read_reviews(raw([review(1), data, review(2)]))
    assert events.table["review_id"].tolist() == ["rw0000001", "rw0000002"]
    assert events.unreadable.to_dict("records") == [
        {"shard": "shardId-000000000000", "sequence_number": "1", "reason": reason}
    ]


@pytest.mark.parametrize(
    ("text", "millis"),
    [("2026-01-01T00:00:01", 1000), ("2026-01-01T00:00:01.5", 1500), ("2026-01-01T00:00:01.999999", 1999)],
)
def test_event_times_are_floored_to_the_millisecond(text, millis):
    events = read_reviews(raw([review(event_time=text), review(2)]))
    assert events.table["event_time"][0] == pd.Timestamp("2026-01-01") + pd.Timedelta(milliseconds=millis)


def test_values_become_text_as_in_a_string_column():
    events = read_reviews(raw([review(reviewer=12345), review(reviewer="\ud800x"), review(reviewer=True)]))
    assert events.table["reviewer"].tolist() == ["12345", "?x", "true"]


def test_the_same_from_one_table_and_from_batches():
    datas = [review(number, event_time=f"2026-01-01T00:00:{number:02d}.000") for number in range(20)] + [b"junk"]
    shards = [f"shardId-{number % 3:012d}" for number in range(21)]
    table = raw(datas, shards, open_shards=["shardId-000000000007"])
    whole = read_reviews(table)
    parts = read_reviews(iter([table.iloc[:0], *(table.iloc[at : at + 4] for at in range(0, 21, 4))]))
    pd.testing.assert_frame_equal(whole.table, parts.table)
    pd.testing.assert_frame_equal(whole.unreadable, parts.unreadable)
    assert whole.open_shards == parts.open_shards == (*sorted(set(shards)), "shardId-000000000007")
    assert whole.table["order"].tolist() == [0, 1, 2, 3, 4, 5, 6] * 2 + [0, 1, 2, 3, 4, 5]


def test_a_closed_shard_stays_closed_and_nothing_is_nothing():
    events = read_reviews(raw([review()], closed_shards=["shardId-000000000000"]))
    assert events.open_shards == () and events.closed_shards == ("shardId-000000000000",)
    nothing = read_reviews(raw([], open_shards=["shardId-000000000000"]))
    assert len(nothing.table) == len(nothing.markers) == len(nothing.unreadable) == 0
    assert str(nothing.table["event_time"].dtype) == "datetime64[ns]"


def window(reviewer="ann", count=2, start="00:00:00", end="00:01:00", **changes):
    values = {"reviewer": reviewer, "movie_count": count, "event_time": f"2026-01-01 {end}.000",
              "window_start": f"2026-01-01 {start}.000"}  # fmt: skip
    return {**values, **changes}


def test_windows_are_typed_and_sorted():
    output = read_windows(raw([window("bob", 3, "00:00:30", "00:01:30"), window("bob"), window("ann")]))
    assert output.table.to_dict("list") == {
        "reviewer": ["ann", "bob", "bob"],
        "movie_count": [2, 2, 3],
        "window_start": [pd.Timestamp(f"2026-01-01 00:00:{second}") for second in ("00", "00", "30")],
        "window_end": [pd.Timestamp(f"2026-01-01 00:01:{second}") for second in ("00", "00", "30")],
    }
    assert output.table["movie_count"].dtype == "int64"
    assert output.sentence == "3 rows, 0 copies removed, 0 in conflict, 0 records unreadable."


def test_copies_are_removed_and_counted():
    output = read_windows(raw([window(), window("bob"), window(), window()]))
    assert len(output.table) == 2 and output.duplicates == 2 and len(output.conflicts) == 0


@pytest.mark.parametrize("other", [window(count=3), window(start="00:00:30")])
def test_a_window_with_two_contents_keeps_both(other):
    output = read_windows(raw([window(), other, window("bob"), other]))
    assert len(output.table) == 3 and output.duplicates == 1
    assert output.conflicts["reviewer"].tolist() == ["ann", "ann"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x00\xff", "not UTF-8 text"),
        (b"nonsense", "not JSON"),
        (window(reviewer=None), "no reviewer"),
        (window(count="2"), "movie_count is '2'"),
        (window(count=True), "movie_count is 'True'"),
        (window(event_time=None), "no event_time"),
        (window(window_start="soon"), "window_start is 'soon'" + MEANT),
        ({"reviewer": "ann", "movie_count": 2, "event_time": "2026-01-01 00:01:00.000"}, "no window_start"),
    ],
)
def test_unreadable_output_is_listed(data, reason):
    output = read_windows(raw([window(), data]))
    assert len(output.table) == 1
    assert output.unreadable[["sequence_number", "reason"]].to_dict("records") == [
        {"sequence_number": "1", "reason": reason}
    ]


def test_no_output():
    output = read_windows(raw([]))
    assert len(output.table) == 0 and output.duplicates == 0
    assert str(output.table["window_end"].dtype) == "datetime64[ns]"


def aggregated(*records: bytes) -> bytes:
    """A record as the Kinesis Producer Library packs several; each of fewer than 128 bytes."""
    packed = b"".join(b"\x1a" + bytes([len(one) + 4]) + b"\x08\x00\x1a" + bytes([len(one)]) + one for one in records)
    message = b"\x0a\x01k" + packed
    return b"\xf3\x89\x9a\xc2" + message + hashlib.md5(message).digest()


def test_records_that_a_producer_library_aggregated_are_read_one_by_one():
    small = [
        json.dumps({"review_id": f"r{n}", "reviewer": "p", "event_time": "2026-01-01T00:00:00"}).encode()
        for n in range(3)
    ]
    damaged = aggregated(*small)[:-1] + b"\x00"
    events = read_reviews(raw([review(1), aggregated(*small), damaged, review(2)]))
    assert events.table["review_id"].tolist() == ["rw0000001", "r0", "r1", "r2", "rw0000002"]
    assert events.table["order"].tolist() == [0, 1, 2, 3, 5]
    assert events.table["sequence_number"].tolist() == ["0", "1", "1", "1", "3"]
    assert events.unreadable["reason"].tolist() == ["not UTF-8 text"]
