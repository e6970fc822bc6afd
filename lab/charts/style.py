"""Define one visual language for every picture: a colour, a mark and a pattern for each thing.

Colour is never the only cue: what differs, differs in mark, line or pattern too. The colours are at least 3 : 1 against
white, and those that meet in one picture stay apart for people who see red, green or blue weakly (the test simulates
it, after Machado, Oliveira and Fernandes 2009). On a dark page `lab.core.picture` turns light and dark around and
keeps the hue, so one set of colours serves both.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from matplotlib.axes import Axes

INK, SOFT, GRID, GROUND = "#1b1f24", "#57606a", "#d9dde2", "#ffffff"
SMALL = 9.0  # points, of the smallest text: 9 px on a screen 1,024 px wide, where a picture is 570 px wide


@dataclass(frozen=True)
class Look:
    """Hold how one thing is drawn: its colour, matplotlib's marker, line style and hatch."""

    color: str
    marker: str = "o"
    line: str = "-"
    hatch: str = ""


REVIEW = Look("#3B82C4", "o")
WATERMARK = Look("#8E2C86", "", "-.")
OPEN_WINDOW = Look("#C48A00", "s", "--", "....")
CLOSED_WINDOW = Look("#006B4F", "s", "-", "////")
LATE = Look("#B02418", "x")
NOT_FLAGGED = Look("#8A8A8A", "o")
PLANTED = Look("#3B1E8F", "^", "-", "////")  # flagged, and planted: right
HONEST = Look("#B8651B", "X", "--", "....")  # flagged, and honest: a false alarm
MISSED = Look("#8F1D10", "v", ":", "xxxx")  # planted, and not flagged
LOOKS = {
    "review": REVIEW,
    "watermark": WATERMARK,
    "open": OPEN_WINDOW,
    "closed": CLOSED_WINDOW,
    "late": LATE,
    "not_flagged": NOT_FLAGGED,
    "planted": PLANTED,
    "honest": HONEST,
    "missed": MISSED,
}


def colors() -> dict[str, str]:
    """Return the colour of each name of `LOOKS`, and ink, soft, grid and ground, for pictures drawn in the browser."""
    named = {name: asdict(look)["color"] for name, look in LOOKS.items()}
    return {**named, "ink": INK, "soft": SOFT, "grid": GRID, "ground": GROUND}


def bar(look: Look) -> dict[str, Any]:
    """Return matplotlib's arguments of a bar or a span: white inside, pattern and edge in the colour."""
    return {"facecolor": GROUND, "edgecolor": look.color, "hatch": look.hatch, "linestyle": look.line, "linewidth": 1.3}


def plain(axes: Axes, grid: Literal["x", "y", "both", ""] = "") -> None:
    """Take the frame away at the top and the right; `grid` is "x", "y", "both" or nothing."""
    axes.spines[["top", "right"]].set_visible(False)
    if grid:
        axes.grid(axis=grid, color=GRID)
        axes.set_axisbelow(True)
