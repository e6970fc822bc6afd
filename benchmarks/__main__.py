"""Everything in one run on one machine, into results.json, results.md and plots.

    python -m benchmarks [--quick] [--only PART ...] [--out FOLDER]

Each part is a process of its own, one after the other. With --only the rows of the other parts stay as they were.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import facts
from benchmarks.plots import plot
from benchmarks.rows import Row, arguments, fact, table, write

# part -> module, in the order of running
PARTS = {
    "series": "series",
    "start": "managed_flink",
    "producer": "producer",
    "detection": "detection",
    "latency": "latency",
    "hop": "hop",
    "growth": "growth",
    "notebooks": "notebooks",
    "reading": "reading",
    "reference": "reference",
}
# What 3 minutes hold; each of them is smaller too.
QUICK = ("series", "start", "detection", "latency", "hop", "reference")
PROJECT = Path(__file__).resolve().parent.parent


def run(part: str, quick: bool, folder: Path) -> list[Row]:
    """The rows of one part; none where it failed, which is said."""
    out = folder / f"{part}.json"
    command = [sys.executable, "-m", f"benchmarks.{PARTS[part]}", "--out", str(out), *(["--quick"] if quick else [])]
    began = time.monotonic()
    done = subprocess.run(command, cwd=PROJECT, check=False)
    seconds = time.monotonic() - began
    print(f"--- {part}: {seconds:.0f} s, exit code {done.returncode}", flush=True)
    if done.returncode or not out.exists():
        return []
    return [*json.loads(out.read_text()), fact(f"part_{part}_seconds", round(seconds, 1), "s")]


def merged(old: list[Row], new: list[Row]) -> list[Row]:
    """Old rows in their order, with those measured anew in their place, then what is new."""
    fresh = {one["name"]: one for one in new}
    return [*[fresh.pop(one["name"], one) for one in old], *fresh.values()]


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.set_defaults(out=Path(__file__).parent)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    results = options.out / "results.json"
    parts = options.only or (QUICK if options.quick else PARTS)
    rows = json.loads(results.read_text()) if options.only and results.exists() else []
    rows = merged(rows, facts())
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for part in parts:
            found = run(part, options.quick, Path(folder))
            failed += [] if found else [part]
            rows = merged(rows, found)
            write(rows, results)  # after every part: one that is interrupted loses only itself
    rows = merged(rows, [one for one in facts("after") if one["name"].startswith("load")])
    write(rows, results)
    (options.out / "results.md").write_text(table(rows) + "\n")
    plot(rows, options.out)
    missed = [one["name"] for one in rows if one["met"] is False]
    print(f"{results}: {len(rows)} rows; bounds missed: {', '.join(missed) or 'none'}")
    if failed:
        print(f"Parts that failed, their rows are missing: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
