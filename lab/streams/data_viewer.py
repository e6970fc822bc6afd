"""Show records as the console's Data viewer does: a shard, a starting position, next records.

Columns and positions are those of the console (Kinesis, a stream, tab "Data viewer").
"""

import json
from datetime import UTC, datetime
from html import escape
from typing import Any

import boto3
import pandas as pd
from botocore.exceptions import ClientError

from lab.core.aws_errors import code_of, endpoint_of, plain_words
from lab.core.errors import BadParameter, StreamGone
from lab.core.tables import cell
from lab.streams.shards import list_shards

COLUMNS = ["Partition key", "Data", "Approximate arrival timestamp", "Sequence number"]
POSITIONS = ("TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "AT_TIMESTAMP")
LARGEST_LIMIT = 10_000
IN_SIGHT = 60  # characters of a record that are shown folded


class Page(pd.DataFrame):
    """Hold the records of one answer. Displayed, each record's JSON is whole: folded, one line of it in sight."""

    def _repr_html_(self) -> str:
        if list(self.columns) != COLUMNS:
            return pd.DataFrame(self)._repr_html_()
        style = "text-align:left;vertical-align:top;padding:2px 8px"
        head = "".join(f'<th scope="col" style="{style}">{name}</th>' for name in COLUMNS)
        rows = "".join(
            "<tr>" + "".join(f'<td style="{style}">{one}</td>' for one in _row(*values)) + "</tr>"
            for values in self.itertuples(index=False, name=None)
        )
        body = rows or f'<tr><td colspan="{len(COLUMNS)}" style="{style}">no records</td></tr>'
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(key: str, data: str, arrival: pd.Timestamp, number: str) -> tuple[str, str, str, str]:
    """Return a record as HTML: its data folded under the first characters, a JSON object one field a line."""
    try:
        whole = json.dumps(json.loads(data), indent=2, ensure_ascii=False)
    except ValueError:
        whole = data
    start = data if len(data) <= IN_SIGHT else data[: IN_SIGHT - 1] + "…"
    wrapped = "white-space:pre-wrap;overflow-wrap:anywhere;text-align:left"
    summary = f'<summary style="word-break:break-all">{escape(start)}</summary>'  # else it begins below its triangle
    folded = f'<details>{summary}<pre style="{wrapped}">{escape(whole)}</pre></details>'
    return escape(key), folded, escape(cell(arrival)), escape(number)


class DataViewer:
    """Look at the records of one stream, a page at a time.

        viewer = DataViewer("reviews")
        viewer.records("shardId-000000000000", "Trim horizon")
        viewer.next_records()

    `shards` names the shards there were when the viewer was made. Raises StepMissing when there is no such stream.
    """

    def __init__(self, stream: str, *, client: Any = None) -> None:
        self.stream = stream
        self._client = client or boto3.client("kinesis")
        self.shards = [shard.id for shard in list_shards(self._client, stream)]
        self._shard = ""
        self._start: dict[str, Any] = {}
        self._iterator: str | None = None

    def records(
        self,
        shard: str | int,
        position: str = "TRIM_HORIZON",
        *,
        sequence_number: str | None = None,
        timestamp: datetime | str | None = None,
        limit: int = 50,
    ) -> pd.DataFrame:
        """Get records: the first page of a shard from a starting position.

        `shard` is an id or its number (0 for shardId-000000000000). `position` is one of TRIM_HORIZON, LATEST,
        AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER (both want `sequence_number`), AT_TIMESTAMP (wants `timestamp`, ISO
        text or datetime, UTC when it names no zone), or the console's spelling ("Trim horizon"). `limit`: 1 to 10,000
        records. Data is shown as text; bytes that are no UTF-8 as \\x escapes. LATEST starts after the last record, so
        its first page is usually empty: send something, then take `next_records`. Raises BadParameter, StreamGone.
        """
        self._shard = self._known(shard)
        self._start = _start(position, sequence_number, timestamp)
        self._iterator = self._new_iterator()
        return self._page(limit)

    def next_records(self, limit: int = 50) -> pd.DataFrame:
        """Return next records: the page after the last one; empty when nothing came since."""
        if not self._shard:
            raise BadParameter("position", None, "there is no page yet, so call `records(shard, position)` first")
        return self._page(limit)

    def _page(self, limit: int) -> pd.DataFrame:
        if not (isinstance(limit, int) and 1 <= limit <= LARGEST_LIMIT):
            raise BadParameter("limit", limit, f"GetRecords gives 1 to {LARGEST_LIMIT:,} records")
        records: list[dict[str, Any]] = []
        # On AWS an answer can be empty although more is to come: ask again until it says that it has caught up.
        while self._iterator and not records:
            answer = self._answer(limit)
            records = answer["Records"]
            self._iterator = answer.get("NextShardIterator")
            if not answer.get("MillisBehindLatest"):
                break
        if records:
            last = records[-1]["SequenceNumber"]
            self._start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": last}
        arrivals = pd.to_datetime([record["ApproximateArrivalTimestamp"] for record in records], utc=True)
        columns = {
            "Partition key": [record["PartitionKey"] for record in records],
            "Data": [record["Data"].decode("utf-8", "backslashreplace") for record in records],
            "Approximate arrival timestamp": arrivals,
            "Sequence number": [record["SequenceNumber"] for record in records],
        }
        return Page(columns, columns=COLUMNS)

    def _answer(self, limit: int) -> dict[str, Any]:
        gone = StreamGone(self.stream, self._shard)
        with plain_words(f"reading shard {self._shard} of `{self.stream}`", endpoint_of(self._client), gone=gone):
            try:
                return self._client.get_records(ShardIterator=self._iterator, Limit=limit)
            except ClientError as error:
                if code_of(error) != "ExpiredIteratorException":
                    raise
            # An iterator is valid for five minutes; whoever reads a page for longer goes on where it ended.
            self._iterator = self._new_iterator()
            return self._client.get_records(ShardIterator=self._iterator, Limit=limit)

    def _new_iterator(self) -> str:
        gone = StreamGone(self.stream, self._shard)
        with plain_words(f"opening shard {self._shard} of `{self.stream}`", endpoint_of(self._client), gone=gone):
            answer = self._client.get_shard_iterator(StreamName=self.stream, ShardId=self._shard, **self._start)
        return answer["ShardIterator"]

    def _known(self, shard: str | int) -> str:
        name = f"shardId-{shard:012d}" if isinstance(shard, int) else shard
        if name not in self.shards:  # it may have come since: look again before saying no
            self.shards = [one.id for one in list_shards(self._client, self.stream)]
        if name not in self.shards:
            raise BadParameter("shard", shard, f"the shards of `{self.stream}` are {', '.join(self.shards)}")
        return name


def _start(position: str, sequence_number: str | None, timestamp: datetime | str | None) -> dict[str, Any]:
    kind = position.strip().upper().replace(" ", "_")
    if kind not in POSITIONS:
        raise BadParameter("position", position, f"the starting positions are {', '.join(POSITIONS)}")
    if kind.endswith("SEQUENCE_NUMBER"):
        if not (isinstance(sequence_number, str) and sequence_number.isdecimal()):
            hint = f"{kind} wants the digits of a record's Sequence number as text"
            raise BadParameter("sequence_number", sequence_number, hint)
        return {"ShardIteratorType": kind, "StartingSequenceNumber": sequence_number}
    if kind == "AT_TIMESTAMP":
        return {"ShardIteratorType": kind, "Timestamp": _moment(timestamp)}
    return {"ShardIteratorType": kind}


def _moment(timestamp: datetime | str | None) -> datetime:
    hint = 'AT_TIMESTAMP wants a moment, such as timestamp="2026-01-01T12:00:00"'
    if timestamp is None:
        raise BadParameter("timestamp", timestamp, hint)
    try:
        moment = datetime.fromisoformat(timestamp) if isinstance(timestamp, str) else timestamp
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, AttributeError) as error:
        raise BadParameter("timestamp", timestamp, hint) from error
