"""Say whether a stream holds what the grader's own producer sent, and nothing else. Pure, but for reading the file."""

import json
from pathlib import Path

import pandas as pd

from lab.streams.records import Events
from lab.validation.reference import Reference


def expected_reviews(path: Path) -> pd.DataFrame:
    """Read DataFrame[review_id, reviewer] of a reviews file, in its order."""
    return pd.DataFrame(json.loads(path.read_text(encoding="utf-8")))[["review_id", "reviewer"]]


def difference(reviews: pd.DataFrame, first_event_time: str, rate: float, events: Events) -> str | None:
    """Return what of the stream is not as it was sent, as half a sentence; None where all is.

    `reviews` went out at `rate` a second of event time from `first_event_time` on (the replay clock). A job that
    rewrote its input could make any answer right.
    """
    if len(events.unreadable):
        return f"{len(events.unreadable):,} records that cannot be read were added"
    step = pd.to_timedelta([round(number * 1000 / rate) for number in range(len(reviews))], unit="ms")
    wanted = reviews.assign(event_time=pd.Timestamp(first_event_time) + step)
    columns = ["review_id", "reviewer", "event_time"]
    found = events.table[columns].drop_duplicates().sort_values(columns, ignore_index=True)
    wanted = wanted[columns].sort_values(columns, ignore_index=True)
    if len(found) != len(wanted):
        return f"{len(found):,} reviews are there and {len(wanted):,} were sent"
    same = (found[["review_id", "reviewer"]] == wanted[["review_id", "reviewer"]]).all(axis=None)
    near = (found["event_time"] - wanted["event_time"]).abs() <= pd.Timedelta(milliseconds=2)
    return None if same and near.all() else "reviews there are not those that were sent"


def disorder(reference: Reference) -> str | None:
    """Return what of the input's order would make an empty answer right, as half a sentence.

    None where nothing does.
    """
    if len(reference.late_pairs):
        return f"{len(reference.late_pairs):,} of them came out of order"
    if len(reference.open_windows):
        return "the end markers are not there"
    return None
