"""Show a run on the terminal: one line a notebook, rewritten at each cell where somebody sees it."""

import shutil
from typing import TextIO

from lab.runner.outcome import NotebookResult
from lab.runner.verdict import first_line

_NAME = 16  # width of the first column
_CLEAR = "\r\x1b[K"


class Progress:
    """Write to `stream`: on a terminal a line per notebook that names its cell, elsewhere one at start and end."""

    def __init__(self, stream: TextIO, terminal: bool | None = None) -> None:
        self._stream = stream
        self._terminal = stream.isatty() if terminal is None else terminal
        self._notebook = ""

    def start(self, notebook: str) -> None:
        """Show that a notebook begins; its kernel may still be starting. Said again it changes nothing."""
        if notebook == self._notebook:
            return
        self._notebook = notebook
        if self._terminal:
            self._rewrite("starting")
        else:
            self._line("started")

    def cell(self, number: int, of: int, source: str) -> None:
        """Show that a code cell begins: number `number` of `of`."""
        if self._terminal:
            self._rewrite(f"cell {number:>2} of {of}   {first_line(source)}")

    def end(self, result: NotebookResult) -> None:
        """Show that a notebook has ended."""
        passed = sum(check.passed for check in result.checks)
        checks = f"{passed} of {len(result.checks)} checks passed" if result.checks else "no checks seen"
        blank = result.failure is not None and result.failure.blank
        verdict = "ok    " if result.status == "passed" else "open  " if blank else "FAILED"
        ran = f"{result.cells_run} of {result.code_cells} code cells"
        if self._terminal:
            self._stream.write(_CLEAR)
        self._line(f"{verdict}  {result.seconds:5.1f} s   {ran}, {checks}")

    def _line(self, text: str) -> None:
        self._stream.write(f"{self._notebook:<{_NAME}}{text}\n")
        self._stream.flush()

    def _rewrite(self, text: str) -> None:
        line = f"{self._notebook:<{_NAME}}{text}"
        self._stream.write(_CLEAR + line[: shutil.get_terminal_size().columns - 1])
        self._stream.flush()
