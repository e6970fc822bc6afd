"""bytewax 0.21: a dataflow of one worker with SlidingWindower and a set of review_ids for each window.

Its event clock runs by key and adds the time on the wall to it; in a replay, where a second of the wall is hours of
event time, that changes nothing. Shards come one after another here, so the wait is as long as the whole backlog.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import bytewax.operators as op
import bytewax.operators.windowing as windowing
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.testing import TestingSink, run_main

from benchmarks.engines.reading import SLIDE_MS, THRESHOLD, WINDOW_MS, Review, reviews

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Partition(StatefulSourcePartition):
    def __init__(self, batches: Iterator[list[dict[str, Any]]]) -> None:
        self._batches = batches

    def next_batch(self) -> list[Review]:
        return reviews(next(self._batches))  # StopIteration ends the input

    def snapshot(self) -> None:
        return None


class _Source(FixedPartitionedSource):
    def __init__(self, batches: Iterator[list[dict[str, Any]]]) -> None:
        self._batches = batches

    def list_parts(self) -> list[str]:
        return ["stream"]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> _Partition:
        return _Partition(self._batches)


def _add(ids: set[str], review: Review) -> set[str]:
    ids.add(review[1])
    return ids


def windows(batches: Iterable[list[dict[str, Any]]]) -> Iterator[tuple[str, int, int]]:
    flow = Dataflow("reviews")
    keyed = op.key_on("reviewer", op.input("stream", flow, _Source(iter(batches))), lambda review: review[0])
    counted = windowing.fold_window(
        "distinct",
        keyed,
        windowing.EventClock(
            ts_getter=lambda review: EPOCH + timedelta(milliseconds=review[2]),
            wait_for_system_duration=timedelta(days=30),
        ),
        windowing.SlidingWindower(
            length=timedelta(milliseconds=WINDOW_MS), offset=timedelta(milliseconds=SLIDE_MS), align_to=EPOCH
        ),
        set,
        _add,
        set.union,
        ordered=False,
    )
    kept = op.filter("threshold", counted.down, lambda item: len(item[1][1]) > THRESHOLD)
    found: list[Any] = []
    op.output("found", kept, TestingSink(found))
    run_main(flow)
    return ((key, number * SLIDE_MS + WINDOW_MS, len(ids)) for key, (number, ids) in found)
