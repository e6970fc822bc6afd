"""The pipeline, drawn as the account has it."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from lab.charts.pipeline_parts import ABSENT, WORKING, Part, pipeline_parts
from lab.charts.style import CLOSED_WINDOW, GROUND, INK, SOFT
from lab.core.picture import WIDTH, Picture
from lab.core.session import Session

_ARROWS = ("read", "one event\na review", "events", "suspicious\nreviewers")
_WIDE, _GAP, _HIGH = 1.8, 0.95, 1.6


def draw_pipeline(session: Session) -> Picture:
    """The pipeline as the account has it at this moment. Raises LabError where the account is out of reach."""
    return pipeline_picture(pipeline_parts(session))


def pipeline_picture(parts: list[Part]) -> Picture:
    """A box a part: dashed is not there yet, a thin line is there, a thick one is at work. The words say it too."""
    figure = Figure(figsize=(WIDTH, 2.3), layout="constrained")
    axes = figure.subplots()
    for place, part in enumerate(parts):
        left = place * (_WIDE + _GAP)
        _box(axes, left, part)
        if place:
            _arrow(axes, left, _ARROWS[place - 1], ABSENT in (part.state, parts[place - 1].state))
    axes.set_xlim(-0.1, len(parts) * (_WIDE + _GAP) - _GAP + 0.1)
    axes.set_ylim(-0.12, _HIGH + 0.12)
    axes.set_axis_off()
    table = pd.DataFrame(
        [(f"{part.name}: {part.title}", part.state, "; ".join(part.facts) or f"run {part.notebook}") for part in parts],
        columns=["part", "state", "what the account says"],
    )
    said = [f"{row[1]} is {row[2]} ({row[3]})" for row in table.itertuples()]
    alt = f"The pipeline from left to right, a box a part: {', '.join(said)}."
    return Picture(figure, alt, table, "The pipeline as it is now", folded=True)


def _box(axes: Axes, left: float, part: Part) -> None:
    absent, working = part.state == ABSENT, part.state == WORKING
    axes.add_patch(
        FancyBboxPatch(
            (left, 0), _WIDE, _HIGH, boxstyle="round,pad=0,rounding_size=0.12",
            facecolor="#e6f2ee" if working else GROUND,
            edgecolor=SOFT if absent else CLOSED_WINDOW.color if working else INK, linestyle="--" if absent else "-",
            linewidth=3.2 if working else 1.2,
        )
    )  # fmt: skip
    middle, color = left + _WIDE / 2, SOFT if absent else INK
    axes.text(middle, _HIGH - 0.2, part.name, ha="center", va="center", fontsize=8.5, weight="bold", color=color)
    axes.text(middle, _HIGH - 0.43, part.title, ha="center", va="center", fontsize=8, color=color)
    lines = (part.state, *part.facts) if not absent else (part.state, f"run {part.notebook}")
    text = "\n".join(line.replace(", ", ",\n", 1) if len(line) > 17 else line for line in lines)
    axes.text(middle, _HIGH - 0.62, text, ha="center", va="top", fontsize=7.2, color=color, linespacing=1.35)


def _arrow(axes: Axes, left: float, text: str, absent: bool) -> None:
    style = {"arrowstyle": "-|>", "linestyle": "--" if absent else "-", "color": SOFT if absent else INK}
    axes.annotate("", (left - 0.04, _HIGH / 2), (left - _GAP + 0.04, _HIGH / 2), arrowprops=style)
    axes.text(left - _GAP / 2, _HIGH / 2 + 0.1, text, ha="center", va="bottom", fontsize=6.5)
