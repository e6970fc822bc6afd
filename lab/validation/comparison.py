"""Compare every window of the reference with every window that Flink wrote, exactly."""

from dataclasses import dataclass

import pandas as pd

from lab.streams.records import Output
from lab.validation.reference import Reference

KEY = ["reviewer", "window_start", "window_end"]
COLUMNS = [*KEY, "expected", "found"]


@dataclass(frozen=True)
class Comparison:
    """Describe the outcome. `equal` is True only when every window is equal, none is missing and none extra.

    `missing`, `extra` and `different` are DataFrames[reviewer, window_start, window_end, expected, found (movie_count,
    <NA> where there is none), why]; `why` says what explains the row, "" where nothing does. `expected`, `found` and
    `equal_windows` are counts of windows.
    """

    equal: bool
    missing: pd.DataFrame
    extra: pd.DataFrame
    different: pd.DataFrame
    expected: int
    found: int
    equal_windows: int
    sentence: str

    @property
    def unequal(self) -> pd.DataFrame:
        """Return all rows that differ, with a column `differs`: missing, extra or different.

        What explains a row stands in `because`, which is left out where nothing explains any.
        """
        parts = {"missing": self.missing, "extra": self.extra, "different": self.different}
        rows = pd.concat([part.assign(differs=how) for how, part in parts.items()], ignore_index=True)
        rows = rows[[*COLUMNS, "differs", "why"]].rename(columns={"why": "because"})
        return rows if rows["because"].any() else rows.drop(columns="because")


def compare_windows(reference: Reference | pd.DataFrame, output: Output | pd.DataFrame) -> Comparison:
    """Join the two on (reviewer, window_start, window_end) and compare movie_count.

    Takes what `windows` and `read_windows` return, or plain DataFrames with these four columns. With a Reference, a row
    that differs is explained where it can be: its count depends on timing, or its window is still open.
    """
    expected = reference.windows if isinstance(reference, Reference) else reference
    found = output.table if isinstance(output, Output) else output
    unreadable = len(output.unreadable) if isinstance(output, Output) else 0
    joined = (
        expected[[*KEY, "movie_count"]]
        .rename(columns={"movie_count": "expected"})
        .merge(found[[*KEY, "movie_count"]].rename(columns={"movie_count": "found"}), on=KEY, how="outer")
        .astype({"expected": "Int64", "found": "Int64"})
        .sort_values(["window_end", "reviewer", "found"], ignore_index=True)[COLUMNS]
    )
    joined["why"] = _why(joined, reference) if isinstance(reference, Reference) else ""
    is_missing, is_extra = joined["found"].isna(), joined["expected"].isna()
    is_different = (joined["expected"] != joined["found"]).fillna(False) & ~is_missing & ~is_extra
    missing, extra, different = (joined[rows].reset_index(drop=True) for rows in (is_missing, is_extra, is_different))
    unequal_keys = pd.concat([missing, different])[KEY].drop_duplicates()
    equal_windows = len(expected) - len(unequal_keys)
    equal = not (len(missing) or len(extra) or len(different) or unreadable)
    sentence = _sentence(equal, equal_windows, len(expected), missing, extra, different, unreadable)
    return Comparison(equal, missing, extra, different, len(expected), len(found), equal_windows, sentence)


def _why(joined: pd.DataFrame, reference: Reference) -> pd.Series:
    key = pd.MultiIndex.from_frame(joined[KEY])
    why = pd.Series("", index=joined.index, dtype=object)
    if len(reference.open_windows):
        is_open = key.isin(pd.MultiIndex.from_frame(reference.open_windows[KEY]))
        why[is_open] = "the window is still open in the reference"
    if len(reference.uncertain):
        bounds = reference.uncertain.set_index(KEY)[["fewest", "most"]].reindex(key)
        found = joined["found"].fillna(0).to_numpy(dtype="int64")
        fewest, most = bounds["fewest"].to_numpy(), bounds["most"].to_numpy()
        # A window that is not there may have any count up to the threshold.
        lowest = joined["found"].isna().to_numpy() & (fewest <= reference.threshold)
        why[((found >= fewest) & (found <= most)) | lowest] = "the count depends on how late records were interleaved"
    return why


def _sentence(
    equal: bool,
    equal_windows: int,
    expected: int,
    missing: pd.DataFrame,
    extra: pd.DataFrame,
    different: pd.DataFrame,
    unreadable: int,
) -> str:
    if equal and not expected:
        return "No window is above the threshold in the reference and none is in the output."
    parts = [f"{equal_windows:,} of {expected:,} windows equal"]
    for name, rows in (("missing", missing), ("extra", extra)):
        parts.append(f"{len(rows):,} {name}" if len(rows) else f"none {name}")
    if len(different):
        parts.append(f"{len(different):,} different")
    if unreadable:
        parts.append(f"{unreadable:,} records of the output unreadable")
    sentence = ", ".join(parts)
    reasons = pd.concat([rows["why"] for rows in (missing, extra, different)])
    for why, count in reasons[reasons != ""].value_counts().items():
        sentence += f"; for {count:,} of them {why}"
    return sentence + "."
