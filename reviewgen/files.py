"""Write a seeded synthetic file of movie reviews, and who was planted in it: `python -m reviewgen`.

    python -m reviewgen                                    # data/sample.json and data/labels.csv, as committed
    python -m reviewgen --count 100000 --seed 11 --out build/reviews

The same count and seed give the same bytes on every machine. Reviews go to disk as they are made. What is in the files
is described in data/README.md.
"""

import argparse
import csv
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import IO

from tqdm import tqdm

from lab.core.errors import LabError
from lab.core.names import LABELS_FILE, REVIEWS_FILE
from lab.core.paths import ROOT
from reviewgen.reviewers import LARGEST, SMALLEST, Label
from reviewgen.reviews import Review, generate

LABEL_COLUMNS = tuple(field.name for field in fields(Label))
_SHOW_PROGRESS_FROM = 50_000
_BYTES_A_REVIEW = 1_400  # generous; for the question whether the disk has room


class NotWritten(LabError):
    """Say that the files could not be written."""

    def __init__(self, out: Path, why: str, hint: str) -> None:
        self.out = out
        super().__init__(f"The reviews could not be written to {out} ({why}): {hint}.")


@dataclass(frozen=True)
class Written:
    """Hold what `write` left on disk."""

    sample: Path
    labels: Path
    reviews: int
    labelled: int
    size: int  # of the sample, in bytes
    seconds: float


def write(out: Path, count: int = 5_000, seed: int = 7, progress: bool = False) -> Written:
    """Write sample.json (one JSON array on one line) and labels.csv into `out`, both or neither.

    A relative `out` counts from the repository root. `progress` shows a bar on stderr. Raises BadParameter for a count
    that cannot work, NotWritten when `out` cannot take the files; in both cases earlier files there stay as they were.
    """
    started = time.perf_counter()
    out = ROOT / out
    labelled = 0

    def label(entry: Label) -> None:
        nonlocal labelled
        labelled += 1
        rows.writerow(astuple(entry))

    reviews = generate(count, seed, label)
    bar = tqdm(reviews, total=count, unit=" reviews", unit_scale=True, file=sys.stderr, disable=not progress)
    try:
        _make_room(out, count)
        with _both_or_neither(out) as (sample, labels):
            rows = csv.writer(labels, lineterminator="\n")
            rows.writerow(LABEL_COLUMNS)
            _write_array(bar, sample.write)
        size = (out / REVIEWS_FILE).stat().st_size
    except OSError as error:
        why = error.strerror or str(error)
        raise NotWritten(out, why, "choose another folder with --out, or make this one writable") from error
    finally:
        bar.close()
    return Written(out / REVIEWS_FILE, out / LABELS_FILE, count, labelled, size, time.perf_counter() - started)


def _write_array(reviews: Iterator[Review], put: Callable[[str], object]) -> None:
    before = "["
    for review in reviews:
        put(before + json.dumps(review))  # ASCII with \u escapes: what json.dump writes, and one byte a character
        before = ", "
    put("]\n")


def _make_room(out: Path, count: int) -> None:
    out.mkdir(parents=True, exist_ok=True)
    needed, free = count * _BYTES_A_REVIEW, shutil.disk_usage(out).free
    if needed > free:
        why = f"{count:,} reviews take about {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free"
        raise NotWritten(out, why, "ask for fewer with --count, or choose another disk with --out")


@contextmanager
def _both_or_neither(out: Path) -> Iterator[tuple[IO[str], IO[str]]]:
    """Return two files to write to, which take their names only when the block has ended well."""
    parts = {name: out / f".{name}.{os.getpid()}.part" for name in (REVIEWS_FILE, LABELS_FILE)}
    try:
        with (
            parts[REVIEWS_FILE].open("w", encoding="ascii", newline="", buffering=1 << 20) as sample,
            parts[LABELS_FILE].open("w", encoding="utf-8", newline="") as labels,
        ):
            yield sample, labels
        for name, part in parts.items():
            part.replace(out / name)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reviewgen",
        description="Write a synthetic file of movie reviews (sample.json) and who was planted in it (labels.csv). "
        "The same count and seed give the same bytes on every machine; data/README.md says what is in them.",
        epilog="About 1.3 KB a review: 5,000,000 reviews are 6.6 GB. Memory does not grow with the count.",
    )
    parser.add_argument(
        "--count", type=int, default=5_000, metavar="N",
        help=f"how many reviews, {SMALLEST:,} to {LARGEST:,} (default: 5000)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=int, default=7, metavar="S", help="any whole number; another seed, another file (default: 7)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("data"), metavar="DIR",
        help="folder to write to, made if missing, a relative one counts from the repository root; "
        "files of these names in it are replaced (default: data)",
    )  # fmt: skip
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 when both files are written, 2 with one sentence on stderr when not, 130 when stopped."""
    options = _parser().parse_args(argv)
    try:
        done = write(options.out, options.count, options.seed, progress=options.count >= _SHOW_PROGRESS_FROM)
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write(f"Stopped before the end, nothing in {options.out} was changed: run the command again.\n")
        return 130
    sys.stdout.write(
        f"{done.reviews:,} reviews ({done.size / 1e6:.1f} MB) in {done.sample}, {done.labelled:,} labelled reviewers "
        f"in {done.labels}: {done.seconds:.1f} s, {done.reviews / done.seconds:,.0f} reviews/s.\n"
    )
    return 0
