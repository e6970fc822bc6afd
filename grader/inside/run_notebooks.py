"""Runs a submission's notebooks, each in a fresh kernel, and says on standard output what happened. A program.

    run_notebooks.py SETTINGS        SETTINGS is JSON: parameters, run_id, cell_timeout, output_limit, folder

Each line of the output is a JSON object with `event`: `cell` (notebook, number, of), `notebook` (name, result, nb).
It runs beside the submission and as the same user, so nothing it says is worth a point: it is for people to read.
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lab.core.errors import UsageError
from lab.runner import parameters
from lab.runner.execution import Execution, prepare_papermill
from lab.runner.kernels import Kernels
from lab.runner.verdict import NotebookResult

NUMBERS = ("01", "02", "03", "04")


def say(**event: Any) -> None:
    """One line for the grader."""
    OUT.write(json.dumps(event, default=str).encode() + b"\n")
    OUT.flush()


def main() -> None:
    settings = json.loads(sys.argv[1])
    project, folder = Path.cwd(), Path(settings["folder"])
    (folder / "executed").mkdir()
    (folder / "matplotlib").mkdir(exist_ok=True)
    kernels = Kernels(project, folder / "kernels.log")
    try:
        kernels.prepare()
        prepare_papermill()
        for number in NUMBERS:
            found = sorted((project / "notebooks").glob(f"{number}_*.ipynb"))
            if not found:
                continue
            one_notebook(found[0], folder / "executed" / found[0].name, kernels, settings)
            if number != NUMBERS[-1]:
                kernels.prepare()
    finally:
        kernels.close()


def one_notebook(path: Path, executed: Path, kernels: Kernels, settings: dict[str, Any]) -> None:
    """Run one notebook and say what became of it; the next one gets its turn whatever that is."""
    name = path.stem
    try:
        known = parameters.declared(path)
    except UsageError as error:
        say(event="notebook", name=name, result=None, said=str(error), nb=None)
        return
    values = {**parameters.UNWATCHED, **settings["parameters"], parameters.SET_BY_RUNNER: settings["run_id"]}
    execution = Execution(
        path,
        executed,
        kernels.take(),
        run_id=settings["run_id"],
        where=path.name,
        cell_timeout=settings["cell_timeout"],
        start_timeout=60,
        on_cell=lambda number, of, _source: say(event="cell", name=name, number=number, of=of),
        output_limit=settings["output_limit"],
    )
    result: NotebookResult = execution.run({key: value for key, value in values.items() if key in known})
    kernels.retire(execution.kernel)
    text = executed.read_text(encoding="utf-8") if executed.exists() else ""
    say(event="notebook", name=name, result=asdict(result), said=None, nb=text)


if __name__ == "__main__":
    # The events have a descriptor of their own: what a kernel inherits as standard output is not it.
    OUT = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    main()
