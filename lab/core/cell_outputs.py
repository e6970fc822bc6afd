"""Leave outputs of a notebook for the runner: timings, checks and moving pictures, by MIME type."""

from typing import Any

CHECK = "application/vnd.lab.check+json"
TIMING = "application/vnd.lab.timing+json"
TRACEBACK = "application/vnd.lab.traceback+json"
MOVING = "application/vnd.lab.moving+json"  # what a picture that moves is drawn from
_run_id = ""


def use_run_id(run_id: str) -> None:
    """Remember the run this kernel belongs to; every mark carries it."""
    global _run_id
    _run_id = run_id


def mark_timing(name: str, seconds: float) -> None:
    """Leave how long a named step took, for the report."""
    leave(TIMING, {"name": name, "seconds": round(seconds, 2)}, f"{name}: {seconds:.1f} s")


def leave(mime: str, data: dict[str, Any], text: str, html: str | None = None) -> None:
    """Display one output that people read as ``text`` (or ``html``) and the runner as ``mime``."""
    from IPython.display import display

    bundle: dict[str, Any] = {mime: {"run_id": _run_id, **data}, "text/plain": text}
    if html:
        bundle["text/html"] = html
    display(bundle, raw=True)
