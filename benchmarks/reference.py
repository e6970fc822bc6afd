"""The vectorised reference on a million reviews, beside ten thousand: seconds, and the growth of the time a review.

    python -m benchmarks.reference [--times 3]

Reviews are generated (ten a second, reviewers drawn by a power law, two shards); nothing is read from a stream.
"""

import sys
import time

import numpy as np
import pandas as pd

from benchmarks.rows import Row, arguments, report, row
from lab.validation.reference import windows


def reviews(count: int, reviewers: int = 100_000) -> pd.DataFrame:
    """A table as lab.reference takes it."""
    chance = np.random.default_rng(7)
    number = np.arange(count)
    start = np.datetime64("2026-01-01T00:00:00", "ms")
    time_ms = start + number * 100
    return pd.DataFrame(
        {
            "shard": np.where(number % 2, "shardId-000000000000", "shardId-000000000001"),
            "order": number // 2,
            "arrival": pd.to_datetime(time_ms, utc=True),
            "review_id": [f"rw{one:07d}" for one in number],
            "reviewer": [f"reviewer-{one}" for one in np.minimum(chance.zipf(1.3, count), reviewers)],
            "event_time": time_ms.astype("datetime64[ns]"),
        }
    )


def measure(times: int) -> list[Row]:
    large, small = reviews(1_000_000), reviews(10_000)
    windows(small)  # what is loaded lazily is loaded
    seconds, each = [], []
    for _ in range(times):
        began = time.perf_counter()
        found = windows(large)
        seconds.append(time.perf_counter() - began)
        began = time.perf_counter()
        windows(small)
        each.append(time.perf_counter() - began)
    if not len(found.windows) or len(found.late_pairs):
        raise RuntimeError(found.sentence)
    return [row("reference_1m_seconds", seconds, "s", 10, each, "10,000 reviews")]


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    return report(measure(1 if options.quick else options.times), options.out)


if __name__ == "__main__":
    sys.exit(main())
