"""Leave outputs of a notebook for the runner: timings, checks and moving pictures, by MIME type.

For a moving picture, other ways were weighed: Vega-Lite shows in JupyterLab by itself, but an exported page or the
report would carry its runtime of 800 kB, and the window rules would have to be said again in its expressions;
matplotlib's film holds a PNG for every position of every slider; an anywidget is gone where no kernel and no extension
answers. Here Python computes every position (`lab.charts.window_steps`), so the script only looks up and draws: some
ten kB that work in JupyterLab, in the exported HTML and in the report, without a network. Where no script runs, the
still picture stays.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CHECK = "application/vnd.lab.check+json"
TIMING = "application/vnd.lab.timing+json"
TRACEBACK = "application/vnd.lab.traceback+json"
MOVING = "application/vnd.lab.moving+json"  # what a picture that moves is drawn from
SCRIPTS = Path(__file__).parent / "scripts"
KINDS = ("windows", "threshold", "ring")  # of moving pictures
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


@dataclass(frozen=True)
class Moving:
    """Hold what one moving picture is drawn from: `kind` names its script, `data` is plain JSON."""

    kind: str
    data: dict[str, Any]

    def html(self, still: str) -> str:
        """Return a figure that shows `still` (HTML) until the script has drawn the moving picture in its place."""
        data = json.dumps(self.data, separators=(",", ":"), ensure_ascii=True).replace("<", "\\u003c")
        return (
            f'<figure class="lab-moving" data-kind="{self.kind}">{still}'
            f'<script type="application/json">{data}</script></figure><script>{script(self.kind)}</script>'
        )


@cache
def script(kind: str) -> str:
    """Return the script of one kind; raises FileNotFoundError for a kind that has none."""
    return "".join((SCRIPTS / f"{name}.js").read_text(encoding="utf-8") for name in ("common", kind))
