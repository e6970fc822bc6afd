"""Make the student edition: the same files with the solutions taken out.

The one source is the solution edition: notebooks and code files in which a solution stands between the lines
`### BEGIN SOLUTION` and `### END SOLUTION`, the markers of nbgrader. Inside a function such lines give way, as in
nbgrader, to `# YOUR CODE HERE` and `raise NotImplementedError()`; elsewhere to the comment alone, so that what was
assigned before stays. `lab/exercises/release.py` makes a zip of it.
"""

import json
from pathlib import Path

from lab.core.errors import LabError
from lab.core.paths import ROOT

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
CODE_FILES = ("flink_app/SlidingWindows/sliding-windows.py", "producer/put_batch.py")


class BadSource(LabError):
    """Say that a solution is not marked as it must be."""


def without_solutions(source: str, where: str) -> str:
    """Return the source with its solutions replaced by blanks. Raises BadSource where a marker has no partner."""
    kept: list[str] = []
    inside = False
    for number, line in enumerate(source.split("\n"), 1):
        marker = line.strip()
        if marker not in (BEGIN, END):
            if not inside:
                kept.append(line)
            continue
        if inside == (marker == BEGIN):
            missing = END if inside else BEGIN
            raise BadSource(f"Line {number} of {where} is `{marker}` without `{missing}` before it: put that in.")
        inside = marker == BEGIN
        if inside:
            indent = line[: len(line) - len(line.lstrip())]
            kept.append(f"{indent}# YOUR CODE HERE")
            if indent:
                kept.append(f"{indent}raise NotImplementedError()")
    if inside:
        raise BadSource(f"A solution in {where} begins and does not end: put `{END}` after it.")
    return "\n".join(kept)


def student_notebook(text: str, where: str) -> str:
    """Return a notebook (as JSON text) with its solutions replaced by blanks, and without the outputs they lead to."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            source = without_solutions("".join(cell["source"]), f"{where}, cell {cell['id']}")
            cell["source"] = source.splitlines(keepends=True)
            cell["outputs"], cell["execution_count"] = [], None
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def student_files(root: Path = ROOT) -> dict[str, str]:
    """Return path -> text of every file of the student edition that differs from the solution edition."""
    found = {}
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        name = path.relative_to(root).as_posix()
        found[name] = student_notebook(path.read_text(encoding="utf-8"), name)
    for name in CODE_FILES:
        found[name] = without_solutions((root / name).read_text(encoding="utf-8"), name)
    return {name: text for name, text in found.items() if text != (root / name).read_text(encoding="utf-8")}
