"""quixstreams 3: its windowing alone (hopping window, RocksDB state, closed by partition), without its Kafka broker.

Records go straight into the window's ``process_window``; state is committed once an answer of GetRecords. Its counts
are of reviews, so the review_ids are reduced to a list in each window and counted at the end. Its library closes a
window when a later record comes: a last record past everything closes the rest.
"""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from quixstreams.dataframe.windows.aggregations import Reduce
from quixstreams.dataframe.windows.time_based import ClosingStrategy, FixedTimeWindowMultiAggregation
from quixstreams.state.rocksdb.windowed.store import WindowedRocksDBStore

from benchmarks.engines.reading import DELAY_MS, SLIDE_MS, THRESHOLD, WINDOW_MS, reviews


def _add(ids: list[str], review_id: str) -> list[str]:
    return ids if review_id in ids else [*ids, review_id]


def windows(batches: Iterable[list[dict[str, Any]]]) -> Iterator[tuple[str, int, int]]:
    window = FixedTimeWindowMultiAggregation(
        duration_ms=WINDOW_MS,
        grace_ms=DELAY_MS,
        step_ms=SLIDE_MS,
        name="distinct",
        dataframe=MagicMock(),  # what would publish to Kafka; process_window does not use it
        aggregators={"ids": Reduce(reducer=_add, initializer=lambda review_id: [review_id])},
        collectors={},
    )
    window._closing_strategy = ClosingStrategy.PARTITION
    found = []
    last = 0

    def process(reviewer: str, review_id: str, time_ms: int, transaction: Any) -> None:
        _, closed = window.process_window(review_id, reviewer.encode(), time_ms, None, transaction)
        for key, result in closed:
            if len(result["ids"]) > THRESHOLD:
                found.append((key.decode(), result["end"], len(result["ids"])))

    with tempfile.TemporaryDirectory() as folder:
        store = WindowedRocksDBStore("distinct", "reviews", str(Path(folder) / "state"))
        partition = store.assign_partition(0)
        for records in batches:
            transaction = partition.begin()
            for reviewer, review_id, time_ms in reviews(records):
                process(reviewer, review_id, time_ms, transaction)
                last = max(last, time_ms)
            transaction.prepare({})
            transaction.flush()
        transaction = partition.begin()
        process("end of the backlog", "-", last + 10 * WINDOW_MS, transaction)
        store.close()
    return iter(found)
