"""Measure reviews against the figures of the data set, and write the two tables of data/README.md.

The first has the distributions, the second what a count of reviews per reviewer and window can see. Counts and
positions are kept, never the reviews.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, pstdev

from reviewgen.reviewers import WINDOW
from reviewgen.reviews import KEYS


@dataclass
class Profile:
    """What was counted in one pass over the reviews."""

    ratings: Counter[str | None] = field(default_factory=Counter)
    lengths: list[int] = field(default_factory=list)
    spoilers: int = 0
    ids: Counter[str] = field(default_factory=Counter)
    edited: int = 0  # of the ids that come twice, how many come with another content
    positions: dict[str, list[int]] = field(default_factory=dict)  # of each reviewer, repeated ids left out
    lines: Counter[str] = field(default_factory=Counter)  # of each reviewer, repeated ids included
    movies: set[str] = field(default_factory=set)
    thousands: int = 0
    beyond_ascii: int = 0


def profile(reviews: Iterable[dict[str, object]]) -> Profile:
    """One pass over reviews of the schema."""
    found, contents = Profile(), dict[str, int]()
    for index, review in enumerate(reviews):
        if tuple(review) != KEYS:
            raise ValueError(f"review {index} has the keys {', '.join(review)}")
        rating, text, helpful = review["rating"], str(review["review_detail"]), review["helpful"]
        identity, reviewer = str(review["review_id"]), str(review["reviewer"])
        found.ratings[rating if rating is None else str(rating)] += 1
        found.lengths.append(len(text))
        found.spoilers += review["spoiler_tag"] == 1
        found.lines[reviewer] += 1
        found.movies.add(str(review["movie"]))
        found.thousands += "," in "".join(map(str, helpful)) if isinstance(helpful, list) else 0
        found.beyond_ascii += not text.isascii()
        content = hash((text, str(helpful), rating))  # only compared within this process
        if identity in contents:
            found.edited += contents[identity] != content
        else:
            found.positions.setdefault(reviewer, []).append(index)
        contents[identity] = content
        found.ids[identity] += 1
    return found


def _quantile(ordered: Sequence[int], share: float) -> int:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def distributions(found: Profile) -> str:
    """Markdown table: each figure of the data set beside what was measured."""
    count = sum(found.ratings.values())
    rated = [int(rating) for rating, many in found.ratings.items() if rating for _ in range(many)]
    lengths, lines = sorted(found.lengths), sorted(found.lines.values())
    twice = sum(many > 1 for many in found.ids.values())
    shares = {rating: found.ratings[str(rating)] / max(1, len(rated)) for rating in (10, 1, 2)}
    rows = [
        ("reviews", "100,000 (sample), 5,571,499 (all)", f"{count:,}"),
        ("rating null", "8 to 12 %", f"{found.ratings[None] / count:.1%}"),
        ("rating, mean", "about 6.7", f"{fmean(rated):.2f}" if rated else "no rating"),
        ("rating, standard deviation", "about 3.0", f"{pstdev(rated):.2f}" if rated else "no rating"),
        (
            "rating, peaks (share of 10, of 1, of 2)",
            "at 10, a small one at 1",
            " / ".join(f"{shares[rating]:.1%}" for rating in (10, 1, 2)),
        ),
        ("spoiler_tag 1", "about 21 %", f"{found.spoilers / count:.1%}"),
        ("review_detail, shortest and longest", "15 and 9,993", f"{lengths[0]:,} and {lengths[-1]:,}"),
        (
            "review_detail, quartiles",
            "288 / 713 / 1,309",
            " / ".join(f"{_quantile(lengths, q / 4):,}" for q in (1, 2, 3)),
        ),
        ("review_detail beyond ASCII (emoji, CJK)", "some", f"{found.beyond_ascii / count:.1%}"),
        ("vote counts with a thousands comma", "some", f"{found.thousands:,} reviews"),
        (
            "review_ids that come twice",
            "about 0.3 %",
            f"{twice / len(found.ids):.1%} ({found.edited} of {twice} edited)",
        ),
        ("reviews per reviewer, mean", "1.90 (sample), 3.28 (all)", f"{fmean(lines):.2f}"),
        ("reviewers with one review", "82 %", f"{lines.count(1) / len(lines):.0%}"),
        ("reviews per reviewer, 99th percentile", "14", f"{_quantile(lines, 0.99)}"),
        ("reviews per reviewer, most", "542 (0.54 % of the sample)", f"{lines[-1]} ({lines[-1] / count:.2%})"),
        ("reviews per title, mean", "12.3 (all)", f"{count / len(found.movies):.1f}"),
    ]
    return _table(("", "data set", "this file"), rows)


def largest_counts(found: Profile) -> dict[str, int]:
    """Most distinct reviews of each reviewer in one window of WINDOW positions, a new one every half of it."""
    half = WINDOW // 2
    largest = {}
    for reviewer, positions in found.positions.items():
        halves = Counter(position // half for position in positions)
        largest[reviewer] = max(halves[k] + halves[k + 1] for n in halves for k in (n - 1, n))
    return largest


def detection(found: Profile, labels: Sequence[dict[str, str]]) -> str:
    """Markdown table: who is flagged at which threshold (count > threshold), and how right that is."""
    largest = largest_counts(found)
    kind = {row["reviewer"]: row["kind"] for row in labels}
    suspicious = {row["reviewer"] for row in labels if row["suspicious"] == "1"}
    kinds = ("solo_burst", "group_burst", "near_duplicate", "prolific", "opening_night")
    totals, rows = Counter(kind.values()), []
    for threshold in range(1, 10):
        flagged = {reviewer for reviewer, count in largest.items() if count > threshold}
        right, many = len(flagged & suspicious), Counter(kind.get(reviewer, "others") for reviewer in flagged)
        precision = f"{right / len(flagged):.2f}" if flagged else "none flagged"
        rows.append(
            (
                f"> {threshold}",
                *(str(many[name]) for name in (*kinds, "others")),
                precision,
                f"{right / max(1, len(suspicious)):.2f}",
                f"{many['solo_burst'] / max(1, totals['solo_burst']):.2f}",
            )
        )
    rows.append(("in the file", *(str(totals[name]) for name in kinds), str(len(largest) - len(kind)), "", "", ""))
    return _table(("count", *kinds, "all others", "precision", "recall", "recall of solo_burst"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
