"""pandas: everything into one table, then the distinct reviews of each reviewer and window."""

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from benchmarks.engines.reading import SLIDE_MS, THRESHOLD, WINDOW_MS, reviews


def windows(batches: Iterable[list[dict[str, Any]]]) -> Iterator[tuple[str, int, int]]:
    rows = [review for records in batches for review in reviews(records)]
    table = pd.DataFrame(rows, columns=["reviewer", "review_id", "time"])
    last = table["time"] // SLIDE_MS * SLIDE_MS + WINDOW_MS  # the end of the last window that holds the review
    ends = [last - shift for shift in range(0, WINDOW_MS, SLIDE_MS)]
    table = pd.concat([table.assign(end=end) for end in ends]).drop_duplicates(["reviewer", "end", "review_id"])
    counts = table.groupby(["reviewer", "end"]).size()
    kept = counts[counts > THRESHOLD]
    return ((reviewer, int(end), int(count)) for (reviewer, end), count in kept.items())
