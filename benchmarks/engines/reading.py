"""What every Python contender has in common: the same records by GetRecords, the same facts of each, one answer.

Imports nothing but boto3, so that it runs in the environment of each engine. A contender is a module with
``windows(batches) -> iterable of (reviewer, window end in ms since the epoch, distinct reviews)``, windows with more
than one review; it is timed from its first GetRecords to its last window, imports and client already there.

    python -m benchmarks.engines.reading <contender> <endpoint> <stream>   prints {"seconds": ..., "windows": [...]}
"""

import importlib
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3

WINDOW_MS, SLIDE_MS, DELAY_MS, THRESHOLD = 60_000, 30_000, 5_000, 1
Review = tuple[str, str, int]  # reviewer, review_id, event time in ms since the epoch


def answers(client: Any, stream: str) -> Iterator[list[dict[str, Any]]]:
    """The bare loop: every record from the oldest to the tip, shard after shard, an answer of GetRecords at a time."""
    for shard in client.list_shards(StreamName=stream)["Shards"]:
        start = {"StreamName": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = client.get_shard_iterator(**start)["ShardIterator"]
        while iterator:
            answer = client.get_records(ShardIterator=iterator, Limit=10_000)
            if answer["Records"]:
                yield answer["Records"]
            elif not answer["MillisBehindLatest"]:
                break
            iterator = answer.get("NextShardIterator")


def reviews(records: list[dict[str, Any]]) -> list[Review]:
    """The countable reviews among the records; the producer's end markers have no reviewer."""
    found = []
    for record in records:
        event = json.loads(record["Data"])
        if event["reviewer"] is not None and event["review_id"] is not None:
            time_ms = int(datetime.fromisoformat(event["event_time"]).replace(tzinfo=UTC).timestamp() * 1000 + 0.5)
            found.append((event["reviewer"], event["review_id"], time_ms))
    return found


def main() -> None:
    name, endpoint, stream = sys.argv[1:]
    contender = importlib.import_module(f"benchmarks.engines.{name}")
    keys = {"aws_access_key_id": "000000000000", "aws_secret_access_key": "local"}
    client = boto3.client("kinesis", endpoint_url=endpoint, region_name="us-east-1", **keys)
    client.list_shards(StreamName=stream)  # the connection is made
    began = time.perf_counter()
    found = list(contender.windows(answers(client, stream)))
    seconds = time.perf_counter() - began
    json.dump({"seconds": seconds, "windows": found}, sys.stdout)


if __name__ == "__main__":
    main()
