"""A replay of reviews with its arrivals, and the film of it."""

import pandas as pd

from lab.charts.run_film import run_film
from lab.streams.records import Events, Output
from lab.validation.reference import windows

START, ARRIVED = pd.Timestamp("2026-01-01 10:00:10"), pd.Timestamp("2026-11-27 12:00", tz="UTC")
SHARDS = tuple(f"shardId-{number:012d}" for number in range(4))
SETTINGS = {"window_seconds": 60, "slide_seconds": 30, "threshold": 1, "watermark_delay_seconds": 5}


def replay(count=1200):
    """Four reviews a second of event time, five hundred a tenth of a second of arrival, in order on each shard."""

    def table(shards, seconds, ids, reviewers, arrivals):
        made = pd.DataFrame({"shard": shards, "event_time": [START + pd.Timedelta(seconds=one) for one in seconds]})
        made["order"] = made.groupby("shard").cumcount()
        return made.assign(review_id=ids, reviewer=pd.Series(reviewers, dtype=object), arrival=arrivals)

    numbers = range(count)
    reviews = table(
        [SHARDS[number % 4] for number in numbers],
        [number / 4 for number in numbers],
        [f"r{number}" for number in numbers],
        [f"name{number % 40}" for number in numbers],
        [ARRIVED + pd.Timedelta(milliseconds=100 * (number // 500) + number % 4) for number in numbers],
    )
    end = table(
        SHARDS,
        [count / 4 + 100] * 4,
        [f"end-marker-{one}" for one in SHARDS],
        [None] * 4,
        [ARRIVED + pd.Timedelta("1s")] * 4,
    )
    return Events(reviews, end, pd.DataFrame(), SHARDS)


def film(events):
    return run_film(events, Output(windows(events, **SETTINGS).windows), **SETTINGS)
