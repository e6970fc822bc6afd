"""Which shard a key falls into, and how the keys of exercise 1 spread."""

import itertools
import json

import pandas as pd
import pytest

from lab.charts.hash_ring import WHOLE, hash_of, hash_ring, ring_picture, shard_of
from lab.charts.key_spread import copies_together, key_spread, spread_picture
from lab.core.errors import LabError, StepMissing
from lab.streams.records import read_attempts
from lab.streams.shards import Shard, list_shards
from tests.lab.charts.pictures import assert_readable, warnings_are_errors

NAMES = [f"shardId-{number:012d}" for number in range(4)]
FOUR = [Shard(name, True, None, place * WHOLE // 4, (place + 1) * WHOLE // 4 - 1) for place, name in enumerate(NAMES)]


def test_the_hash_of_a_key_is_its_md5():
    assert f"{hash_of('abc'):032x}" == "900150983cd24fb0d6963f7d28e17f72"  # RFC 1321, A.5
    assert hash_of("") == 0xD41D8CD98F00B204E9800998ECF8427E
    assert shard_of("abc", FOUR) == NAMES[2] and shard_of("", FOUR) == NAMES[3]


def test_a_hash_that_no_shard_holds():
    with pytest.raises(LabError, match="split or merged"):
        shard_of("abc", FOUR[:1])


def test_the_ring_and_its_keys():
    with warnings_are_errors():
        picture = ring_picture("reviews", FOUR, ["abc", "$x_{$ a very long partition key, much too long"])
        assert_readable(picture)
    assert picture.table["of the ring"].tolist() == ["0% to 25%", "25% to 50%", "50% to 75%", "75% to 100%"]
    assert picture.table["keys"][2] == "abc"
    assert f"The key abc falls into {NAMES[2]}." in picture.alt


def test_it_is_the_shard_that_the_stream_chooses(make_stream, kinesis):
    name = make_stream(3)
    shards = list_shards(kinesis, name)
    for key in ("abc", "", "tt0111161", "ключ", "🎬" * 60):
        if key:
            put = kinesis.put_record(StreamName=name, Data=b"x", PartitionKey=key)
            assert shard_of(key, shards) == put["ShardId"]
    assert [len(part) for part in hash_ring(name).moving.data["shards"]] == [3, 3, 3]
    with pytest.raises(StepMissing, match="does not exist"):
        hash_ring("no-such-stream")


def rows(*found):
    return pd.DataFrame(found, columns=["attempt", "review_id", "shard", "partition_key"])


def test_attempts_beside_each_other():
    bad = [
        ("one", f"r{number}", NAMES[number % 2 if copy else 0], f"{number}-{copy}")
        for number in range(10)
        for copy in (0, 1)
    ]
    good = [("two", f"r{number}", NAMES[number % 4], f"r{number}") for number in range(10) for _ in (0, 1)]
    with warnings_are_errors():
        picture = spread_picture(rows(*bad, *good), NAMES)
        assert_readable(picture)
    assert copies_together(rows(*bad)) == 5 and copies_together(rows(*good)) == 10
    assert picture.table.iloc[:, 1:].to_numpy().T.tolist() == [[15, 5, 0, 0], [6, 6, 4, 4]]
    titles = [axes.get_title(loc="left") for axes in picture.figure.axes]
    assert titles == [
        "attempt 1\n20 keys\nboth copies together: 5 of 10",
        "attempt 2, the last\n10 keys\nboth copies together: 10 of 10",
    ]


def test_of_more_attempts_than_fit_the_last_are_shown_and_counted():
    sent = [(f"try {number}", f"r{one}", NAMES[0], "k") for number in range(5) for one in range(200) for _ in (0, 1)]
    with warnings_are_errors():
        picture = spread_picture(rows(*sent), NAMES)
        assert_readable(picture)
    assert list(picture.table) == ["shard", "attempt 3", "attempt 4", "attempt 5"]
    assert picture.figure.get_suptitle() == "the last 3 of 5 attempts"
    assert "the last 3 of 5 attempts" in picture.alt and picture.caption.endswith(", the last 3 of 5 attempts")
    picture.figure.draw_without_rendering()
    titles = [axes._left_title.get_window_extent() for axes in picture.figure.axes]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(titles))
    assert spread_picture(rows(*sent[:1200]), NAMES).figure.get_suptitle() == ""


def test_only_records_of_the_exercise_count(make_stream, put, capsys):
    name = make_stream(2)
    assert key_spread(name) is None
    assert "No attempt is on the stream yet" in capsys.readouterr().out
    sent = [
        {"attempt": "a", "review_id": "r1"},
        {"attempt": "a", "number": 7},
        {"attempt": "a", "review_id": ["r1"]},
        [1],
        b"\xff",
        {"attempt": "a", "review_id": "r1"},
    ]
    put(name, [value if isinstance(value, bytes) else json.dumps(value).encode() for value in sent])
    assert key_spread(name).table["attempt 1"].sum() == 2
    assert read_attempts(pd.DataFrame(columns=["arrival", "data", "shard", "partition_key"])).empty
