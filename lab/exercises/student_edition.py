"""The student edition: the same files with the solutions taken out, made by `python -m lab release`.

The one source is the solution edition: notebooks and code files in which a solution stands between the lines
`### BEGIN SOLUTION` and `### END SOLUTION`, the markers of nbgrader. Inside a function such lines give way, as in
nbgrader, to `# YOUR CODE HERE` and `raise NotImplementedError()`; elsewhere to the comment alone, so that what was
assigned before stays. `build/release/` holds only the files that differ; `--whole` writes everything a student needs.
"""

import argparse
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from lab.core.errors import LabError
from lab.core.paths import ROOT

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
CODE_FILES = ("flink_app/SlidingWindows/sliding-windows.py", "producer/put_batch.py")
RELEASE = ROOT / "build" / "release"
NOT_FOR_STUDENTS = ("tests/", "benchmarks/", ".ci/")


class BadSource(LabError):
    """A solution is not marked as it must be."""


def without_solutions(source: str, where: str) -> str:
    """The source with its solutions replaced by blanks. Raises BadSource where a marker has no partner."""
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
    """A notebook (as JSON text) with its solutions replaced by blanks, and without the outputs they lead to."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            source = without_solutions("".join(cell["source"]), f"{where}, cell {cell['id']}")
            cell["source"] = source.splitlines(keepends=True)
            cell["outputs"], cell["execution_count"] = [], None
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def student_files(root: Path = ROOT) -> dict[str, str]:
    """Path in the project -> text, of every file of the student edition that differs from the solution edition."""
    found = {}
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        name = path.relative_to(root).as_posix()
        found[name] = student_notebook(path.read_text(encoding="utf-8"), name)
    for name in CODE_FILES:
        found[name] = without_solutions((root / name).read_text(encoding="utf-8"), name)
    changed = {name: text for name, text in found.items() if text != (root / name).read_text(encoding="utf-8")}
    return {**changed, "README.md": readme()}


def readme() -> str:
    """Write the README of the student edition: its exercises, and how it came about."""
    from lab.exercises.catalog import (
        EXERCISES,  # the command line imports this module, and boto3 with it would make it slow
    )

    rows = "\n".join(
        f"| {exercise.title.removeprefix('Exercise ').replace(': ', ' | ', 1)} "
        f"| {exercise.where.split(' in ')[1].strip('`')} | {exercise.minutes} min "
        f"| {exercise.points} |"
        for exercise in EXERCISES.values()
    )
    return f"""# The student edition

Here are the files that differ from the solution edition: the notebooks and code files with their solutions taken out.
They are made by `make release` and not edited by hand. To get the whole student edition, everything included, which is
what a teacher hands out:

    python -m lab release --whole some/folder

| | exercise | where | time | points |
| --- | --- | --- | --- | --- |
{rows}

A blank is `# YOUR CODE HERE`; inside a function `raise NotImplementedError()` follows, take that line out too. While a
blank is there, the notebook says so with a hint and goes on, and its check is *not attempted*.
"""


def write(target: Path = RELEASE, root: Path = ROOT) -> list[str]:
    """Write the files that differ into `target` and remove what is no longer one of them; their names."""
    files = student_files(root)
    for path in sorted(target.rglob("*")) if target.exists() else []:
        if path.is_file() and path.relative_to(target).as_posix() not in files:
            path.unlink()
    for name, text in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(text, encoding="utf-8")
    return sorted(files)


def write_whole(target: Path, root: Path = ROOT) -> None:
    """Write a complete student edition: the project's files, with the blanks in place of the solutions.

    Raises LabError where the folder is not empty, or the project is no git clone, which says which files are its own.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise LabError(f"{target} is not an empty folder: name one that is not there yet.")
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        raise LabError("The project's files are not known: run this in a git clone of it.") from error
    for name in filter(None, listed.split("\0")):
        if not name.startswith(NOT_FOR_STUDENTS) and (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, target / name)
    for name, text in student_files(root).items():
        if name != "README.md":
            (target / name).write_text(text, encoding="utf-8")


def add_parser(commands: Any) -> None:
    """`python -m lab release`."""
    parser = commands.add_parser(
        "release",
        help="write the student edition: the same files with blanks in place of the solutions",
        description="Writes the files that differ into build/release/, or with --whole a complete student edition.",
    )
    parser.set_defaults(command=_command)
    parser.add_argument("--whole", metavar="DIR", type=Path, help="write everything a student needs into this folder")


def _command(arguments: argparse.Namespace) -> int:
    try:
        if arguments.whole:
            write_whole(arguments.whole)
            print(f"The student edition is in {arguments.whole}.")  # noqa: T201
        else:
            print(*(f"build/release/{name}" for name in write()), sep="\n")  # noqa: T201
    except OSError as error:
        raise LabError(f"The student edition cannot be written ({error}): look at the folder and the disk.") from error
    return 0
