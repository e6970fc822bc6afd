"""Draw the chart of window counts against the threshold: who was flagged, and when."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from lab.charts.style import GROUND, HONEST, INK, NOT_FLAGGED, PLANTED, SMALL, bar, colors, plain
from lab.core.cell_outputs import Moving
from lab.core.picture import WIDTH, Picture
from lab.core.tables import cell
from lab.validation.scores import score

COLUMNS_OF_TIME = 160  # more windows than this share a column of the chart
NAMED = 5
NAMES_ON_HOVER = 12


def counts_over_time(counts: pd.DataFrame, threshold: int, labels: pd.DataFrame | None = None) -> Picture:
    """Draw who was flagged, and when: the count of every reviewer in every window against the threshold.

    `counts` holds all windows, DataFrame[reviewer, window_start, window_end, movie_count] as `windows(...,
    threshold=0).windows`; `labels` as `read_labels` returns them tells the planted reviewers from the others.
    """
    labels = labels if labels is not None else pd.DataFrame({"reviewer": [], "kind": [], "suspicious": []})
    marked = counts.merge(labels[["reviewer", "kind", "suspicious"]], on="reviewer", how="left")
    marked = marked.assign(suspicious=marked["suspicious"].eq(True), flagged=marked["movie_count"] > threshold)
    flagged = marked[marked["flagged"]]
    figure = Figure(figsize=(WIDTH, 5.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    columns = _columns(marked["window_end"])
    marked = marked.assign(column=columns)
    has_labels = bool(len(labels))
    for rows, name, aside, style in _groups(marked, has_labels):
        points = marked[rows].groupby(["column", "movie_count"])["reviewer"].nunique().reset_index()
        size = 16 + 9 * np.sqrt(points["reviewer"])
        upper.scatter(points["column"] + aside, points["movie_count"], s=size, linewidths=1.1, zorder=3, **style)
        upper.scatter([], [], s=36, linewidths=1.1, label=name, **style)
    limit = f"threshold: more than {threshold}"
    upper.axhline(threshold + 0.5, color=INK, linestyle="--", linewidth=1, label=limit)
    _count_axis(upper, int(marked["movie_count"].max()) if len(marked) else 1)
    upper.set_ylabel("reviews in the window")
    upper.set_title("Reviews of one reviewer in one window (larger mark: more reviewers)", loc="left", pad=28)
    upper.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, frameon=False, handletextpad=0.4)
    _name_peaks(upper, marked[marked["flagged"]])
    _flagged_bars(lower, marked[marked["flagged"]], columns, has_labels)
    _time_axis(lower)
    lower.set_xlabel("end of the window (event time, UTC)")
    table = _flagged_table(flagged, has_labels)
    alt = _counts_alt(counts, flagged, table, threshold)
    moving = Moving("threshold", _moving_data(marked, threshold, labels)) if len(counts) else None
    return Picture(figure, alt, table, "Flagged reviewers, highest first", moving=moving)


def _moving_data(marked: pd.DataFrame, threshold: int, labels: pd.DataFrame) -> dict[str, Any]:
    """Return what the threshold slider shows: marks with the names behind them, and the scores of every threshold."""
    has_labels = bool(labels["reviewer"].isin(marked["reviewer"]).any())
    scores = score(marked, labels if has_labels else labels.iloc[:0])
    marks = []
    for (column, count, planted), names in marked.groupby(["column", "movie_count", "suspicious"])["reviewer"]:
        people = sorted(names.unique())
        moment = (column - pd.Timestamp(0)) // pd.Timedelta(milliseconds=1)
        marks.append([moment, int(count), bool(planted), len(people), people[:NAMES_ON_HOVER] if count > 1 else []])
    rows = scores.by_threshold[["threshold", "flagged", "true_positives", "precision", "recall"]]
    return {
        "marks": marks,
        "spacing": _spacing(marked["column"]) // pd.Timedelta(milliseconds=1),
        "labels": has_labels,
        "planted": int(scores.reviewers["suspicious"].sum()),
        "at": min(max(threshold, 1), len(rows)) - 1,
        "scores": [[None if value != value else round(float(value), 4) for value in row] for row in rows.to_numpy()],
        "colors": colors(),
    }


def _groups(marked: pd.DataFrame, has_labels: bool) -> list[tuple[pd.Series, str, pd.Timedelta, dict[str, str]]]:
    """Return which rows share a mark: their name in the legend, how far aside they stand, and the mark."""
    nothing, aside = pd.Timedelta(0), _spacing(marked["column"]) * 0.13
    hollow = {"marker": NOT_FLAGGED.marker, "facecolors": GROUND, "edgecolors": NOT_FLAGGED.color}
    triangle, cross = ({"marker": look.marker, "color": look.color} for look in (PLANTED, HONEST))
    flagged, planted = marked["flagged"], marked["suspicious"]
    groups = [(~flagged, "not flagged", nothing, hollow)]
    if not has_labels:
        return [*groups, (flagged, "flagged", nothing, triangle)]
    return [
        *groups,
        (flagged & planted, "flagged, planted", aside, triangle),
        (flagged & ~planted, "flagged, honest", -aside, cross),
    ]


def _spacing(columns: pd.Series) -> pd.Timedelta:
    places = np.sort(columns.unique())
    return pd.Timedelta(np.diff(places).min()) if len(places) > 1 else pd.Timedelta(seconds=30)


def _columns(window_end: pd.Series) -> pd.Series:
    """Place each window on the time axis: at its end, or at the end of a run of windows."""
    if window_end.nunique() <= COLUMNS_OF_TIME:
        return window_end
    step = (window_end.max() - window_end.min()) / COLUMNS_OF_TIME
    return window_end.min() + ((window_end - window_end.min()) / step).apply(np.ceil) * step


def _count_axis(axes: Axes, most: int) -> None:
    if most > 40:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.set_ylim(0.8, most * 1.6)
    else:
        axes.set_ylim(0, max(most, 2) * 1.16)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    plain(axes, "y")


def _time_axis(axes: Axes) -> None:
    locator = AutoDateLocator(minticks=4, maxticks=12)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _flagged_bars(axes: Axes, flagged: pd.DataFrame, columns: pd.Series, has_labels: bool) -> None:
    places = np.sort(columns.unique())
    width = _spacing(columns) * 0.7
    bottom = np.zeros(len(places))
    parts = [(flagged["flagged"], PLANTED)]
    if has_labels:
        parts = [(flagged["suspicious"], PLANTED), (~flagged["suspicious"], HONEST)]
    for rows, look in parts:
        height = flagged[rows].groupby("column")["reviewer"].nunique().reindex(places).fillna(0).to_numpy()
        axes.bar(places, height, width, bottom, **{**bar(look), "linewidth": 0.8})
        bottom += height
    plain(axes)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.set_ylim(0, max(bottom.max(initial=0) * 1.15, 1))
    axes.set_ylabel("reviewers")
    what = "Flagged reviewers per window" + (" (lines: planted, dots: honest)" if has_labels else "")
    axes.set_title(what, loc="left", fontsize=10)


def _name_peaks(axes: Axes, flagged: pd.DataFrame) -> None:
    """Write the names at the highest points, where they run into no other mark or name."""
    if flagged.empty:
        return
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    scale = axes.get_yaxis().get_transform().transform
    low, high = scale(np.array([low, high]))
    points = flagged.drop_duplicates(["column", "movie_count"])
    marks_x = (axes.convert_xunits(points["column"].to_numpy()) - left) / (right - left)
    marks_y = (scale(points["movie_count"].to_numpy(dtype=float)) - low) / (high - low)
    boxes: list[tuple[float, float, float]] = []  # begin, end and height of the names, in parts of the axes
    peaks = flagged.sort_values(["movie_count", "window_end"], ascending=[False, True]).drop_duplicates("reviewer")
    for row in peaks.head(6 * NAMED).itertuples():
        x = (axes.convert_xunits(row.column) - left) / (right - left)
        y = (scale(np.array([float(row.movie_count)]))[0] - low) / (high - low)
        name = _drawable(row.reviewer)
        length = 0.0105 * len(name)
        for side, begin in (("left", x + 0.014), ("right", x - 0.014 - length)):
            end = begin + length
            hits_mark = (marks_x > begin - 0.012) & (marks_x < end + 0.012) & (abs(marks_y - y) < 0.05)
            hits_name = any(abs(y - at) < 0.07 and begin < stop and start < end for start, stop, at in boxes)
            if begin < 0 or end > 1 or hits_mark.any() or hits_name:
                continue
            boxes.append((begin, end, y))
            axes.annotate(
                name, (row.column, row.movie_count), xytext=(9 if side == "left" else -9, 0), va="center", ha=side,
                textcoords="offset points", fontsize=SMALL, parse_math=False, zorder=4,
            )  # fmt: skip
            break
        if len(boxes) == NAMED:
            return


def _drawable(name: str) -> str:
    """Return the name with '?' for what the chart's font cannot draw, cut to a length that fits.

    The table has it whole.
    """
    known = get_font(findfont(FontProperties())).get_charmap()
    text = "".join(letter if ord(letter) in known else "?" for letter in name)
    return text if len(text) <= 24 else text[:23] + "…"


def _flagged_table(flagged: pd.DataFrame, has_labels: bool) -> pd.DataFrame:
    table = flagged.groupby("reviewer", as_index=False).agg(
        kind=("kind", "first"),
        largest=("movie_count", "max"),
        windows=("window_end", "nunique"),
        first=("window_end", "min"),
        last=("window_end", "max"),
    )
    table = table.sort_values(["largest", "windows", "reviewer"], ascending=[False, False, True], ignore_index=True)
    if not has_labels:
        table = table.drop(columns="kind")
    renamed = {"largest": "largest count", "windows": "windows flagged", "first": "first window end",
               "last": "last window end"}  # fmt: skip
    return table.rename(columns=renamed)


def _counts_alt(counts: pd.DataFrame, flagged: pd.DataFrame, table: pd.DataFrame, threshold: int) -> str:
    if counts.empty:
        return "An empty chart: no window has closed."
    alt = (
        f"Points of the reviews per reviewer and window, windows ending {cell(counts['window_end'].min())} to "
        f"{cell(counts['window_end'].max())} UTC, with a line at the threshold {threshold}; below it bars of the "
        f"flagged reviewers per window. {len(table):,} of {counts['reviewer'].nunique():,} reviewers are flagged in "
        f"{flagged['window_end'].nunique():,} of {counts['window_end'].nunique():,} windows"
    )
    if table.empty:
        return alt + "."
    top = table.iloc[0]
    return f"{alt}; the largest count is {top['largest count']} by {top['reviewer']}."
