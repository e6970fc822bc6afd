"""One batch onto a stream, until every record of it is there: the exercise of notebook 02.

PutRecords is not all or nothing: its answer has an entry for every record, in the same order, and those that were
refused have an ErrorCode in place of a SequenceNumber. (The function itself writes through `shard_lanes.py`, which does
the same for every shard at once and keeps the order.)
"""

import time
from typing import Any

PAUSE = 0.02  # seconds before a resend; doubled every time, up to a fifth of a second


def put_batch(kinesis: Any, stream: str, records: list[dict[str, Any]], attempts: int = 20) -> int:
    """Put `records` (dicts with Data and PartitionKey, at most 500) on the stream, each exactly once.

    Resends what was refused, and only that, after a pause. Returns the number of requests; raises TimeoutError when
    records are left after so many attempts.
    """
    # YOUR CODE HERE
    raise NotImplementedError()
