"""The plots of a run: detection's rates, and how time, state and memory grow."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from benchmarks.rows import Row


def plot(rows: list[Row], folder: Path) -> None:
    """Write results.png and growth.png, each where there is something to show."""
    rates = _of(rows, "detection_rate_")
    if rates:
        _detection(rates, folder / "results.png")
    growth = {axis: _of(rows, f"growth_{axis}_") for axis in ("reviews", "shards", "reviewers")}
    if any(growth.values()):
        _growth({axis: found for axis, found in growth.items() if found}, folder / "growth.png")


def _of(rows: list[Row], prefix: str) -> dict[str, Row]:
    return {one["name"].removeprefix(prefix): one for one in rows if one["name"].startswith(prefix)}


def _detection(rates: dict[str, Row], path: Path) -> None:
    """Reviews a second of each contender: bars told apart by their labels, the application hatched."""
    shown = [f"{name.rpartition('_')[0]}, {name.rpartition('_')[2]} shard(s)" for name in rates]
    figure, axes = plt.subplots(figsize=(8, 0.5 * len(rates) + 1.2), layout="constrained")
    bars = axes.barh(shown, [one["value"] for one in rates.values()], color="0.85", edgecolor="black")
    for bar, (name, one) in zip(bars, rates.items(), strict=True):
        middle = bar.get_y() + bar.get_height() / 2
        bar.set_hatch("//" if name.startswith("application") else "")
        axes.plot(one["spread"], [middle] * 2, color="black", linewidth=2)
        axes.annotate(f"{one['value']:,.0f}", (one["spread"][1], middle), xytext=(4, -4), textcoords="offset points")
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_xlabel("reviews a second (bar: median; line: least to most)")
    figure.savefig(path, dpi=120)


def _growth(growth: dict[str, dict[str, Row]], path: Path) -> None:
    """One column a thing that grows, one line of panels a quantity; names are growth_<axis>_<quantity>_<size>."""
    quantities = {"us": "microseconds a review", "state": "state, MB", "memory": "memory, MB"}
    figure, panels = plt.subplots(
        len(quantities), len(growth), figsize=(3.4 * len(growth), 7), layout="constrained", squeeze=False
    )
    for column, (axis, found) in enumerate(growth.items()):
        for line, (quantity, label) in enumerate(quantities.items()):
            panel = panels[line][column]
            points = sorted(
                (int(name.rpartition("_")[2]), one["value"])
                for name, one in found.items()
                if name.startswith(f"{quantity}_")
            )
            panel.set_xscale("log")
            panel.plot([size for size, _ in points], [value for _, value in points], "ko-")
            panel.set_ylim(bottom=0)
            panel.set_ylabel(label if column == 0 else "")
            panel.set_xlabel({"reviews": "reviews", "shards": "shards", "reviewers": "distinct reviewers"}[axis])
    figure.savefig(path, dpi=120)
