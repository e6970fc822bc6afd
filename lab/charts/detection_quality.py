"""The charts of the lab. Each returns a Picture: figure, alt text and table.

Readable in black and white: what differs, differs in shape, line style or hatching. Figures are made without pyplot, so
nothing depends on a backend and no figure stays open.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from lab.core.errors import BadParameter
from lab.core.picture import WIDTH, Picture
from lab.core.tables import cell
from lab.validation.scores import Scores

SECONDS_SHOWN = 160  # a longer time is shown in bins of several seconds
MOST_PANELS = 8


def precision_and_recall(scores: Scores, threshold: int) -> Picture:
    """Precision, recall and f1 of the detector over the thresholds, with the one in use."""
    table = scores.by_threshold
    figure = Figure(figsize=(WIDTH, 4.2), layout="constrained")
    axes = figure.subplots()
    lines = (("precision", "-", "o"), ("recall", "--", "s"), ("f1", ":", "^"))
    often = max(1, len(table) // 20)
    for name, style, marker in lines:
        axes.plot(
            table["threshold"], table[name], linestyle=style, marker=marker, markevery=often, color="black",
            markerfacecolor="white" if name != "f1" else "black", label=name, linewidth=1.6, clip_on=False,
        )  # fmt: skip
    axes.axvline(threshold, color="0.4", linestyle="-.", linewidth=1.2, label=f"threshold in use: {threshold}")
    axes.set_ylim(0, 1)
    axes.set_ylabel("share")
    axes.set_xlabel("threshold (flagged when a window counts more)")
    _whole_numbers(axes.xaxis, len(table))
    if len(table) > 40:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.set_title("Precision and recall over thresholds", loc="left", pad=30)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, frameon=False)
    axes.grid(color="0.88")
    axes.set_axisbelow(True)
    alt = f"Lines of precision, recall and f1 over thresholds 1 to {len(table)}. {scores.sentence(threshold)} "
    alt += f"The largest f1 is at threshold {scores.best_threshold}."
    return Picture(figure, alt, table, "Scores over thresholds")


def recall_per_kind(scores: Scores, threshold: int) -> Picture:
    """How many reviewers of each kind are flagged: all of a suspicious kind, none of an honest one, would be right."""
    kinds = scores.kinds_at(threshold)
    figure = Figure(figsize=(WIDTH, 1.6 + 0.5 * len(kinds)), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(kinds))
    hatches = ["////" if suspicious else "...." for suspicious in kinds["suspicious"]]
    axes.barh(places, kinds["share"], hatch=hatches, color="white", edgecolor="black", height=0.62)
    for place, row in zip(places, kinds.itertuples(), strict=True):
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
    axes.set_title(title, loc="left", fontsize=11)
    said = [f"{row.flagged} of {row.reviewers} {row.kind}" for row in kinds.itertuples()]
    alt = f"Bars of the share of flagged reviewers per kind at threshold {threshold}: {', '.join(said)}."
    return Picture(figure, alt, kinds, f"Flagged per kind at threshold {threshold}")


def records_per_second(raw: pd.DataFrame, stream: str = "") -> Picture:
    """Records that arrived on each shard, per second: `raw` is what `read_stream` returns."""
    shards = sorted({*raw["shard"], *raw.attrs.get("open_shards", ())})
    if not shards:
        raise BadParameter("raw", "no shards", "pass what `read_stream` returned")
    stream = stream or raw.attrs.get("stream", "the stream")
    second = raw["arrival"].dt.tz_convert(None).dt.floor("s")
    per_second = raw.groupby([raw["shard"], second]).size()
    table = pd.DataFrame(
        [
            {
                "shard": shard,
                "records": int((raw["shard"] == shard).sum()),
                "most in a second": int(per_second[shard].max()) if shard in per_second.index else 0,
                "first": raw.loc[raw["shard"] == shard, "arrival"].min(),
                "last": raw.loc[raw["shard"] == shard, "arrival"].max(),
            }
            for shard in shards
        ]
    )
    shown = shards[:MOST_PANELS]
    figure = Figure(figsize=(WIDTH, 1.6 + 0.75 * len(shown)), layout="constrained")
    panels = np.atleast_1d(figure.subplots(len(shown), 1, sharex=True, sharey=True))
    moment = ((raw["arrival"].dt.tz_convert(None) - second.min()) / pd.Timedelta(seconds=1)).to_numpy()
    bins, width = _bins(moment)
    for shard, axes in zip(shown, panels, strict=True):
        count, _ = np.histogram(moment[raw["shard"] == shard], bins)
        axes.bar(bins[:-1], count / width, width, align="edge", color="white", edgecolor="black", hatch="////")
        axes.set_title(f"{shard}: {count.sum():,} records", loc="left", fontsize=9, pad=3)
        axes.yaxis.set_major_locator(MaxNLocator(2, integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylim(0, None if len(raw) else 1)
    whole = f"Records per second on {len(shards)} shard{'s' * (len(shards) != 1)} of {stream}"
    rest = f" (the first {len(shown)})" if len(shown) < len(shards) else ""
    figure.suptitle(whole + rest, x=0.01, ha="left")
    panels[-1].set_xlabel(f"seconds since {cell(second.min())} UTC (arrival)" if len(raw) else "nothing has arrived")
    step = f", in steps of {width:g} s" if width != 1 else ""
    figure.supylabel(f"records per second{step}", fontsize=9)
    said = [f"{row.records:,} on {row.shard}" for row in table.itertuples()]
    alt = f"{whole}, one panel a shard: {', '.join(said)}."
    if len(raw):
        alt += f" From {cell(raw['arrival'].min())} to {cell(raw['arrival'].max())} UTC."
    return Picture(figure, alt, table, f"Records on the shards of {stream}")


def _whole_numbers(axis: object, most: int) -> None:
    axis.set_major_locator(MaxNLocator(min(most + 1, 12), integer=True))  # type: ignore[attr-defined]


def _bins(moment: np.ndarray) -> tuple[np.ndarray, float]:
    """Edges in seconds and their distance: a quarter of a second for a short burst, more where there is no room."""
    if not len(moment):
        return np.array([0.0, 1.0]), 1.0
    longest = float(moment.max())
    width = 0.25 if longest < 10 else float(max(1, np.ceil(longest / SECONDS_SHOWN)))
    return np.arange(np.floor(longest / width) + 2) * width, width
