"""The few outputs that are committed: nbval compares them, so they must be the same in every run.

`python -m tests.notebooks.kept_outputs [RUN]` takes them over from an executed series (default: runs/latest) into the
cells tagged `nbval-check-output`; their tables fit into 80 columns, whatever the terminal. All other cells are
committed without outputs.
"""

import sys
from pathlib import Path

import nbformat

from tests.support.account import PROJECT

KEPT = "nbval-check-output"


def is_kept(cell: nbformat.NotebookNode) -> bool:
    """Whether the cell's output is committed and compared."""
    return KEPT in cell.metadata.get("tags", [])


def take_over(executed: Path, committed: Path) -> int:
    """Copy the outputs of the kept cells, found by cell id, from one notebook to the other; how many there are."""
    ran = {cell.id: cell for cell in nbformat.read(executed, 4).cells if cell.cell_type == "code"}
    notebook = nbformat.read(committed, 4)
    kept = [cell for cell in notebook.cells if is_kept(cell)]
    for cell in kept:
        # nbval takes an output without a count for one of a cell that was never run.
        cell.outputs, cell.execution_count = ran[cell.id].outputs, ran[cell.id].execution_count
        cell.metadata.pop("execution", None)
    if kept:
        nbformat.write(notebook, committed)
    return len(kept)


if __name__ == "__main__":
    run = Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT / "runs" / "latest"
    for path in sorted((PROJECT / "notebooks").glob("0[1-4]_*.ipynb")):
        print(f"{path.name}: {take_over(run / path.name, path)} outputs kept")
