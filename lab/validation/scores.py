"""Score the detector: precision and recall over thresholds, against the reviewers that were planted.

A reviewer is flagged at a threshold when at least one of its windows counts more reviews than the threshold: the rule
of the Flink job. So the largest count of each reviewer says everything, and one pass gives all thresholds.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lab.core.errors import BadParameter
from lab.core.paths import ROOT

LABEL_COLUMNS = ["reviewer", "kind", "suspicious"]
UNLABELLED = "everyone else"


@dataclass(frozen=True)
class Scores:
    """Hold what the detector finds at every threshold from 1 to the largest count of all.

    `by_threshold`: DataFrame[threshold, flagged, true_positives, false_positives, false_negatives, precision, recall,
    f1]; precision and f1 are NaN where nobody is flagged, recall is NaN where nobody is suspicious.
    `reviewers`: DataFrame[reviewer, kind, suspicious (bool), largest_count], every reviewer with a label or a window.
    `absent` counts labelled reviewers without any window: they stay in, as never flagged.
    """

    by_threshold: pd.DataFrame
    reviewers: pd.DataFrame
    absent: int

    def at(self, threshold: int) -> pd.Series:
        """Return the row of `by_threshold` for this threshold (0 and those above the largest count work too)."""
        return _by_threshold(self.reviewers, np.array([threshold])).astype(object).iloc[0]

    def kinds_at(self, threshold: int) -> pd.DataFrame:
        """Count the flagged of each kind: DataFrame[threshold, kind, suspicious (bool), reviewers, flagged, share].

        `share` is the recall of a suspicious kind and the false alarms of an honest one; suspicious kinds come first.
        """
        people = self.reviewers.assign(threshold=threshold, flagged=self.reviewers["largest_count"] > threshold)
        kinds = people.groupby(["threshold", "kind", "suspicious"])["flagged"]
        table = kinds.agg(reviewers="size", flagged="sum", share="mean").reset_index()
        return table.sort_values(["suspicious", "kind"], ascending=[False, True], ignore_index=True)

    def missed(self, threshold: int) -> pd.DataFrame:
        """List the suspicious reviewers that are not flagged, with kind and largest count."""
        people = self.reviewers
        return people[people["suspicious"] & (people["largest_count"] <= threshold)].reset_index(drop=True)

    @property
    def best_threshold(self) -> int:
        """Return the threshold with the largest f1, the smallest of several; 1 when nobody suspicious is ever found."""
        f1 = self.by_threshold["f1"].fillna(0)
        return int(self.by_threshold["threshold"][f1.idxmax()]) if f1.any() else 1

    def sentence(self, threshold: int) -> str:
        """Return precision and recall at the threshold, and what is missed, in one sentence."""
        row, missed = self.at(threshold), self.missed(threshold)
        suspicious = int(self.reviewers["suspicious"].sum())
        right = f"{row['true_positives']:,} of {row['flagged']:,} flagged reviewers are suspicious"
        right += f" (precision {row['precision']:.2f})" if row["flagged"] else ""
        found = f"{row['true_positives']:,} of {suspicious:,} suspicious reviewers are flagged"
        found += f" (recall {row['recall']:.2f})" if suspicious else ""
        kinds = missed["kind"].value_counts()
        what = ", missed: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()) if len(kinds) else ""
        gone = f"; {self.absent:,} labelled reviewers have no closed window" if self.absent else ""
        return f"At threshold {threshold} {right}, {found}{what}{gone}."


def read_labels(path: str | Path) -> pd.DataFrame:
    """Return the labels beside the reviews: DataFrame[reviewer (str), kind, suspicious (bool), ...].

    A relative path starts at the root of the repository.
    Raises BadParameter when the file is not there or is not a table of labels.
    """
    where = ROOT / path
    try:
        table = pd.read_csv(where, dtype={"reviewer": str, "kind": str}, keep_default_na=False)
    except (OSError, ValueError) as error:
        hint = 'name a CSV file with the columns reviewer, kind, suspicious, or "" for no labels'
        raise BadParameter("labels_file", str(path), f"it cannot be read ({type(error).__name__}), {hint}") from error
    lacking = [column for column in LABEL_COLUMNS if column not in table]
    if lacking:
        raise BadParameter("labels_file", str(path), f"it has no column {', '.join(lacking)}")
    wrong = ~table["suspicious"].astype(str).isin(["0", "1"])
    if wrong.any():
        hint = f"in line {wrong.idxmax() + 2} suspicious is neither 0 nor 1"
        raise BadParameter("labels_file", str(path), hint)
    twice = table["reviewer"].duplicated()
    if twice.any():
        hint = f"the reviewer {table['reviewer'][twice].iloc[0]!r} is in it twice"
        raise BadParameter("labels_file", str(path), hint)
    return table.assign(suspicious=table["suspicious"].astype(str) == "1")


def score(counts: pd.DataFrame, labels: pd.DataFrame) -> Scores:
    """Score all thresholds from all windows: `counts` is `windows(events, ..., threshold=0).windows`.

    Reviewers without a label count as honest. Raises BadParameter when the labels are of other data: not one labelled
    reviewer has a window.
    """
    largest = counts.groupby("reviewer")["movie_count"].max().rename("largest_count")
    people = labels[LABEL_COLUMNS].merge(largest, how="outer", left_on="reviewer", right_index=True)
    absent = int(people["largest_count"].isna().sum())
    if len(labels) and absent == len(labels):
        hint = f"none of its {len(labels):,} reviewers has a window, so it belongs to other reviews"
        raise BadParameter("labels_file", "labels", hint)
    people = people.assign(
        kind=people["kind"].fillna(UNLABELLED),
        suspicious=people["suspicious"].eq(True),
        largest_count=people["largest_count"].fillna(0).astype("int64"),
    ).reset_index(drop=True)
    top = int(people["largest_count"].max()) if len(people) else 1
    thresholds = np.arange(1, max(top, 1) + 1)
    return Scores(_by_threshold(people, thresholds), people, absent)


def _flagged(largest_count: pd.Series, thresholds: np.ndarray) -> np.ndarray:
    """Return how many of these counts are above each threshold."""
    return len(largest_count) - np.searchsorted(np.sort(largest_count.to_numpy()), thresholds, side="right")


def _by_threshold(people: pd.DataFrame, thresholds: np.ndarray) -> pd.DataFrame:
    wanted = int(people["suspicious"].sum())
    flagged = _flagged(people["largest_count"], thresholds)
    true = _flagged(people.loc[people["suspicious"], "largest_count"], thresholds)
    nobody = np.full(len(thresholds), np.nan)
    some = flagged > 0
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "flagged": flagged,
            "true_positives": true,
            "false_positives": flagged - true,
            "false_negatives": wanted - true,
            "precision": np.divide(true, flagged, out=nobody.copy(), where=some),
            "recall": true / wanted if wanted else nobody,
            "f1": np.divide(2 * true, flagged + wanted, out=nobody.copy(), where=some & (wanted > 0)),
        }
    )
