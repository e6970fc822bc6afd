"""Check a notebook's work: the list of checks, and `lab.check`.

A check looks at the account and the streams, never at the notebook's variables. Points and proofs hang on its slug.
"""

from typing import Any, ClassVar

from lab.checks import detection, exercises, security, streams
from lab.checks.pipeline import Pipeline
from lab.checks.probe import FAILED, OPEN, PASSED, Probe, Report, State, take_all
from lab.core.cell_outputs import CHECK, leave
from lab.core.errors import CheckFailed
from lab.core.session import Session
from lab.deploy.flink_zip import SOURCE

CHECKS: tuple[Probe, ...] = (
    streams.landing_zone,
    streams.reviews_active,
    streams.output_active,
    security.raw_data,
    exercises.partition_key,
    streams.function_settings,
    streams.records_arrived,
    security.function_and_log,
    exercises.read_shard,
    exercises.put_batch,
    detection.zip_uploaded,
    detection.configured,
    detection.running,
    detection.output_visible,
    security.application_and_bucket,
    exercises.window,
    exercises.watermark,
    exercises.parallelism,
    detection.windows_equal,
    detection.nothing_lost,
    exercises.threshold,
    exercises.groups,
)


class CheckReport(Report):
    """Show what the checks of a notebook found."""

    heading = "check"
    words: ClassVar[dict[State, str]] = {PASSED: "✔ passed", FAILED: "✘ FAILED", OPEN: "○ not attempted"}


def checks_of(notebook: str) -> list[Probe]:
    """List the checks of a notebook in order; ``notebook`` may be its number, such as "01"."""
    return [check for check in CHECKS if check.notebook == notebook or check.notebook.startswith(notebook + "_")]


def check(notebook: str, session: Session, **parameters: Any) -> None:
    """Run a notebook's checks, show them as a table and raise CheckFailed if one failed.

    An exercise that is still blank is shown with its hint and raises nothing.
    """
    report = CheckReport(take_all(checks_of(notebook), Pipeline(session, parameters, folder=SOURCE)))
    results = [
        {
            "run_id": session.run_id,
            "slug": check.slug,
            "notebook": check.notebook,
            "name": check.title,
            "points": check.points,
            "passed": found.passed,
            "attempted": found.attempted,
            "looked_at": found.looked_at,
            "message": found.message,
        }
        for check, found in report.taken
    ]
    leave(CHECK, {"checks": results}, report.text, report.html)
    if report.failed:
        raise CheckFailed(report.taken[0][0].notebook, [found.message for found in report.failed])
