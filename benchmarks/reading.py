"""Reading both streams into pandas as notebook 04 does, beside bare GetRecords and json.

    python -m benchmarks.reading [--quick]

100,000 reviews and 10,000 windows on four shards. The bare loop reads shard after shard with a plain boto3 client and
decodes each record into a list; 04's way also tells unreadable records, event times and the order on each shard.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.engines.reading import answers
from benchmarks.managed_flink import account_up
from benchmarks.reference import reviews
from benchmarks.rows import Row, ratio_row, row, run_part
from lab.streams.reading import read_stream, stream_batches
from lab.streams.records import read_reviews, read_windows
from tests.support.pipeline import Pipeline

STREAMS = ("reviews", "suspicious_activity")
TEXT = "x" * 900  # makes a record as long as the sample's


def fill(kinesis: Any, count: int) -> None:
    """Records of the lab's shape and size on both streams."""
    some = reviews(count)
    times = some["event_time"].dt.strftime("%Y-%m-%dT%H:%M:%S.%f").str[:-3]
    facts = {"movie": "A Movie (2004)", "rating": "7", "review_summary": "short", "review_date": "24 July 2005"}
    rest = {**facts, "spoiler_tag": 0, "review_detail": TEXT, "helpful": ["0", "1"]}
    events = [
        {"review_id": one, "reviewer": who, **rest, "event_time": when}
        for one, who, when in zip(some["review_id"], some["reviewer"], times, strict=True)
    ]
    found = [
        {"reviewer": f"reviewer-{number}", "movie_count": 2, "event_time": "2026-01-01 00:01:00.000",
         "window_start": "2026-01-01 00:00:00.000"}
        for number in range(count // 10)
    ]  # fmt: skip
    for stream, values in zip(STREAMS, (events, found), strict=True):
        for at in range(0, len(values), 500):
            batch = enumerate(values[at : at + 500], at)
            records = [{"Data": json.dumps(one), "PartitionKey": str(number)} for number, one in batch]
            kinesis.put_records(StreamName=stream, Records=records)


def bare(kinesis: Any) -> list[int]:
    """How many records each stream had, fetched and decoded."""
    return [len([json.loads(one["Data"]) for batch in answers(kinesis, name) for one in batch]) for name in STREAMS]


def notebook() -> list[int]:
    """How many reviews and windows notebook 04's calls found."""
    return [len(read_reviews(stream_batches(STREAMS[0])).table), len(read_windows(read_stream(STREAMS[1])).table)]


def measure(quick: bool) -> list[Row]:
    count = 20_000 if quick else 100_000
    ours, theirs = [], []
    with (
        tempfile.TemporaryDirectory() as name,
        pytest.MonkeyPatch.context() as environment,
        account_up(Path(name)) as account,
    ):
        pipeline = Pipeline(account, Path(name), environment, 4)
        for stream in STREAMS:
            pipeline.kinesis.create_stream(StreamName=stream, ShardCount=4)
        fill(pipeline.kinesis, count)
        for _ in range(1 if quick else 3):
            for way, seconds in ((lambda: bare(pipeline.kinesis), theirs), (notebook, ours)):
                began = time.perf_counter()
                found = way()
                seconds.append(time.perf_counter() - began)
                if found != [count, count // 10]:
                    raise RuntimeError(f"{found} records were read in place of {[count, count // 10]}.")
    return [
        ratio_row("reading_ratio", ours, theirs, "bare GetRecords and json", 1.5, unit="times its seconds"),
        row("reading_seconds", ours, "s", beside=f"{count:,} reviews"),
    ]


if __name__ == "__main__":
    sys.exit(run_part(__doc__, measure))
