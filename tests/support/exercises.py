"""Takes the check of an exercise with the lab's settings."""

from typing import Any

from lab.checks.check import CHECKS
from lab.checks.pipeline import Pipeline
from lab.checks.probe import Finding, take
from lab.core.session import Session
from tests.support.account import PROJECT

SAMPLE = PROJECT / "data" / "sample.json"
SETTINGS = {"window_seconds": 60, "slide_seconds": 30, "threshold": 1, "watermark_delay_seconds": 5}


def finding(session: Session, name: str, known: dict[str, Any] | None = None, **more: Any) -> Finding:
    (check,) = [check for check in CHECKS if check.slug == name]
    return take(check, Pipeline(session, {**SETTINGS, "reviews_file": "data/sample.json", **more}, known))
