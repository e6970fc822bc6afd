"""Put one batch on a stream, until every record of it is there: the exercise of notebook 02.

PutRecords is not all or nothing: its answer has an entry for every record, in the same order, and those that were
refused have an ErrorCode in place of a SequenceNumber. (The function itself writes through `shard_senders.py`, which
does the same for every shard at once and keeps the order.)
"""

import time
from typing import Any

PAUSE = 0.02  # seconds before a resend; doubled every time, up to a fifth of a second


def put_batch(kinesis: Any, stream: str, records: list[dict[str, Any]], attempts: int = 20) -> int:
    """Put `records` (dicts with Data and PartitionKey, at most 500) on the stream, each exactly once.

    Resends what was refused, and only that, after a pause. Returns the number of requests; raises TimeoutError when
    records are left after so many attempts.
    """
    ### BEGIN SOLUTION
    for attempt in range(attempts):
        answer = kinesis.put_records(StreamName=stream, Records=records)
        records = [record for record, entry in zip(records, answer["Records"], strict=True) if entry.get("ErrorCode")]
        if not records:
            return attempt + 1
        time.sleep(min(0.2, PAUSE * 2**attempt))
    raise TimeoutError(f"{len(records)} records of the batch were refused {attempts} times.")
    ### END SOLUTION
