"""Put records on the stream, in order on every shard: one sender a shard, one request at a time."""

import random
import threading
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from hashlib import md5
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from event_settings import ProducerError

REQUEST_RECORDS, REQUEST_BYTES = 500, 1 << 20  # PutRecords takes 500 and 5 MiB; so a sender holds 4 MiB at most
ENOUGH = 250  # records that are worth a request while none is under way
SHARD_RECORDS, SHARD_BYTES = 1_000, 1_000_000  # what a shard takes a second
GIVE_UP_SECONDS = 60.0  # without a single record written
BACKOFF, BACKOFF_MOST = 0.02, 5.0
MAX_RECORD_BYTES = 1 << 20  # data and partition key together
THROTTLED = {"ProvisionedThroughputExceededException", "ThrottlingException", "LimitExceededException"}
# Passing by themselves: worth another attempt. Every other code of a whole request ends the invocation.
PASSING = {*THROTTLED, "KMSThrottlingException", "InternalFailure", "ServiceUnavailable", "ResourceInUseException"}
_SENTENCES = {
    "ResourceNotFoundException": "There is no stream '{stream}': create it with 01_streams, then invoke again.",
    "ResourceInUseException": "The stream '{stream}' is still being created: wait until it is ACTIVE.",
    "AccessDeniedException": "The function's role may not write to the stream '{stream}' ({code}): give it "
    "kinesis:ListShards and kinesis:PutRecords (LabRole has them), then invoke again.",
}


class StreamError(ProducerError):
    """Say that the Kinesis stream does not take records (missing, forbidden, unreachable for too long)."""


class Record(NamedTuple):
    """Describe a record on its way: its data, partition key and event time, and its size by Kinesis' count."""

    data: bytes
    key: str
    event_ms: int
    size: int
    hash_key: int | None = None  # names a shard whatever the partition key (for end markers)


def open_shards(kinesis: Any, stream: str) -> list[tuple[int, str]]:
    """List the open shards: first hash key and id of each, in order. Raises StreamError."""
    question: dict[str, Any] = {"StreamName": stream, "ShardFilter": {"Type": "AT_LATEST"}}
    listed: list[dict[str, Any]] = []
    try:
        while question:  # no paginator: Kinesis takes no name beside a NextToken
            answer = kinesis.list_shards(**question)
            listed += answer["Shards"]
            question = {"NextToken": answer["NextToken"]} if answer.get("NextToken") else {}
    except (ClientError, BotoCoreError) as error:
        raise _stream_error(stream, error) from error
    is_open = [shard for shard in listed if "EndingSequenceNumber" not in shard["SequenceNumberRange"]]
    if not is_open:
        raise StreamError(f"The stream '{stream}' has no open shard: wait until it is ACTIVE, then invoke again.")
    return sorted((int(shard["HashKeyRange"]["StartingHashKey"]), shard["ShardId"]) for shard in is_open)


class ShardSenders:
    """Hold the senders of all open shards, and what they did.

    ``may_send`` is asked before each request, raises to stop.

    ``strict``: no request spans the watermark delay. ``limited``: keep to a shard's limit from the beginning. The
    counts are this invocation's, but ``per_shard``, which begins with what earlier ones wrote.
    """

    def __init__(
        self, kinesis: Any, stream: str, delay_ms: int, strict: bool = False, limited: bool = False,
        may_send: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self.kinesis, self.stream, self.may_send = kinesis, stream, may_send
        self.narrow_ms, self.strict, self.limited = max(delay_ms - 1.0, 0.0), strict, limited
        self.lock = threading.Lock()  # of the counts
        self.requests = self.retries = self.throttled = self.disorder_ms = 0
        self.per_shard: Counter[str] = Counter()  # records written
        self.series: dict[int, list[int]] = {}  # second of the invocation -> [records written, sent again]
        self.begun = time.monotonic()
        self.stale = False  # a record went to another shard than the list says
        self.halted = threading.Event()
        self._senders: list[_Sender] = []

    def begin(self, shards: list[tuple[int, str]]) -> None:
        """Begin with a sender for each of these shards, in place of earlier ones."""
        self.halt()
        self.shards, self.stale, self.halted = shards, False, threading.Event()
        self.per_shard.update({shard_id: 0 for _, shard_id in shards})
        self._starts = [start for start, _ in shards]
        self._senders = [_Sender(self, shard_id) for _, shard_id in shards]
        self._latest = self._senders[0]
        self._threads = ThreadPoolExecutor(len(shards), "sender")

    def put(self, record: Record) -> None:
        """Hand a record to the sender of its shard, whose hash keys hold the partition key's MD5."""
        hash_key = record.hash_key
        if hash_key is None:
            hash_key = int.from_bytes(md5(record.key.encode(), usedforsecurity=False).digest(), "big")
        sender = self._latest = self._senders[bisect_right(self._starts, hash_key) - 1]
        sender.waiting.append(record)
        sender.bytes += record.size

    def has_room(self, seconds: float) -> bool:
        """Wait up to so long until the next record may be put. Raises what ended the sender of the last one."""
        sender = self._latest
        if len(sender.waiting) < ENOUGH and sender.bytes < REQUEST_BYTES:
            return True
        full = len(sender.waiting) >= REQUEST_RECORDS or sender.bytes >= REQUEST_BYTES
        return self._hand_over(sender, seconds if full else 0.0) or not full

    def flush(self, seconds: float) -> bool:
        """Wait up to so long until everything that was put is written. Raises what ended a sender."""
        until = time.monotonic() + seconds
        done = [self._hand_over(one, max(0.0, until - time.monotonic())) for one in self._senders if one.waiting]
        wait([one.sending for one in self._senders], max(0.0, until - time.monotonic()))
        return all([one.sending.done() and not one.sending.result() for one in self._senders] + done)

    def _hand_over(self, sender: "_Sender", seconds: float) -> bool:
        """Let a sender begin with what waits for it; False when what it has is not written by then."""
        if not wait([sender.sending], seconds).done:
            return False
        sender.sending.result()  # raises what ended it
        sender.sending = self._threads.submit(sender.send, sender.waiting)
        sender.waiting, sender.bytes = [], 0
        return True

    def halt(self, seconds: float = 4.0) -> None:
        """End the senders after the requests under way, waited for up to so long; what is not written is left."""
        self.halted.set()
        wait([sender.sending for sender in self._senders], seconds)
        if self._senders:
            self._threads.shutdown(wait=False)


class _Sender:
    """Send one shard's records, one request at a time; failed ones go again before anything later.

    PutRecords fails record by record: when record 3 of 500 fails and 4 to 500 are written, 3 comes after 500 however
    soon it is sent again, and Flink drops it if 500 has moved the watermark past its windows. Within the watermark
    delay any order is harmless. So a request spans less event time than the delay at first (with ``strict`` always),
    four times more after every request that was written whole, and less than the delay for good once a record was
    overtaken. From the first throttled record on, a sender keeps to its shard's limit.
    """

    def __init__(self, senders: ShardSenders, shard_id: str) -> None:
        self.waiting: list[Record] = []
        self.bytes = 0
        self.sending: Future[list[Record]] = Future()  # of what was handed over; its result is what was left
        self.sending.set_result([])
        self._senders, self._shard_id = senders, shard_id
        self._strict, self._limited, self._span_ms = senders.strict, senders.limited, senders.narrow_ms
        self._next_at, self._barren = 0.0, 0

    def send(self, records: list[Record]) -> list[Record]:
        """Send these records until all are written; returns those that are left when halted."""
        self._barren, written_at, halted = 0, time.monotonic(), self._senders.halted
        while records and not halted.wait(max(0.0, self._next_at - time.monotonic())):
            batch = self._batch(records)
            failed, why = self._request(batch)
            records = failed + records[len(batch) :]
            if len(failed) < len(batch):
                written_at, self._barren = time.monotonic(), 0
            elif time.monotonic() - written_at > GIVE_UP_SECONDS:
                raise StreamError(
                    f"The stream took no record of {self._shard_id} for {GIVE_UP_SECONDS:.0f} s ({why}): look at the "
                    "stream, then invoke again with the same event, the run goes on where it stopped."
                )
            if failed:  # exponential backoff with full jitter; from the shortest again when a request got somewhere
                halted.wait(random.uniform(0, min(BACKOFF_MOST, BACKOFF * 2**self._barren)))
                self._barren += 1
        return records

    def _batch(self, records: list[Record]) -> list[Record]:
        """Return the first of the records, as many as the next request may hold."""
        # At the limit four requests a second: less is throttled of small ones than of large ones.
        most, room = (SHARD_RECORDS // 4, SHARD_BYTES // 4) if self._limited else (REQUEST_RECORDS, 2 * REQUEST_BYTES)
        count, latest = 0, records[0].event_ms + self._span_ms
        for record in records[:most]:
            room -= record.size
            if count and (room < 0 or record.event_ms > latest):
                break
            count += 1
        return records[:count]

    def _request(self, batch: list[Record]) -> tuple[list[Record], str]:
        """Send one PutRecords, and learn from its answer; returns the records that failed, and why the first did."""
        senders, entries = self._senders, []
        for data, key, _, _, hash_key in batch:
            explicit = {} if hash_key is None else {"ExplicitHashKey": str(hash_key)}
            entries.append({"Data": data, "PartitionKey": key, **explicit})
        senders.may_send()
        try:
            answer = senders.kinesis.put_records(StreamName=senders.stream, Records=entries)["Records"]
        except (ClientError, BotoCoreError) as error:
            code = type(error).__name__
            if isinstance(error, ClientError):
                code = error.response["Error"]["Code"]
                if code not in PASSING and error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                    raise _stream_error(senders.stream, error) from error
            answer = [{"ErrorCode": code}] * len(batch)  # whether any was written is not known: all go again
        codes = [entry["ErrorCode"] for entry in answer if entry.get("ErrorCode")]
        went_to = [entry["ShardId"] for entry in answer if not entry.get("ErrorCode")]
        failed = [record for record, entry in zip(batch, answer, strict=True) if entry.get("ErrorCode")]
        written = [record for record, entry in zip(batch, answer, strict=True) if not entry.get("ErrorCode")]
        overtaken_ms = max(0, written[-1].event_ms - failed[0].event_ms) if written and failed else 0
        throttled = sum(code in THROTTLED for code in codes)
        with senders.lock:
            senders.requests, senders.retries = senders.requests + 1, senders.retries + len(failed)
            senders.throttled += throttled
            senders.disorder_ms = max(senders.disorder_ms, overtaken_ms)
            senders.per_shard.update(went_to)
            senders.stale = senders.stale or any(shard_id != self._shard_id for shard_id in went_to)
            second = senders.series.setdefault(int(time.monotonic() - senders.begun), [0, 0])
            second[0], second[1] = second[0] + len(written), second[1] + len(failed)
        self._strict, self._limited = self._strict or overtaken_ms > 0, self._limited or throttled > 0
        self._span_ms = senders.narrow_ms if self._strict else self._span_ms if failed else 4 * self._span_ms + 1000
        if self._limited:
            counted = batch if throttled else written  # until the shard has room for a request of this size
            seconds = max(len(counted) / SHARD_RECORDS, sum(record.size for record in counted) / SHARD_BYTES)
            self._next_at = max(time.monotonic(), self._next_at) + seconds
        return failed, codes[0] if codes else ""


def _stream_error(stream: str, error: ClientError | BotoCoreError) -> StreamError:
    if isinstance(error, BotoCoreError):
        return StreamError(f"Kinesis did not answer about '{stream}' ({type(error).__name__}): invoke again.")
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    said = _SENTENCES.get(code, "The stream '{stream}' refused ({code}: {message}): put that right, then invoke again.")
    return StreamError(said.format(stream=stream, code=code, message=message.rstrip(".")))
