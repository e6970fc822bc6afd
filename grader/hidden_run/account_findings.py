"""Probe the account a submission worked in: the project's own checks, and whose reviews are in it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from grader.hidden_run.sent_reviews import expected_reviews
from lab.checks.check import CHECKS
from lab.checks.pipeline import Pipeline
from lab.checks.probe import FAILED, Finding, Place, Probe, take
from lab.core.errors import LabError
from lab.core.names import INPUT_STREAM, REVIEWS_FILE
from lab.core.session import Session, local_status
from lab.streams.reading import read_stream
from lab.streams.records import read_reviews

ARRIVED = "records_arrived"
_GONE = Finding(FAILED, "It does not answer any more: something in the submission ended or filled it.", "the account")


def look(session: Session, parameters: dict[str, Any], step: Callable[[str], None]) -> dict[str, Finding]:
    """Take every check; what it finds, by its slug. `step` is called after each."""
    lab = Pipeline(session, parameters)
    found: dict[str, Finding] = {}
    for check in CHECKS:
        found[check.slug] = looked(check, lab) if local_status() else _GONE
        step(check.slug)
    if found[ARRIVED].passed:
        found[ARRIVED] = _of_the_right_reviews(Path(parameters["reviews_file"])) or found[ARRIVED]
    return found


def looked(check: Probe, lab: Pipeline) -> Finding:
    """Take one check; whatever a submission left that breaks it costs the points of this one only."""
    try:
        return take(check, lab)
    except Exception as error:  # noqa: BLE001
        return Place("what the submission left").failed(f"It cannot be read ({type(error).__name__}: {error}).")


def _of_the_right_reviews(path: Path) -> Finding | None:
    """Make a finding where the stream does not hold the reviews this submission was given.

    The function's state, which the check believes, can be written by anybody.
    """
    place = Place("the reviews in the stream, beside those of the file")
    try:
        there = read_reviews(read_stream(INPUT_STREAM)).table
    except LabError as error:
        return place.failed(str(error))
    wanted = expected_reviews(path)
    pairs = pd.MultiIndex.from_frame(there[["review_id", "reviewer"]])
    foreign = (~pairs.isin(pd.MultiIndex.from_frame(wanted[["review_id", "reviewer"]]))).sum()
    if foreign or not len(there):
        return place.failed(
            f"{foreign:,} of {len(there):,} are not of {REVIEWS_FILE}: the function must send those of S3."
        )
    return None
