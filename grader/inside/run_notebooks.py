"""Run a submission's notebooks, each in a fresh kernel, and say on standard output what happened. A program.

    run_notebooks.py SETTINGS        SETTINGS is JSON: parameters, run_id, cell_timeout, output_limit, folder

Each line of the output is a JSON object with `event`: `cell` (name, number, of), `notebook` (name, result, said,
nb, timed_out).
It runs beside the submission and as the same user, so nothing it says is worth a point: it is for people to read.
"""

import ctypes
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
from lab.runner.outcome import NotebookResult

PR_SET_DUMPABLE = 4  # prctl(2)


def say(**event: Any) -> None:
    """Write one line for the grader."""
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
        paths = sorted((project / "notebooks").glob("*.ipynb"))
        for path in paths:
            try:
                one_notebook(path, folder / "executed" / path.name, kernels, settings)
            except Exception as error:  # noqa: BLE001 - the next notebook gets its turn, whatever this one is
                own = isinstance(error, UsageError)
                said = str(error) if own else f"It could not be run ({type(error).__name__}: {error})."
                say(event="notebook", name=path.stem, result=None, said=said, nb=None)
            if path != paths[-1]:
                kernels.prepare()
    finally:
        kernels.close()


def one_notebook(path: Path, executed: Path, kernels: Kernels, settings: dict[str, Any]) -> None:
    """Run one notebook and say what became of it. Raises UsageError where it is none."""
    name = path.stem
    known = parameters.declared(path)
    values = {**parameters.UNWATCHED, **settings["parameters"], parameters.SET_BY_RUNNER: settings["run_id"]}

    def on_cell(number: int, of: int, _source: str) -> None:
        say(event="cell", name=name, number=number, of=of)

    execution = Execution(
        path,
        executed,
        kernels.take(),
        run_id=settings["run_id"],
        where=path.name,
        cell_timeout=settings["cell_timeout"],
        on_cell=on_cell,
        output_limit=settings["output_limit"],
    )
    result: NotebookResult = execution.run({key: value for key, value in values.items() if key in known})
    kernels.retire(execution.kernel)
    text = executed.read_text(encoding="utf-8") if executed.exists() else ""
    say(event="notebook", name=name, result=asdict(result), said=None, nb=text, timed_out=execution.timed_out)


if __name__ == "__main__":
    # The events have a descriptor of their own: what a kernel inherits as standard output is not it.
    OUT = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # Kernels run as the same user. They have no access to a process that cannot be dumped: not by ptrace, nor to its
    # memory, nor to its descriptors (pidfd_getfd), the channel to the grader among them.
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0)
    main()
