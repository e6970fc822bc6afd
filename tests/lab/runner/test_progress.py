from io import StringIO

from lab.runner.outcome import CheckResult, NotebookResult
from lab.runner.progress import Progress

RESULT = NotebookResult(
    "01_streams",
    "passed",
    seconds=4.06,
    code_cells=14,
    cells_run=14,
    checks=(CheckResult("active", "ACTIVE", 5, True, "", ""),),
)


def run(progress):
    progress.start("01_streams")
    progress.start("01_streams")
    progress.cell(3, 14, "\nkinesis.create_stream(\n    StreamName='reviews')")
    progress.end(RESULT)


def test_without_a_terminal_a_notebook_is_two_lines():
    stream = StringIO()
    run(Progress(stream))
    assert stream.getvalue() == (
        "01_streams      started\n01_streams      ok        4.1 s   14 of 14 code cells, 1 of 1 checks passed\n"
    )


def test_on_a_terminal_it_is_one_line_that_names_the_cell():
    stream = StringIO()
    run(Progress(stream, terminal=True))
    written = stream.getvalue()
    assert written.count("\n") == 1
    assert "cell  3 of 14   kinesis.create_stream(" in written
    assert written.split("\x1b[K")[-1].startswith("01_streams      ok ")


def test_a_line_never_wraps(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    stream = StringIO()
    progress = Progress(stream, terminal=True)
    progress.start("01_streams")
    progress.cell(3, 14, "x" * 200)
    assert all(len(part.strip("\r")) < 40 for part in stream.getvalue().split("\x1b[K"))
