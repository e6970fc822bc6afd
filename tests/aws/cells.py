"""The code cells of the notebooks as they are, to be run one by one without a kernel."""

import json
from collections.abc import Mapping
from typing import Any

from tests.support.account import PROJECT


def code_cells(notebook: str) -> dict[str, str]:
    """Id -> source of each code cell of `notebooks/<notebook>.ipynb`, in order; the parameters cell is the first."""
    text = (PROJECT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8")
    return {cell["id"]: "".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"}


def open_notebook(notebook: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The names a notebook begins with: those of its parameters cell, the given ones with other values."""
    names: dict[str, Any] = {}
    run_cell(next(iter(code_cells(notebook).values())), "parameters", names)
    names |= {name: value for name, value in parameters.items() if name in names}
    return names


def run_cell(source: str, name: str, names: dict[str, Any]) -> None:
    """Run the source of a cell as a notebook does, in `names`."""
    exec(compile(source, f"<cell {name}>", "exec"), names)  # noqa: S102
