"""The whole series on every number of shards and several seeds: is every window equal to the reference?

    python -m benchmarks.exactness --shards 1 2 4 8 --seeds 1 2 3 4 5

Each run has an embedded account of its own. Prints one line a run and writes a Markdown table with --out.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.account import PROJECT, free_port


def run(shards: int, seed: int, count: int, folder: Path) -> tuple[bool, str, float]:
    """One series on a sample of its own; (passed, the comparison's sentence, seconds)."""
    data = folder / f"seed-{seed}"
    if not (data / "sample.json").exists():
        command = [sys.executable, "-m", "reviewgen", "--count", str(count), "--seed", str(seed), "--out", str(data)]
        subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    out = folder / f"runs-{shards}-{seed}"
    environment = {
        **os.environ,
        "LOCALAWS_PORT": str(free_port()),
        "LOCALAWS_HOME": str(folder / f"home-{shards}-{seed}"),
    }
    command = [sys.executable, "-m", "lab", "run", "--down", "--out", str(out), "-p", "shards", str(shards)]
    command += ["-p", "reviews_file", str(data / "sample.json")]
    finished = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    results = json.loads((out / "latest" / "results.json").read_text())
    compared = [
        test["output"] for test in results["tests"] if test["name"].endswith("Every window equals the reference")
    ]
    sentence = compared[0].splitlines()[-1] if compared else results["output"]
    return finished.returncode == 0, sentence, results["execution_time"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = ["| shards | seed | windows | seconds |", "| --- | --- | --- | --- |"]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for shards in options.shards:
            for seed in options.seeds:
                passed, sentence, seconds = run(shards, seed, options.count, Path(folder))
                failed += not passed
                found = re.match(r"[\d,]+ of [\d,]+ windows equal, none missing, none extra", sentence)
                rows.append(
                    f"| {shards} | {seed} | {found[0] if found else 'NOT EXACT: ' + sentence} | {seconds:.0f} |"
                )
                print(rows[-1], flush=True)
                if options.out:
                    options.out.write_text("\n".join(rows) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
