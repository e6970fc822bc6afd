"""Judge an executed notebook, read from the notebook alone: cells, checks, steps, and the first failure.

Nothing here trusts an exit code or a status that papermill wrote: a notebook succeeded when every code cell has an
execution count, none holds an error, at least one check of this run was seen, and every check passed.
"""

import builtins
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lab.core.cell_outputs import CHECK, TIMING, TRACEBACK
from lab.runner.outcome import CheckResult, Failure, NotebookResult, Step, Stop

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LONGEST = 600  # characters of an error that still make a sentence


def code_cells(nb: Mapping[str, Any]) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    """Yield (position, number, cell) of every code cell with a source.

    The number is the one the notebook in `notebooks/` shows after Restart and run all: the cell papermill adds has that
    of the parameters cell before it.
    """
    number = 0
    for position, cell in enumerate(nb["cells"]):
        if cell["cell_type"] == "code" and cell["source"].strip():
            number += not _injected(cell)
            yield position, number, cell


def _injected(cell: Mapping[str, Any]) -> bool:
    return "injected-parameters" in cell["metadata"].get("tags", [])


def first_line(source: str, longest: int = 60) -> str:
    """Return the first line of a cell that is not blank, shortened, to recognise the cell by."""
    line = next((line.strip() for line in source.splitlines() if line.strip()), "")
    return line if len(line) <= longest else line[: longest - 1] + "…"


def plain(text: str) -> str:
    """Return text without terminal colours."""
    return _ANSI.sub("", text)


def judge(
    name: str, nb: Mapping[str, Any], run_id: str, seconds: float, where: str, stop: Stop | None
) -> NotebookResult:
    """Return the result of an executed notebook. `where` is how the reader finds the executed copy."""
    cells = list(code_cells(nb))
    own = [cell for _, _, cell in cells if not _injected(cell)]
    checks, foreign = collect_checks(nb, run_id)
    failure = (
        _error_failure(name, cells, where)
        or (_stop_failure(name, nb, stop, where) if stop else None)
        or _unrun_failure(name, cells, where)
        or _check_failure(name, checks, foreign)
    )
    return NotebookResult(
        name=name,
        status="failed" if failure else "passed",
        seconds=seconds,
        code_cells=len(own),
        cells_run=sum(cell.get("execution_count") is not None for cell in own),
        checks=checks,
        steps=collect_steps(nb, run_id),
        failure=failure,
    )


def collect_checks(nb: Mapping[str, Any], run_id: str) -> tuple[tuple[CheckResult, ...], int]:
    """Return the checks of this run in the notebook's outputs, and how many there were of other runs.

    Seen twice under one slug, a check counts once, and as failed if it failed once. One that cannot be read failed.
    """
    found: dict[str, CheckResult] = {}
    foreign = 0
    for item in _payloads(nb, CHECK):
        if not isinstance(item, Mapping) or not run_id or item.get("run_id") != run_id:
            foreign += 1
            continue
        check = _read_check(item)
        earlier = found.get(check.slug)
        if earlier is None or earlier.passed:
            found[check.slug] = check
    return tuple(found.values()), foreign


def _read_check(item: Mapping[str, Any]) -> CheckResult:
    title = str(item.get("name") or "a check without a name")
    slug = str(item.get("slug") or title)
    points, passed = item.get("points"), item.get("passed")
    if type(points) is not int or points < 0 or type(passed) is not bool:
        said = "the check says neither how many points it has nor whether it passed"
        return CheckResult(slug, title, 0, False, "", said)
    attempted = passed or item.get("attempted") is not False
    looked_at, message = str(item.get("looked_at") or ""), plain(str(item.get("message") or ""))
    return CheckResult(slug, title, points, passed, looked_at, message, attempted)


def collect_steps(nb: Mapping[str, Any], run_id: str) -> tuple[Step, ...]:
    """Return the named steps of this run that the notebook timed, in order."""
    return tuple(
        Step(str(item["name"]), float(item["seconds"]))
        for item in _payloads(nb, TIMING)
        if isinstance(item, Mapping)
        and item.get("run_id") == run_id
        and item.get("name")
        and type(item.get("seconds")) in (int, float)
    )


def _payloads(nb: Mapping[str, Any], mime: str) -> Iterator[Any]:
    """Yield what the code cells left under a MIME type; one output may hold several checks."""
    for _, _, cell in code_cells(nb):
        for output in cell.get("outputs", []):
            payload = output.get("data", {}).get(mime)
            several = payload.get("checks") if isinstance(payload, Mapping) else None
            yield from several if isinstance(several, list) else [] if payload is None else [payload]


def _cell_name(name: str, number: int, source: str) -> str:
    return f"{name}, code cell {number} (`{first_line(source)}`)"


def _error_failure(name: str, cells: list[tuple[int, int, Mapping[str, Any]]], where: str) -> Failure | None:
    for _, number, cell in cells:
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                ename = output.get("ename", "")
                said = f"{_cell_name(name, number, cell['source'])}: {_explain(ename, output.get('evalue', ''), where)}"
                return Failure(said, ename != "CheckFailed", plain(_traceback(cell, output)))
    return None


def _traceback(cell: Mapping[str, Any], error: Mapping[str, Any]) -> str:
    """Return the traceback that `lab.core.error_hook` folded under the sentence, else the error output's own."""
    for output in cell.get("outputs", []):
        folded = output.get("data", {}).get(TRACEBACK)
        if isinstance(folded, Mapping) and isinstance(folded.get("traceback"), str):
            return folded["traceback"]
    return "\n".join(error.get("traceback", []))


def _explain(ename: str, evalue: str, where: str) -> str:
    """Write an error as a sentence: the lab's own are sentences, others get a next step."""
    if ename == "SystemExit":
        return "the cell called sys.exit, so nothing after it ran; take the call out and run again."
    said = re.sub(r"\s+", " ", plain(evalue)).strip()
    said = said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"
    if said.endswith((".", "!", "?")) and not hasattr(builtins, ename):
        return said
    named = f"{ename}: {said}" if said else ename
    return f"{named.rstrip('.')}; the traceback is in {where}."


def _stop_failure(name: str, nb: Mapping[str, Any], stop: Stop, where: str) -> Failure:
    at = name
    for position, number, cell in code_cells(nb):
        if position == stop.cell:
            at = _cell_name(name, number, cell["source"])
    said = {
        "kernel died": "the kernel died (killed, out of memory, or told to exit); look at free memory and at "
        f"kernels.log beside {where}, then run again.",
        "timeout": f"the cell was still running after {stop.detail} s; look at {where} for what it waits for, or allow "
        "more with --cell-timeout.",
        "kernel did not start": f"its kernel did not start ({stop.detail}); look at kernels.log beside {where}.",
        "interrupted": "the run was interrupted here; run it again (the embedded account, if it is up, stays usable).",
        "output": f"the notebook printed more than {stop.detail}, so its kernel was ended; print less and run again.",
        "runner": f"it could not be executed ({stop.detail}); run it cell by cell in JupyterLab to see where.",
    }[stop.reason]
    return Failure(f"{at}: {said}", died=True, traceback=stop.traceback)


def _unrun_failure(name: str, cells: list[tuple[int, int, Mapping[str, Any]]], where: str) -> Failure | None:
    for _, number, cell in cells:
        if cell.get("execution_count") is None:
            at = _cell_name(name, number, cell["source"])
            return Failure(
                f"{at}: the cell never ran, though nothing failed before it; look at its tags in {where}.", True
            )
    return None


def _check_failure(name: str, checks: tuple[CheckResult, ...], foreign: int) -> Failure | None:
    failed = [check for check in checks if not check.passed and check.attempted]
    if failed:
        others = f" (and {len(failed) - 1} more)" if failed[1:] else ""
        message = failed[0].message.rstrip(".") or "it failed"
        return Failure(f"{name}: the check “{failed[0].title}”{others} failed: {message}.", died=False)
    blank = [check for check in checks if not check.attempted]
    if blank:
        return Failure(f"{name}: “{blank[0].title}”: {blank[0].message}", died=False, blank=True)
    if not checks:
        seen = f"only {foreign} of another run" if foreign else "none"
        return Failure(
            f"{name} ended without a check of this run ({seen}), so nothing says that it worked; put back the check "
            "cells at its end and run again.",
            died=False,
        )
    return None
