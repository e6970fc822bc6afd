"""Window counts of a few reviewers, and who of them was planted."""

import pandas as pd

START = pd.Timestamp("2026-01-01")
LABELS = pd.DataFrame(
    [("solo", "solo_burst", True), ("copy", "near_duplicate", True), ("many", "prolific", False)],
    columns=["reviewer", "kind", "suspicious"],
)


def counts(*rows):
    """rows: (reviewer, window number, count)"""
    table = pd.DataFrame(rows, columns=["reviewer", "window", "movie_count"])
    start = START + pd.to_timedelta(table["window"].astype("int64") * 30, unit="s")
    table["reviewer"] = table["reviewer"].astype(object)
    return table.assign(window_start=start, window_end=start + pd.Timedelta("60s"))


COUNTS = counts(("solo", 0, 1), ("solo", 1, 4), ("solo", 2, 2), ("copy", 1, 1), ("many", 2, 2), ("joe", 5, 1))
