"""Size the pipeline for a rate of reviews: arithmetic alone, nothing is read or called.

Sources: Kinesis Data Streams developer guide, "Quotas and limits" (a shard takes 1 MB and 1,000 records a second);
Managed Service for Apache Flink developer guide (a KPU is 1 vCPU, 4 GB and 50 GB of running storage; one more KPU an
application for orchestration).
"""

import math
from dataclasses import dataclass

from lab.account.costs import Charge, application_charges, stream_charge
from lab.core.errors import BadParameter
from lab.core.names import INPUT_STREAM

SHARD_BYTES, SHARD_RECORDS = 1_000_000, 1_000  # a second, written
PUT_UNIT_BYTES = 25 * 1024
PER_CORE = 5_000
"""Reviews a second that one KPU is planned with; docs/scale.md has the measurement it stays below."""
OPEN_SECONDS = 60 + 5  # of event time: how long a window of the notebooks lasts, and how long Flink waits for late rows
STATE_BYTES = 250
"""Planned for one review whose windows are open; docs/scale.md has the 235 that were the most measured. It counts once,
not once a window: windows that overlap share their slices."""


@dataclass(frozen=True)
class Size:
    """Hold what the rate needs, and what is paid for it by the hour."""

    shards: int
    binding: str
    kpus: int
    parallelism: int
    parallelism_per_kpu: int
    state_bytes: int
    charges: tuple[Charge, ...]


def size(reviews_per_second: float, average_bytes: int = 1300) -> Size:
    """Size the input stream and the application for a steady rate.

    Parallelism equals the number of shards, so that every shard has a watermark of its own (no window is lost to a
    faster neighbour); where that is more than the cores need, several tasks share a KPU (at most 8: the service's
    limit of ParallelismPerKPU). Raises BadParameter for a rate or a size that cannot be.
    """
    if not reviews_per_second > 0 or math.isinf(reviews_per_second):
        raise BadParameter("reviews-per-second", reviews_per_second, "it is more than 0, such as 10000")
    if not 1 <= average_bytes <= 1 << 20:
        raise BadParameter("average-bytes", average_bytes, "a record has 1 to 1,048,576 bytes, such as 1300")
    by_bytes = math.ceil(reviews_per_second * average_bytes / SHARD_BYTES)
    by_records = math.ceil(reviews_per_second / SHARD_RECORDS)
    shards = max(by_bytes, by_records)
    binding = "1 MB a second a shard" if by_bytes >= by_records else "1,000 records a second a shard"
    kpus = max(math.ceil(reviews_per_second / PER_CORE), math.ceil(shards / 8))
    state = math.ceil(reviews_per_second * OPEN_SECONDS * STATE_BYTES)
    put_units = reviews_per_second * 3600 * math.ceil(average_bytes / PUT_UNIT_BYTES)
    charges = (
        stream_charge(INPUT_STREAM, shards),
        Charge(f"stream {INPUT_STREAM}, PUT payload units", "put_payload_unit_million", put_units / 1e6),
        *application_charges(kpus),
    )
    return Size(shards, binding, kpus, shards, math.ceil(shards / kpus), state, charges)
