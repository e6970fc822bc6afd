"""What a notebook costs before it does anything: its kernel, its imports, and papermill for each cell.

    python -m benchmarks.notebooks [--quick]

Imports are timed in a process of its own, after pandas and matplotlib. Kernel and cells are those of papermill's own
command on a notebook of one empty cell and one of 51. That nothing is imported and not used is ruff's to say (F401; it
reads notebooks too).
"""

import ast
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.rows import Row, row, run_part
from tests.support.account import PROJECT

CELLS = 50
TIMED = "import time, pandas, matplotlib.pyplot\nbegan = time.perf_counter()\n{}\nprint(time.perf_counter() - began)"


def imports(notebook: Path) -> str:
    """The import statements of a notebook's code cells."""
    cells = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
    trees = [ast.parse("".join(cell["source"])) for cell in cells]
    statements = [one for tree in trees for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom)]
    return "\n".join(map(ast.unparse, statements))


def import_seconds(statements: str) -> float:
    command = [sys.executable, "-c", TIMED.format(statements)]
    return float(subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout)


def empty(cells: int, path: Path) -> Path:
    """A notebook whose code cells do nothing."""
    cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": "pass"}
    content = {
        "cells": [{**cell, "id": f"cell-{number}"} for number in range(cells)],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(content))
    return path


def papermill(notebook: Path) -> float:
    """Seconds of papermill's command."""
    command = [sys.executable, "-m", "papermill", str(notebook), str(notebook.with_suffix(".out.ipynb"))]
    began = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - began


def measure(quick: bool) -> list[Row]:
    notebooks = sorted((PROJECT / "notebooks").glob("*.ipynb"))
    seconds: dict[str, list[float]] = {path.stem: [] for path in notebooks}
    one, many = [], []
    with tempfile.TemporaryDirectory() as folder:
        small, large = (empty(cells, Path(folder) / f"{cells}.ipynb") for cells in (1, 1 + CELLS))
        for _ in range(1 if quick else 3):
            for path in notebooks:
                seconds[path.stem].append(import_seconds(imports(path)))
            one.append(papermill(small))
            many.append(papermill(large))
    each = [1000 * (more - statistics.median(one)) / CELLS for more in many]
    return [
        *[row(f"imports_{name[:2]}_seconds", values, "s", 1.0, beside=f"pandas and matplotlib: {name}")
          for name, values in seconds.items()],
        row("empty_notebook_seconds", one, "s", beside="papermill and kernel started, one cell"),
        row("papermill_cell_ms", each, "ms a cell"),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(run_part(__doc__, measure))
