"""Show a chart that everyone can read: a PNG with its description, and its numbers in a table.

A picture may move as well: where a browser runs its script, sliders take the place of the PNG. One rule turns light and
dark around in JupyterLab's dark theme; the colours of `lab.charts.style` are chosen for both.
"""

import base64
import io
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from lab.core.cell_outputs import MOVING, Moving
from lab.core.tables import table_html

WIDTH = 8.0  # inches, of every chart
DPI = 110
SHADES = 255  # few colours and their edges need no more, and the PNG is a third of the size
STYLE = (
    "<style>.lab-picture{display:flex;flex-wrap:wrap;gap:1.5em;align-items:flex-start}"
    ".lab-picture figure{margin:0;max-width:100%}.lab-picture img,.lab-picture svg{max-width:100%}"
    ".lab-picture :is(img,svg,.lab-mark){background:#fff}"
    '@media screen{[data-jp-theme-light="false"] .lab-picture :is(img,svg,.lab-mark)'
    "{filter:invert(.933) hue-rotate(180deg)}}"
    "@media print{.lab-picture>div{overflow:visible!important}.lab-picture table{font-size:.65em!important}}</style>"
)


@dataclass(frozen=True)
class Picture:
    """Describe a figure, its alt text and the table beside it.

    Put it last in a cell and the notebook shows all three.
    """

    figure: Figure
    alt: str
    table: pd.DataFrame
    caption: str = ""
    rows: int = 15
    moving: Moving | None = None
    folded: bool = False  # the table says the same as the picture: shown when asked for

    @cached_property
    def png(self) -> bytes:
        """Return the figure as PNG, about 60 kB at most."""
        drawn = io.BytesIO()
        self.figure.savefig(drawn, format="png", dpi=DPI)
        small = io.BytesIO()
        image = Image.open(drawn).convert("RGB")
        # The octree keeps the colour of a few small marks; the default gives it to the largest areas.
        reduced = image.quantize(SHADES, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        reduced.save(small, "PNG", optimize=True)
        return small.getvalue()

    @property
    def html(self) -> str:
        """Return image (with its alt text) and table as HTML that needs no other file."""
        image = base64.b64encode(self.png).decode()
        still = f'<img alt="{escape(self.alt)}" src="data:image/png;base64,{image}">'
        shown = self.moving.html(still) if self.moving else f"<figure>{still}</figure>"
        table = table_html(self.table, self.caption, self.rows)
        if self.folded:
            table = f"<details><summary>The same as a table</summary>{table}</details>"
        return f'{STYLE}<div class="lab-picture">{shown}<div style="overflow-x:auto">{table}</div></div>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/html": self.html, "text/plain": self.alt}
        if self.moving:
            bundle[MOVING] = {"kind": self.moving.kind, "data": self.moving.data}
        return bundle
