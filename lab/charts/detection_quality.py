"""Draw how good the detection is. Each function returns a Picture: figure, alt text and table.

Figures are made without pyplot, so nothing depends on a backend and no figure stays open.
"""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from lab.charts.style import CLOSED_WINDOW, HONEST, INK, MISSED, PLANTED, SMALL, SOFT, bar, plain
from lab.core.picture import WIDTH, Picture
from lab.validation.scores import Scores


def precision_and_recall(scores: Scores, threshold: int) -> Picture:
    """Return Precision, recall and f1 of the detector over the thresholds, with the one in use."""
    table = scores.by_threshold
    figure = Figure(figsize=(WIDTH, 4.2), layout="constrained")
    axes = figure.subplots()
    lines = (("precision", "-", "o", PLANTED.color), ("recall", "--", "s", CLOSED_WINDOW.color), ("f1", ":", "^", SOFT))
    often = max(1, len(table) // 20)
    for name, style, marker, color in lines:
        axes.plot(
            table["threshold"], table[name], linestyle=style, marker=marker, markevery=often, color=color,
            markerfacecolor="white" if name != "f1" else color, label=name, linewidth=1.8, clip_on=False,
        )  # fmt: skip
    axes.axvline(threshold, color=INK, linestyle="-.", linewidth=1.2, label=f"threshold in use: {threshold}")
    axes.set_ylim(0, 1)
    axes.set_ylabel("share")
    axes.set_xlabel("threshold (flagged when a window counts more)")
    axes.xaxis.set_major_locator(MaxNLocator(min(len(table) + 1, 12), integer=True))
    if len(table) > 40:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.set_title("Precision and recall over thresholds", loc="left", pad=30)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, frameon=False)
    plain(axes, "both")
    alt = f"Lines of precision, recall and f1 over thresholds 1 to {len(table)}. {scores.sentence(threshold)} "
    alt += f"The largest f1 is at threshold {scores.best_threshold}."
    return Picture(figure, alt, table, "Scores over thresholds")


def recall_per_kind(scores: Scores, threshold: int) -> Picture:
    """Draw how many reviewers of each kind are flagged.

    All of a suspicious kind and none of an honest one would be right.
    """
    kinds = scores.kinds_at(threshold)
    figure = Figure(figsize=(WIDTH, 1.6 + 0.5 * len(kinds)), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(kinds))
    for place, row in zip(places, kinds.itertuples(), strict=True):
        axes.barh(place, row.share, height=0.62, **bar(PLANTED if row.suspicious else HONEST))
        if row.suspicious and row.share < 1:
            axes.barh(place, 1 - row.share, left=row.share, height=0.62, **bar(MISSED))
        missed = row.reviewers - row.flagged
        verdict = f", {missed:,} missed" if row.suspicious and missed else ""
        text = f"{row.flagged:,} of {row.reviewers:,}{verdict}"
        inside = row.share > 0.6
        axes.annotate(
            text, (row.share, place), xytext=(-6 if inside else 6, 0), textcoords="offset points", va="center",
            ha="right" if inside else "left", bbox={"facecolor": "white", "edgecolor": "none", "pad": 2},
        )  # fmt: skip
    names = [f"{row.kind.replace('_', ' ')}\n({'suspicious' if row.suspicious else 'honest'})" for row in
             kinds.itertuples()]  # fmt: skip
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_xlabel("flagged reviewers of the kind")
    title = f"Recall of each suspicious kind and false alarms among the honest, threshold {threshold}"
    axes.set_title(title, loc="left", fontsize=11, pad=24)
    for look, name in ((PLANTED, "flagged, planted"), (HONEST, "flagged, honest"), (MISSED, "missed")):
        axes.bar(0, 0, width=0, label=name, **bar(look))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 0.99), ncols=3, frameon=False, fontsize=SMALL)
    plain(axes)
    said = [f"{row.flagged} of {row.reviewers} {row.kind}" for row in kinds.itertuples()]
    alt = f"Bars of the share of flagged reviewers per kind at threshold {threshold}: {', '.join(said)}."
    return Picture(figure, alt, kinds, f"Flagged per kind at threshold {threshold}")
