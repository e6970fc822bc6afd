"""The TaskManager is killed three times in one run, again and again: is every window right every time?

    python -m benchmarks.kills --times 20

Runs the fault test of the suite in a fresh embedded account each time, about 40 seconds a run. Exit code 1 if one
failed.
"""

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
TEST = "tests/end_to_end/test_faults.py::test_taskmanager_killed_three_times"


def run() -> tuple[bool, str]:
    """One run; (passed, the comparison's sentence or the end of what the test said)."""
    command = [sys.executable, "-m", "pytest", "-q", "-s", TEST]
    finished = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    compared = re.findall(r"[\d,]+ of [\d,]+ windows equal.*", finished.stdout)
    return finished.returncode == 0, compared[-1] if compared else finished.stdout[-500:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    failed = 0
    for number in range(1, parser.parse_args().times + 1):
        began = time.monotonic()
        passed, sentence = run()
        failed += not passed
        word = "passed" if passed else "FAILED"
        print(f"{number:>3} {word} {time.monotonic() - began:5.0f} s  {sentence}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
