"""Read one shard of a Kinesis stream: GetShardIterator, then GetRecords until the tip.

Limits (Kinesis Data Streams developer guide, "Quotas and limits"): an answer holds at most 10,000 records or 10 MB, a
shard gives five answers and 2 MB a second, an iterator lives 300 s. The client waits and asks again when a shard says
ProvisionedThroughputExceeded; an iterator that ran out is replaced by a new one after the last record read.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from lab.core.aws_errors import code_of, endpoint_of, plain_words
from lab.core.errors import AccountRefused, StepMissing, StreamGone
from lab.core.names import MADE_LATER
from lab.streams.quiet_time import QuietTime

RECORDS_AN_ANSWER = 10_000
SECONDS_BETWEEN_EMPTY_ANSWERS = 0.2  # five reads a second a shard is all that AWS allows
READERS = 16


@dataclass(frozen=True)
class Shard:
    """Describe a shard of a stream.

    A closed one takes no records any more (it was split or merged) but can still be read.

    `first_hash` to `last_hash` is its range of the 128-bit hash of partition keys.
    """

    id: str
    is_open: bool
    parent: str | None = None
    first_hash: int = 0
    last_hash: int = 2**128 - 1


def reading_client() -> Any:
    """Return a Kinesis client for reading much: patient with throttling, and with arrival times as plain epoch seconds.

    Arrival times as floats because botocore's own parsing of 100,000 of them into local datetimes takes a fifth of the
    whole reading; `arrival_seconds` takes both, so any other client works too.
    """
    session = botocore.session.get_session()
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=float)
    config = Config(retries={"mode": "standard", "max_attempts": 10}, max_pool_connections=READERS)
    return boto3.Session(botocore_session=session).client("kinesis", config=config)


def arrival_seconds(value: float | datetime) -> float:
    """Convert ApproximateArrivalTimestamp to epoch seconds, whichever client read it."""
    return value.timestamp() if isinstance(value, datetime) else float(value)


def list_shards(client: Any, stream: str) -> list[Shard]:
    """Return all shards of the stream, closed ones too, by id. Raises StepMissing when there is no such stream."""
    missing = StepMissing(f"The stream `{stream}` does not exist", MADE_LATER.get(stream, "01_streams"))
    found: list[dict[str, Any]] = []
    with plain_words(f"listing the shards of `{stream}`", endpoint_of(client), gone=missing):
        answer = client.list_shards(StreamName=stream)
        found += answer["Shards"]
        while answer.get("NextToken"):
            answer = client.list_shards(NextToken=answer["NextToken"])
            found += answer["Shards"]
    shards = [
        Shard(
            one["ShardId"],
            "EndingSequenceNumber" not in one["SequenceNumberRange"],
            one.get("ParentShardId"),
            int(one["HashKeyRange"]["StartingHashKey"]),
            int(one["HashKeyRange"]["EndingHashKey"]),
        )
        for one in found
    ]
    return sorted(shards, key=lambda shard: shard.id)


def after(sequence_number: str | None) -> dict[str, Any]:
    """Return where to start: after this record, or at the oldest one when there is none."""
    if sequence_number is None:
        return {"ShardIteratorType": "TRIM_HORIZON"}
    return {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": sequence_number}


def shard_answers(
    client: Any, stream: str, shard: str, start: dict[str, Any], stop: Event | None = None
) -> Iterator[list[dict[str, Any]]]:
    """Yield the records of one shard from `start` to the tip, one list an answer, none empty.

    Ends at the end of a closed shard, or when an answer says that it has caught up, or when `stop` is set. Raises
    StreamGone when the shard goes away, another LabError when the account refuses or is silent.
    """
    stop = stop or Event()
    doing = f"reading shard {shard} of `{stream}`"
    with plain_words(doing, endpoint_of(client), gone=StreamGone(stream, shard)):
        iterator = _iterator(client, stream, shard, start)
        while iterator and not stop.is_set():
            try:
                answer = client.get_records(ShardIterator=iterator, Limit=RECORDS_AN_ANSWER)
            except ClientError as error:
                if code_of(error) != "ExpiredIteratorException":
                    raise
                iterator = _iterator(client, stream, shard, start)
                continue
            records = answer["Records"]
            if records:
                start = after(records[-1]["SequenceNumber"])
                yield records
            iterator = answer.get("NextShardIterator")
            behind = answer.get("MillisBehindLatest") or 0
            # A full answer may end within the same millisecond as the next record: 0 ms behind, yet not the tip.
            if not behind and len(records) < RECORDS_AN_ANSWER:
                return
            if not records:
                stop.wait(SECONDS_BETWEEN_EMPTY_ANSWERS)


def _iterator(client: Any, stream: str, shard: str, start: dict[str, Any]) -> str:
    try:
        return client.get_shard_iterator(StreamName=stream, ShardId=shard, **start)["ShardIterator"]
    except ClientError as error:
        if code_of(error) == "InvalidArgumentException" and "StartingSequenceNumber" in start:
            raise AccountRefused(
                f"reading shard {shard} of `{stream}` after record {start['StartingSequenceNumber']}",
                code_of(error),
                error.response["Error"].get("Message", ""),
                "the position belongs to an earlier stream, run 03_flink_job first, then run this cell again",
            ) from error
        raise


def first_shard_with_records(stream: str, quiet: float = 10.0) -> str:
    """Return the first shard of a stream that holds a record, waited for.

    The first shard of all if none comes in ``quiet`` seconds (QuietTime).
    """
    client = reading_client()
    silence = QuietTime()
    while True:
        shards = list_shards(client, stream)
        for shard in shards:
            if next(shard_answers(client, stream, shard.id, after(None)), None):
                return shard.id
        if silence.seconds() > quiet:
            return shards[0].id
        time.sleep(0.5)
