"""The pages of the book before Sphinx reads them; the site itself is tests/end_to_end/test_series.py."""

import json
from pathlib import Path
from typing import Any

import pytest

from book.pages import SERIES, NoRun, stage
from tests.support.account import PROJECT


def cell(source: str, *html: str, kind: str = "code", tags: tuple[str, ...] = ()) -> dict[str, Any]:
    """A cell as an executed notebook has it, with an output of HTML for each of `html`."""
    found: dict[str, Any] = {"cell_type": kind, "id": "one", "metadata": {"tags": list(tags)}, "source": [source]}
    if kind == "code":
        outputs = [{"output_type": "display_data", "metadata": {}, "data": {"text/html": [one]}} for one in html]
        found |= {"execution_count": 1, "outputs": outputs}
    return found


def run_of(folder: Path, *cells: dict[str, Any]) -> Path:
    """A run whose 04 has these cells and the others none; without 05."""
    folder.mkdir()
    for name in SERIES[:4]:
        notebook = {"cells": list(cells) if name.startswith("04") else [], "metadata": {}}
        (folder / name).write_text(json.dumps(notebook))
    return folder


FILM = cell("lab.run_film(events, output)", "<figure>the film</figure>")


def staged(tmp_path: Path, *cells: dict[str, Any]) -> list[dict[str, Any]]:
    stage(run_of(tmp_path / "run", FILM, *cells), tmp_path / "pages")
    return json.loads((tmp_path / "pages" / "notebooks" / SERIES[3]).read_text())["cells"][1:]


def test_the_start_page_has_the_film_and_every_chapter(tmp_path: Path) -> None:
    staged(tmp_path)
    start = (tmp_path / "pages" / "index.md").read_text()
    assert "<figure>the film</figure>" in start and "\nnotebooks/05_cleanup\n" in start and "\ndocs/scale\n" in start
    cleanup = json.loads((tmp_path / "pages" / "notebooks" / SERIES[4]).read_text())["cells"]
    assert any("".join(one["source"]).startswith("lab.lab_resources") for one in cleanup)


def test_a_solution_is_a_blank_and_its_output_is_left_out(tmp_path: Path) -> None:
    solved = "x = 0\n### BEGIN SOLUTION\nx = 42\n### END SOLUTION"
    shown, other = staged(tmp_path, cell(solved, "42"), cell("x", "kept"))
    assert shown["source"] == "x = 0\n# YOUR CODE HERE" and shown["outputs"] == []
    assert other["outputs"][0]["data"] == {"text/html": "kept"}


def test_the_plan_of_solved_sql_is_left_out(tmp_path: Path) -> None:
    (asked,) = staged(tmp_path, cell("lab.try_sql(**settings)", "HAVING reviewers >= 5"))
    assert asked["source"] == "lab.try_sql(**settings)" and asked["outputs"] == []


def test_a_source_that_is_shown_is_the_student_editions(tmp_path: Path) -> None:
    (shown,) = staged(tmp_path, cell('lab.show_source("producer/put_batch.py", "put_batch")', "def put_batch: solved"))
    (text,) = (output["data"]["text/markdown"] for output in shown["outputs"])
    assert text.startswith("````python\ndef put_batch(") and "# YOUR CODE HERE" in text
    assert "def " not in text[20:], "one function alone"


def test_links_lead_to_pages_or_are_words(tmp_path: Path) -> None:
    text = "[a](../docs/scale.md#x) [b](../lab/cli.py) [c](https://example.org) [d](#here) [`e`](../nowhere.md)"
    (page,) = staged(tmp_path, cell(text, kind="markdown"))
    assert page["source"] == "[a](../docs/scale.md#x) b [c](https://example.org) [d](#here) `e`"


def test_what_the_runner_put_in_and_links_into_the_account_are_left_out(tmp_path: Path) -> None:
    injected = cell("run_id = 1", tags=("injected-parameters",))
    (page,) = staged(tmp_path, injected, cell("url", '<a href="http://127.0.0.1:1/x">the dashboard</a>'))
    assert page["outputs"][0]["data"]["text/html"] == "the dashboard"


def test_a_diagram_is_drawn_with_its_labels_as_its_text(tmp_path: Path) -> None:
    (page,) = staged(tmp_path, cell('```mermaid\nflowchart LR\n  A["one<br/>1"] --> B["two"]\n```', kind="markdown"))
    assert page["source"] == "![one 1 → two](diagram-04_validate-0.svg)"
    assert "<svg" in (tmp_path / "pages" / "notebooks" / "diagram-04_validate-0.svg").read_text()


def test_a_run_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoRun, match="name the folder of a whole run, such as runs/latest"):
        stage(PROJECT / "nowhere", tmp_path / "one")
    with pytest.raises(NoRun, match="has no film: .* Run the lab again"):
        stage(run_of(tmp_path / "run"), tmp_path / "two")
