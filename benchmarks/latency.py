"""From the put of the record that closes a window to the window's record being readable on `suspicious_activity`.

    python -m benchmarks.latency [--times 40] [--quick]

The lab's application on one shard, with its own settings and then with the connector's default buffer (5 s; Flink
documentation, Kinesis table sink, sink.flush-buffer.timeout). One window at a time, put at random moments so that no
interval of the job is met in step; the first five windows are warm-up and not counted (one beside the default buffer).
The output is asked for every 5 ms.
"""

import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks.managed_flink import account_up
from benchmarks.rows import Row, arguments, report, row
from tests.support.pipeline import Pipeline

WARM_UP = 5
DEFAULT_BUFFER_MILLIS = 5000
START = pd.Timestamp("2026-01-01")


class Probe:
    """Puts one window after another and waits for each on the output."""

    def __init__(self, kinesis: Any) -> None:
        self._kinesis = kinesis
        shard = kinesis.list_shards(StreamName="suspicious_activity")["Shards"][0]["ShardId"]
        where = {"StreamName": "suspicious_activity", "ShardId": shard, "ShardIteratorType": "LATEST"}
        self._iterator = kinesis.get_shard_iterator(**where)["ShardIterator"]

    def _put(self, review_id: str, reviewer: str | None, seconds: float) -> None:
        names = ("movie", "rating", "review_summary", "review_date", "spoiler_tag", "review_detail", "helpful")
        moment = (START + pd.Timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
        event = {"review_id": review_id, "reviewer": reviewer, **dict.fromkeys(names), "event_time": moment}
        self._kinesis.put_record(StreamName="reviews", PartitionKey=review_id, Data=json.dumps(event).encode())

    def window(self, number: int, pause: float) -> float:
        """Seconds for the two windows (ends 30 s and 60 s) of one reviewer with two reviews."""
        reviewer, begins = f"reviewer-{number}", number * 120
        for one in ("a", "b"):
            self._put(f"{number}-{one}", reviewer, begins + 10)
        time.sleep(pause)
        wanted = {START + pd.Timedelta(seconds=begins + end) for end in (30, 60)}
        began = time.perf_counter()
        self._put(f"{number}-mover", None, begins + 100)
        while wanted:
            answer = self._kinesis.get_records(ShardIterator=self._iterator)
            now = time.perf_counter()
            self._iterator = answer["NextShardIterator"]
            for record in answer["Records"]:
                found = json.loads(record["Data"])
                if found["reviewer"] != reviewer or found["movie_count"] != 2:
                    raise RuntimeError(f"Window {number}: unexpected {found}.")
                wanted.remove(pd.Timestamp(found["event_time"]))
            if now - began > 60:
                raise RuntimeError(f"Window {number} did not come within 60 seconds.")
            time.sleep(0.005)
        return now - began


def measure(times: int, flush_millis: int | None, warm_up: int = WARM_UP) -> list[float]:
    """Milliseconds of each counted window."""
    with (
        tempfile.TemporaryDirectory() as name,
        pytest.MonkeyPatch.context() as environment,
        account_up(Path(name)) as account,
    ):
        pipeline = Pipeline(account, Path(name), environment, 1)
        pipeline.build(checkpoint_ms=60_000)
        if flush_millis is not None:
            groups = pipeline.property_groups()
            producer = next(group for group in groups if group["PropertyGroupId"] == "producer.config.0")
            producer["PropertyMap"]["flush.buffer.millis"] = str(flush_millis)
            pipeline.update(EnvironmentPropertyUpdates={"PropertyGroups": groups})
        pipeline.start()
        probe, chance = Probe(pipeline.kinesis), random.Random(7)
        return [1000 * probe.window(one, chance.uniform(0.2, 0.8)) for one in range(times + warm_up)][warm_up:]


def p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[98]


def rows(ours: list[float], default: list[float]) -> list[Row]:
    spread = [round(min(ours), 3), round(max(ours), 3)]
    beside = "the connector's default buffer"
    last = row("latency_p99_ms", [p99(ours)], "ms", 700, [p99(default)], beside)
    return [
        row("latency_p50_ms", ours, "ms", 350, default, beside),
        {**last, "n": len(ours), "spread": spread},
        row("default_latency_p50_ms", default, "ms"),
    ]


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--times", type=int, default=40, help="windows (default 40, with --quick 10)")
    options = parser.parse_args()
    times = 10 if options.quick else options.times
    default = measure(max(2, times // 10), DEFAULT_BUFFER_MILLIS, warm_up=1)
    return report(rows(measure(times, None), default), options.out)


if __name__ == "__main__":
    sys.exit(main())
