"""What a cell shows when it fails: one sentence, the traceback folded, and still an error for the runner."""

from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from lab.core.cell_outputs import TRACEBACK
from lab.runner.outcome import Failure
from lab.runner.verdict import judge
from tests.support.account import PROJECT

CONNECT = "session = lab.connect(target, 'us-east-1')"


def executed(*sources: str) -> nbformat.NotebookNode:
    """A notebook of these cells, run in a kernel of its own to its end."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(notebook, allow_errors=True, resources={"metadata": {"path": str(PROJECT)}}).execute()
    return notebook


def shown(cell: Any) -> tuple[str, str]:
    """The sentence of a cell's error output, which is all it shows, and the traceback that is folded under it."""
    (error,) = [output for output in cell.outputs if output.output_type == "error"]
    (folded,) = [output.data for output in cell.outputs if TRACEBACK in output.get("data", {})]
    assert len(error.traceback) == 1 and error.traceback[0].endswith(error.evalue)
    assert folded["text/html"].startswith("<details><summary>Where it happened</summary><pre>Traceback")
    assert len(error.evalue.splitlines()) == 1 and error.evalue.endswith(".")
    return error.evalue, folded[TRACEBACK]["traceback"]


@pytest.fixture(scope="module")
def notebook() -> nbformat.NotebookNode:
    return executed(
        "import boto3\nimport lab",
        CONNECT,
        "target: str = 'nowhere'\nshards: int = '4'\nrate: float = 10",
        CONNECT,
        "shards = 4",
        CONNECT,
        "raise lab.CheckFailed('01_streams', ['Do this.'])",
        "import os\nos.environ['AWS_ENDPOINT_URL'] = 'http://127.0.0.1:9'\nos.environ['AWS_ACCESS_KEY_ID'] = 'x'\n"
        "os.environ['AWS_SECRET_ACCESS_KEY'] = 'x'\nos.environ['AWS_MAX_ATTEMPTS'] = '1'",
        "boto3.client('kinesis', region_name='us-east-1').list_streams()",
        "def theirs():\n    return {}['key']\n\ntheirs()",
    )


def test_a_skipped_parameters_cell_says_which_cells_to_run(notebook: nbformat.NotebookNode) -> None:
    said, _ = shown(notebook.cells[1])
    assert said.startswith("`target` is not defined, because the cell that defines it was not run in this kernel: ")
    assert "Run All Above Selected Cell" in said


def test_a_parameter_of_another_type_is_refused_where_it_is_read(notebook: nbformat.NotebookNode) -> None:
    said, _ = shown(notebook.cells[3])
    assert said == (
        "shards = '4' cannot work: it takes a whole number without quotes, so correct it in the parameters cell, run "
        "that, then this one."
    )
    assert shown(notebook.cells[5])[0].startswith("target = 'nowhere' cannot work")


def test_a_failed_check_is_its_sentence(notebook: nbformat.NotebookNode) -> None:
    (error,) = notebook.cells[6].outputs  # nothing is folded under it
    assert error.evalue == "1 check of 01_streams failed: Do this."
    assert error.traceback == [f"\x1b[31m✘\x1b[0m {error.evalue}"]


def test_an_account_that_was_killed_begins_empty(notebook: nbformat.NotebookNode) -> None:
    said, folded = shown(notebook.cells[8])
    assert said == (
        "Calling AWS did not work, nothing answers at http://127.0.0.1:9: the embedded account ended, and what it held "
        "is gone with it, so run the notebooks again from 01_streams, whose first cells start it anew."
    )
    assert "EndpointConnectionError" in folded and "list_streams" in folded


def test_an_error_of_nobodys_keeps_its_traceback(notebook: nbformat.NotebookNode) -> None:
    (error,) = notebook.cells[9].outputs
    assert error.ename == "KeyError" and len("\n".join(error.traceback).splitlines()) > 5


def test_the_runner_sees_the_error_and_the_whole_traceback(notebook: nbformat.NotebookNode) -> None:
    def failure(number: int) -> Failure:
        failed = nbformat.from_dict({**notebook, "cells": [notebook.cells[0], notebook.cells[number]]})
        found = judge("01_streams", failed, "run", 1.0, "here", None).failure
        assert found is not None
        return found

    check, other = failure(6), failure(8)
    assert not check.died and check.sentence.endswith("1 check of 01_streams failed: Do this.")
    assert check.traceback == "✘ 1 check of 01_streams failed: Do this."
    assert other.died and other.traceback.startswith("Traceback") and "list_streams" in other.traceback
