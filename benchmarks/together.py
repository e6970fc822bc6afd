"""Detection, latency, the sliding window alone and the reference in one run, into one file, one table and one plot.

    python -m benchmarks.together [--quick] [--out benchmarks]

Adds its rows to results.json (rows of the same name are replaced; others, such as the start of Managed Flink, stay),
and writes results.md and results.png beside it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from benchmarks.rows import Row, table, write

MODULES = ("reference", "hop", "latency", "detection")
PROJECT = Path(__file__).resolve().parent.parent


def run(module: str, quick: bool, folder: Path) -> list[Row]:
    """The rows of one benchmark in a process of its own; raises CalledProcessError if it failed."""
    out = folder / f"{module}.json"
    command = [sys.executable, "-m", f"benchmarks.{module}", "--out", str(out), *(["--quick"] if quick else [])]
    subprocess.run(command, cwd=PROJECT, check=True)
    return [one for one in json.loads(out.read_text()) if one["name"] != "machine"]


def merged(old: list[Row], new: list[Row]) -> list[Row]:
    """Old rows in their order, with those measured anew in their place, then what is new."""
    fresh = {one["name"]: one for one in new}
    kept = [fresh.pop(one["name"], one) for one in old if one["name"] != "machine"]
    return [{"at_least": False, **one} for one in [*kept, *fresh.values()]]


def plot(rows: list[Row], path: Path) -> None:
    """Reviews a second of each contender: bars told apart by their labels, the application hatched."""
    rates = [one for one in rows if one["name"].startswith("detection_rate_")]
    names = [one["name"].removeprefix("detection_rate_").replace("_windows", "") for one in rates]
    shown = [f"{name.rpartition('_')[0]}, {name.rpartition('_')[2]} shard(s)" for name in names]
    figure, axes = plt.subplots(figsize=(8, 0.5 * len(rates) + 1.2), layout="constrained")
    bars = axes.barh(shown, [one["value"] for one in rates], color="0.85", edgecolor="black")
    for bar, name, one in zip(bars, names, rates, strict=True):
        bar.set_hatch("//" if name.startswith("application") else "")
        axes.plot(one["spread"], [bar.get_y() + bar.get_height() / 2] * 2, color="black", linewidth=2)
        axes.annotate(f"{one['value']:,.0f}", (one["spread"][1], bar.get_y() + bar.get_height() / 2), xytext=(4, -4),
                      textcoords="offset points")  # fmt: skip
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_xlabel("reviews a second (bar: median; line: least to most)")
    figure.savefig(path, dpi=120)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder (default: benchmarks/)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    results = options.out / "results.json"
    old = json.loads(results.read_text()) if results.exists() else []
    with tempfile.TemporaryDirectory() as folder:
        new = [one for module in MODULES for one in run(module, options.quick, Path(folder))]
    rows = merged(old, new)
    write(rows, results)
    (options.out / "results.md").write_text(table(rows) + "\n")
    plot(rows, options.out / "results.png")
    print(f"{len(new)} rows measured, {sum(one['met'] is False for one in rows)} bounds missed: {results}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
