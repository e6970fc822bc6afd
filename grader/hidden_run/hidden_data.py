"""Generate the reviews submissions are graded on: two sets nobody has seen, the same for everyone of one grading."""

import json
import secrets
from pathlib import Path

import pandas as pd

from grader.evidence import PARAMETERS, Data
from grader.trusted_files import open_to_all
from lab.core.errors import LabError
from lab.core.paths import write_atomically
from lab.validation.scores import read_labels
from reviewgen import files

SEEDS = ".seeds.json"
COUNT = 3_000  # reviews; enough for groups to stand together, few enough to be sent in a second
_TRIES = 40
_SMALLEST_GROUP, _CLEAR = 5, 0.9


def draw(out: Path, folder: Path) -> Data:
    """Return both sets below `folder`. The seeds are kept in `out`, so that a grading that goes on uses the same."""
    kept = out / SEEDS
    try:
        seeds = json.loads(kept.read_text())
    except (OSError, ValueError):
        seeds = {}
    data = Data(folder / "run", folder / "proof")
    for name, target in (("run", data.run), ("proof", data.proof)):
        seeds[name] = _write(target, seeds.get(name))
        open_to_all(target)
    write_atomically(kept, json.dumps(seeds))
    kept.chmod(0o600)
    return data


def _write(target: Path, seed: int | None) -> int:
    for _ in range(_TRIES):
        tried = secrets.randbelow(1 << 31) if seed is None else seed
        written = files.write(target, COUNT, tried)
        if seed is not None:
            return tried
        table = pd.DataFrame(json.loads(written.sample.read_text(encoding="utf-8")))
        if fair(table, read_labels(written.labels)):
            return tried
    raise LabError(f"None of {_TRIES} seeds gave reviews in which exercise 8 can be solved: run the grading again.")


def fair(table: pd.DataFrame, labels: pd.DataFrame) -> bool:
    """Say whether exercise 8 can be solved on these reviews.

    By chance an honest review of the same movie falls among a group's, or the crowd of an opening night agrees as a
    group does, and no detection could tell; a set where either concerns more than one in ten would grade luck.
    """
    size, slide = (pd.Timedelta(seconds=PARAMETERS[name]) for name in ("window_seconds", "slide_seconds"))
    step = pd.Timedelta(seconds=1) / PARAMETERS["rate"]
    rows = table[["reviewer", "movie", "rating"]].fillna({"rating": "none"})
    rows["time"] = pd.Timestamp(0) + step * pd.Series(range(len(rows)), index=rows.index)
    planted = set(labels.loc[labels["kind"] == "group_burst", "reviewer"])
    covered = pd.concat(
        [rows.assign(start=rows["time"].dt.floor(slide) - number * slide) for number in range(size // slide)]
    )
    together: set[str] = set()
    clear: set[str] = set()
    alike: set[str] = set()
    for _, window in covered.groupby(["movie", "start"]):
        reviewers = set(window["reviewer"])
        members = reviewers & planted
        if len(members) >= _SMALLEST_GROUP:
            together |= members
            if reviewers == members:
                clear |= members
        if len(reviewers) >= _SMALLEST_GROUP and window["rating"].nunique() == 1:
            alike |= reviewers - planted
    enough = len(together) >= 2 * _SMALLEST_GROUP
    return enough and len(clear) >= _CLEAR * len(together) and len(alike) <= (1 - _CLEAR) * len(together)
