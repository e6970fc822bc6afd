"""Reviews and windows on a time line of seconds, for tests of what is open and what is closed."""

import pandas as pd

from lab.charts.event_time_state import WindowRules
from lab.streams.records import Events, Output

START = pd.Timestamp("2026-01-01 10:00:00")
SHARDS = tuple(f"shardId-{number:012d}" for number in range(2))
RULES = WindowRules()


def at(seconds):
    return START + pd.Timedelta(seconds=seconds)


def events(*rows, markers=(), shards=SHARDS):
    """rows: (shard number, second, reviewer), in the order of arrival; markers: (shard number, second)"""

    def table(found):
        made = pd.DataFrame(found, columns=["shard", "second", "reviewer"])
        made["shard"] = [SHARDS[number] for number in made["shard"]]
        made["event_time"] = pd.to_datetime([at(second) for second in made["second"]])
        numbers = range(len(made))
        return made.assign(review_id=[f"rw{number}" for number in numbers], order=numbers, arrival=made["event_time"])

    given = [(shard, second, None) for shard, second in markers]
    return Events(table(list(rows)), table(given), pd.DataFrame(), shards)


def output(*ends):
    """One row written for each window end (seconds)."""
    rows = [(f"r{number}", 2, at(end - 60), at(end)) for number, end in enumerate(ends)]
    return Output(pd.DataFrame(rows, columns=["reviewer", "movie_count", "window_start", "window_end"]))
