"""Say at the end of a run where everything is and what goes on running."""

import subprocess
import sys
from typing import Any

from lab.core.errors import LabError
from lab.core.paths import ROOT, shown
from lab.core.session import local_endpoint
from lab.runner.outcome import SeriesResult
from lab.runner.run_folder import LATEST, Run

_DOWN_TIMEOUT = 60


def still_running(region: str) -> str:
    """Return what the lab costs by the hour in the account on AWS it was run in.

    With the kernels gone nobody stops it.
    """
    from lab.account.cost_meter import cost_so_far
    from lab.core.session import connect

    try:
        bill = cost_so_far(connect("aws", region))
    except LabError as error:
        return f"{'meter':<12}{error}"
    if bill.table.empty:
        return f"{'meter':<12}{bill.sentence}"
    return f"{'meter':<12}{bill.sentence} Its kernels have ended: delete it by `make clean-aws`."


def stop_account() -> str | None:
    """Stop the embedded account with all it runs. Returns None, or one sentence where that did not work."""
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "localaws", "down"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=_DOWN_TIMEOUT,
            start_new_session=True,  # a second ctrl-C must not leave half of the account running
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"The embedded account could not be stopped ({error}); run `make down`."
    if answer.returncode:
        said = (answer.stderr or answer.stdout).strip().splitlines()
        return (
            f"The embedded account could not be stopped ({said[-1] if said else 'no reason given'}); run `make down`."
        )
    return None


def last_lines(result: SeriesResult, run: Run, status: dict[str, Any] | None, stopped: bool) -> list[str]:
    """Say where everything is and what goes on running: `status` as of `local_status`, `stopped` after `--down`."""
    link = run.folder.parent / LATEST
    report = link / run.report.name if link.resolve() == run.folder.resolve() else run.report
    lines = [_summary(result), *([f"{'report':<12}{shown(report)}"] if report.exists() else [])]
    if stopped:
        return [*lines, f"{'account':<12}stopped"]
    if status:
        dashboards = status.get("dashboards")
        for application, url in (dashboards if isinstance(dashboards, dict) else {}).items():
            lines.append(f"{'dashboard':<12}{url} (application {application}; open it in a browser)")
        lines.append(f"{'account':<12}{local_endpoint()} stays up: `make down` stops everything")
    return lines


def _summary(result: SeriesResult) -> str:
    passed = sum(check.passed for check in result.checks)
    return (
        f"{'PASSED' if result.passed else 'FAILED':<12}{passed} of {len(result.checks)} checks, "
        f"{result.score} of {result.max_score} points, {result.seconds:.1f} s"
    )
