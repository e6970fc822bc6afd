"""Write what programs read of a run: results.json in Gradescope's shape and junit.xml for CI."""

import contextlib
import json
import re
import xml.etree.ElementTree as ET
from typing import Any

from lab.core.paths import shown, write_atomically
from lab.runner.outcome import CheckResult, NotebookResult, SeriesResult
from lab.runner.run_folder import Run, RunFolderUnusable

# XML 1.0 has no way to write the other control characters, lone surrogates, or U+FFFE and U+FFFF.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def begin(run: Run) -> None:
    """Write that the run did not finish: what stands there if it is killed. Raises RunFolderUnusable."""
    try:
        _write_json(run, {"score": 0, "output": f"The run {run.run_id} did not finish.", "tests": []})
    except OSError as error:
        raise RunFolderUnusable(
            f"{shown(run.results)} cannot be written ({error.strerror}): free space or choose another --out."
        ) from error


def write(run: Run, result: SeriesResult) -> None:
    """Replace results.json by what the run came to. Raises OSError."""
    _write_json(run, gradescope(result))


def try_zero(run: Run, result: SeriesResult) -> None:
    """Say 0 and why, if the disk still takes it; else the 0 written at the start stands."""
    with contextlib.suppress(OSError):
        _write_json(run, {"score": 0, "output": result.sentence, "tests": []})


def _write_json(run: Run, content: dict[str, Any]) -> None:
    write_atomically(run.results, json.dumps(content, indent=2, allow_nan=False) + "\n")


def gradescope(result: SeriesResult) -> dict[str, Any]:
    """Write the run in the shape of Gradescope's results.json: a test for each check and each notebook's cells."""
    return {
        "score": result.score,
        "output": result.sentence or "Every code cell ran and every check passed.",
        "execution_time": round(result.seconds, 1),
        "tests": [test for notebook in result.notebooks for test in _tests(notebook, result.score == 0)],
        "extra_data": {"run_id": result.run_id, "started": result.started, "passed": result.passed},
    }


def _tests(notebook: NotebookResult, worth_nothing: bool) -> list[dict[str, Any]]:
    ran = {
        "name": f"{notebook.name}: every code cell runs",
        "score": 0,
        "max_score": 0,
        "status": "passed" if notebook.status == "passed" else "failed",
        "output": _cells_said(notebook),
    }
    return [ran, *(_test(notebook.name, check, worth_nothing) for check in notebook.checks)]


def _test(notebook: str, check: CheckResult, worth_nothing: bool) -> dict[str, Any]:
    return {
        "name": f"{notebook}: {check.title}",
        "score": check.points if check.passed and not worth_nothing else 0,
        "max_score": check.points,
        "status": "passed" if check.passed else "failed",
        "output": _check_said(check),
        "extra_data": {"slug": check.slug},
    }


def _check_said(check: CheckResult) -> str:
    return "\n".join(filter(None, [f"Looked at {check.looked_at}." if check.looked_at else "", check.message]))


def _cells_said(notebook: NotebookResult) -> str:
    if notebook.failure:
        return notebook.failure.sentence
    if notebook.status == "not run":
        return "Not run, because an earlier part failed."
    return f"{notebook.cells_run} code cells in {notebook.seconds:.1f} s."


def write_junit(run: Run, result: SeriesResult) -> None:
    """Write junit.xml: a suite per notebook, a case for its cells and one per check. Raises OSError."""
    write_atomically(run.junit, junit(result))


def junit(result: SeriesResult) -> str:
    """Write the run as JUnit XML."""
    root = ET.Element("testsuites", name="lab", time=f"{result.seconds:.3f}")
    for notebook in result.notebooks:
        suite = ET.SubElement(root, "testsuite", name=notebook.name, time=f"{notebook.seconds:.3f}")
        suite.set("timestamp", result.started)
        case = ET.SubElement(suite, "testcase", classname=notebook.name, name="every code cell runs")
        case.set("time", f"{notebook.seconds:.3f}")
        if notebook.status == "not run":
            ET.SubElement(case, "skipped", message=_xml(_cells_said(notebook)))
        elif notebook.failure:
            kind = "error" if notebook.failure.died else "failure"
            problem = ET.SubElement(case, kind, message=_xml(notebook.failure.sentence), type="notebook")
            problem.text = _xml(notebook.failure.traceback)
        for check in notebook.checks:
            case = ET.SubElement(suite, "testcase", classname=notebook.name, name=_xml(check.title), time="0")
            if not check.passed:
                problem = ET.SubElement(case, "failure", message=_xml(check.message), type="check")
                problem.text = _xml(_check_said(check))
    if result.ended:
        suite = ET.SubElement(root, "testsuite", name="the run")
        case = ET.SubElement(suite, "testcase", classname="lab", name="the run ends by itself")
        ET.SubElement(case, "error", message=_xml(result.ended), type="run")
    counted = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
    for element in (*root, root):
        for total, tag in counted.items():
            element.set(total, str(len(list(element.iter(tag)))))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _xml(text: str) -> str:
    return _NOT_XML.sub("", text)
