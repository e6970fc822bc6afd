"""Read whole streams as pandas tables, and the position an application started from.

`read_stream` reads every shard from its oldest record (or from a position) to the tip, in parallel. Sequence numbers
are decimal strings of changing length: compare them as int, never as text.
"""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from queue import Queue
from threading import Event
from typing import Any

import boto3
import pandas as pd

from lab.core.aws_errors import endpoint_of, plain_words
from lab.core.errors import StepMissing
from lab.core.names import APPLICATION, INPUT_STREAM, OUTPUT_STREAM
from lab.streams.records import joined
from lab.streams.shards import READERS, Shard, after, arrival_seconds, list_shards, reading_client, shard_answers

COLUMNS = ["shard", "sequence_number", "arrival", "partition_key", "data"]
POSITION_KEY = "lab/position.json"
RECENT = timedelta(minutes=15)


@dataclass(frozen=True)
class Position:
    """Hold where an application began to read: the last record of each shard that was there before it started.

    `shards` belongs to `stream` (the application's input), `output_shards` to `output_stream`; a value of None is a
    shard that was empty. A shard that is not named came later, so it is read from its first record. `late_rows` is how
    many rows Flink had already dropped as late: it counts on, and those are not of what is judged.
    """

    application: str
    created: datetime
    stream: str
    shards: dict[str, str | None]
    output_stream: str = OUTPUT_STREAM
    output_shards: dict[str, str | None] = field(default_factory=dict)
    late_rows: int = 0

    def of(self, stream: str) -> dict[str, str | None]:
        """Return the sequence numbers for this stream.

        Empty (from the beginning) when the position does not speak of it.
        """
        return {self.stream: self.shards, self.output_stream: self.output_shards}.get(stream, {})


def read_stream(
    name: str, position: Position | Mapping[str, str | None] | None = None, *, client: Any = None
) -> pd.DataFrame:
    """Return every record of the stream, from the oldest (or after `position`) to the tip, closed shards too.

    Returns a DataFrame[shard, sequence_number (str), arrival (UTC), partition_key, data (bytes)], by shard and in the
    order of reading within each; `.attrs` holds `stream`, `open_shards` and `closed_shards`, those without records too.
    Raises StepMissing when the stream does not exist, StreamGone when it goes away meanwhile.
    """
    batches = list(stream_batches(name, position, client=client))
    attrs = batches[0].attrs
    batches.sort(key=lambda batch: batch["shard"].iloc[0] if len(batch) else "")
    table = joined(batches)
    table.attrs = attrs
    return table


def stream_batches(
    name: str, position: Position | Mapping[str, str | None] | None = None, *, client: Any = None
) -> Iterator[pd.DataFrame]:
    """Yield the same records as `read_stream`, one table an answer of GetRecords: for streams larger than the memory.

    The first table is empty and only says which shards there are; within a shard the tables come in order, the shards
    are mixed. `read_reviews(stream_batches("reviews"))` decodes one answer while the next ones are under way.
    """
    client = client or reading_client()
    shards = list_shards(client, name)
    starts = position.of(name) if isinstance(position, Position) else dict(position or {})
    attrs = {
        "stream": name,
        "open_shards": [shard.id for shard in shards if shard.is_open],
        "closed_shards": [shard.id for shard in shards if not shard.is_open],
    }
    yield _table("", [], attrs)
    ready: Queue[pd.DataFrame | BaseException | None] = Queue(maxsize=2 * READERS)
    stop = Event()

    def read(shard: Shard) -> None:
        try:
            for records in shard_answers(client, name, shard.id, after(starts.get(shard.id)), stop):
                ready.put(_table(shard.id, records, attrs))
            ready.put(None)
        except BaseException as error:
            ready.put(error)  # raised again where the table would have been taken

    with ThreadPoolExecutor(min(len(shards), READERS) or 1, thread_name_prefix=f"read-{name}") as pool:
        for shard in shards:
            pool.submit(read, shard)
        reading = len(shards)
        try:
            while reading:
                item = ready.get()
                if item is None:
                    reading -= 1
                elif isinstance(item, BaseException):
                    reading -= 1
                    raise item
                else:
                    yield item
        finally:
            stop.set()
            while reading:  # let the readers that wait for room in the queue finish
                reading -= not isinstance(ready.get(), pd.DataFrame)


def _table(shard: str, records: list[dict[str, Any]], attrs: dict[str, Any]) -> pd.DataFrame:
    seconds = [arrival_seconds(record["ApproximateArrivalTimestamp"]) for record in records]
    millis = (pd.Series(seconds, dtype="float64") * 1000).round().astype("int64")
    table = pd.DataFrame(
        {
            "shard": pd.Series([shard] * len(records), dtype=object),
            "sequence_number": pd.Series([record["SequenceNumber"] for record in records], dtype=object),
            "arrival": pd.to_datetime(millis, unit="ms", utc=True),
            "partition_key": pd.Series([record["PartitionKey"] for record in records], dtype=object),
            "data": pd.Series([record["Data"] for record in records], dtype=object),
        }
    )
    table.attrs = attrs
    return table


def tip(name: str, *, client: Any = None) -> dict[str, str | None]:
    """Return the sequence number of the last record of each open or closed shard; None for a shard without records.

    The API has no call for it: the shard is read, the last quarter of an hour first, and from its oldest record only
    when nothing came in that time. Raises as `read_stream`.
    """
    client = client or reading_client()
    shards = list_shards(client, name)
    recent = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": datetime.now(UTC) - RECENT}

    def last(shard: Shard) -> str | None:
        for start in (recent, after(None)):
            newest = None
            for records in shard_answers(client, name, shard.id, start):
                newest = records[-1]["SequenceNumber"]
            if newest is not None:
                return newest
        return None

    with ThreadPoolExecutor(min(len(shards), READERS) or 1, thread_name_prefix=f"tip-{name}") as pool:
        return dict(zip([shard.id for shard in shards], pool.map(last, shards), strict=True))


def save_position(
    bucket: str,
    application: str = APPLICATION,
    stream: str = INPUT_STREAM,
    output_stream: str = OUTPUT_STREAM,
    *,
    late_rows: int = 0,
) -> Position:
    """Note in S3 (`lab/position.json` of the bucket) where both streams end now. Call it just before StartApplication.

    The application starts at LATEST and the output may hold an earlier run's windows: only what comes after this
    position counts when the two are compared; so again behind a demonstration. Returns the position.
    Raises StepMissing without streams or bucket.
    """
    now = datetime.now(UTC)
    position = Position(application, now, stream, tip(stream), output_stream, tip(output_stream), late_rows)
    text = asdict(position) | {"created": now.isoformat(timespec="milliseconds")}
    s3 = boto3.client("s3")
    missing = StepMissing(f"The bucket {bucket} does not exist", "03_flink_job")
    with plain_words(f"writing {POSITION_KEY} to {bucket}", endpoint_of(s3), gone=missing):
        s3.put_object(Bucket=bucket, Key=POSITION_KEY, Body=json.dumps(text, indent=1).encode())
    return position


def load_position(bucket: str) -> Position:
    """Return what `save_position` noted. Raises StepMissing when 03_flink_job has not started the application yet."""
    s3 = boto3.client("s3")
    missing = StepMissing(f"Where the application began to read is not noted in {bucket}", "03_flink_job")
    with plain_words(f"reading {POSITION_KEY} of {bucket}", endpoint_of(s3), gone=missing):
        body = s3.get_object(Bucket=bucket, Key=POSITION_KEY)["Body"].read()
    try:
        text = json.loads(body)
        text["created"] = datetime.fromisoformat(text["created"])
        return Position(**text)
    except (ValueError, KeyError, TypeError) as error:
        raise StepMissing(f"The position noted in {bucket} ({POSITION_KEY}) cannot be read", "03_flink_job") from error
