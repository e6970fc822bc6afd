"""A chart that everyone can read: a PNG with its description, and the numbers behind it in a table beside it."""

import base64
import io
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from lab.core.tables import table_html

WIDTH = 8.0  # inches, of every chart
DPI = 110
SHADES = 32  # black-and-white charts need no more, and the PNG is a third of the size


@dataclass(frozen=True)
class Picture:
    """A figure, its alt text and the table beside it. Put it last in a cell and the notebook shows all three."""

    figure: Figure
    alt: str
    table: pd.DataFrame
    caption: str = ""
    rows: int = 15

    @cached_property
    def png(self) -> bytes:
        """The figure as PNG, about 60 kB at most."""
        drawn = io.BytesIO()
        self.figure.savefig(drawn, format="png", dpi=DPI)
        small = io.BytesIO()
        Image.open(drawn).convert("RGB").quantize(SHADES, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
        return small.getvalue()

    @property
    def html(self) -> str:
        """Image (with its alt text) and table as HTML that needs no other file."""
        image = base64.b64encode(self.png).decode()
        return (
            '<div style="display:flex;flex-wrap:wrap;gap:1.5em;align-items:flex-start">'
            f'<img alt="{escape(self.alt)}" src="data:image/png;base64,{image}" style="max-width:100%">'
            f'<div style="overflow-x:auto">{table_html(self.table, self.caption, self.rows)}</div></div>'
        )

    def save(self, path: str | Path) -> Path:
        """Write the PNG."""
        path = Path(path)
        path.write_bytes(self.png)
        return path

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.alt}
