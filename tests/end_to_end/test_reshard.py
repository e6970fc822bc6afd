"""A shard is split and its children are merged while the application reads: every window must be right all the same.

One task reads all shards here, so its watermark is that of the shard it has read furthest. The connector looks for
new shards every ten seconds and then reads what the children hold, one beside the other: a watermark delay longer than
that keeps it from making rows late, and the end markers come once everything else was read.
"""

import json
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lab.streams.reading import load_position, read_stream
from lab.streams.records import read_reviews
from lab.validation.comparison import compare_windows
from lab.validation.completion import wait_for_windows
from lab.validation.reference import windows
from tests.support.pipeline import BUCKET, WINDOW, Pipeline

pytestmark = pytest.mark.slow  # about 40 s

DELAY_SECONDS = 600
HALF = str(1 << 127)
MANY = 300  # records a shard holds at least, before and after each change


class OneTask(Pipeline):
    """The lab's pipeline with one task, whatever the number of shards."""

    def build(self, *arguments: Any, **options: Any) -> None:
        super().build(*arguments, **options)
        self.update(
            FlinkApplicationConfigurationUpdate={
                "ParallelismConfigurationUpdate": {
                    "ConfigurationTypeUpdate": "CUSTOM",
                    "ParallelismUpdate": 1,
                    "ParallelismPerKPUUpdate": 1,
                }
            },
            EnvironmentPropertyUpdates={
                "PropertyGroups": self.property_groups(**{"watermark.delay.seconds": str(DELAY_SECONDS)})
            },
        )

    def open_shards(self) -> list[str]:
        listed = self.kinesis.list_shards(StreamName="reviews", ShardFilter={"Type": "AT_LATEST"})["Shards"]
        return [shard["ShardId"] for shard in listed]

    def wait_each(self, count: int) -> None:
        """Wait until every open shard holds so many records."""
        wanted = set(self.open_shards())
        while True:
            found = read_stream("reviews", load_position(BUCKET)).groupby("shard").size()
            if all(found.get(shard, 0) >= count for shard in wanted):
                return
            time.sleep(0.2)

    def put_end_markers(self) -> None:
        """One to each open shard, past the end of the last window and its watermark delay."""
        reviews = read_stream("reviews", load_position(BUCKET))
        last = max(json.loads(data)["event_time"] for data in reviews["data"])
        moment = pd.Timestamp(last) + pd.Timedelta(seconds=2 * DELAY_SECONDS)
        fields = dict.fromkeys(json.loads(reviews["data"].iloc[0]))
        listed = self.kinesis.list_shards(StreamName="reviews", ShardFilter={"Type": "AT_LATEST"})["Shards"]
        for number, shard in enumerate(listed):
            name = f"end-marker-{shard['ShardId']}-{number}"
            marker = fields | {"review_id": name, "event_time": moment.isoformat(timespec="milliseconds")}
            self.kinesis.put_record(
                StreamName="reviews",
                Data=json.dumps(marker),
                PartitionKey=name,
                ExplicitHashKey=shard["HashKeyRange"]["StartingHashKey"],
            )

    def compare_all(self) -> None:
        position = load_position(BUCKET)
        rules = WINDOW | {"watermark_delay_seconds": DELAY_SECONDS}
        reference = windows(read_reviews(read_stream("reviews", position)), **rules)
        output = wait_for_windows(reference, position, quiet=60)
        comparison = compare_windows(reference, output)
        print(comparison.sentence)
        assert comparison.equal, comparison.sentence
        assert comparison.expected > 100


def test_a_split_and_a_merge_while_it_runs(make_account: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = OneTask(make_account(), tmp_path, monkeypatch, shards=1)
    lab.build()
    lab.start()
    sending, answers = lab.send_in_background(
        pace=300, limit=3000, rate=20.0, watermark_delay_seconds=DELAY_SECONDS, end_markers=False
    )
    lab.wait_each(MANY)
    (parent,) = lab.open_shards()
    lab.kinesis.split_shard(StreamName="reviews", ShardToSplit=parent, NewStartingHashKey=HALF)
    lab.wait_each(MANY)
    first, second = lab.open_shards()
    lab.kinesis.merge_shards(StreamName="reviews", ShardToMerge=first, AdjacentShardToMerge=second)
    sending.join()
    assert (answers[0]["sent"], answers[0]["rejected"]) == (3000, 0)
    records = read_stream("reviews", load_position(BUCKET))
    by_shard = {shard: len(found) for shard, found in records.groupby("shard")}
    assert len(by_shard) == 4 and min(by_shard.values()) >= MANY, by_shard
    lab.wait_read(len(records))
    lab.put_end_markers()
    lab.compare_all()
