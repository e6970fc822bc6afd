"""Execute one notebook through papermill, in a kernel that is already running."""

import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from lab.runner.kernels import process_of
from lab.runner.outcome import NotebookResult, Stop
from lab.runner.parameters import Value
from lab.runner.verdict import code_cells, judge
from lab.streams.quiet_time import QuietTime

if TYPE_CHECKING:
    from jupyter_client import AsyncKernelManager

_ENGINE = "lab-warm-kernel"
_IOPUB_TIMEOUT = 60  # seconds; papermill's 4 s are too few for a big chart on a busy machine
_LOOK = 0.5  # seconds between two looks at how long a cell has taken

_OUTPUTS = {"stream", "display_data", "execute_result", "update_display_data", "error"}

CellSeen = Callable[[int, int, str], None]


def prepare_papermill() -> None:
    """Import papermill, which takes about 2 s, and register the engine that runs a notebook in a kernel of ours."""
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines
    from papermill.log import logger

    class BoundedClient(PapermillNotebookClient):
        """Take no more outputs than the execution allows, else as papermill's own client."""

        def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
            return super().process_message(msg, cell, cell_index) if self.execution.takes(msg) else None

    class WarmKernelEngine(NBClientEngine):
        """Execute as papermill's own engine, in a kernel that was given instead of starting one."""

        @classmethod
        def execute_managed_notebook(
            cls, nb_man: NotebookExecutionManager, kernel_name: str, *, execution: "Execution", **_unused: Any
        ) -> None:
            execution.nb = nb_man.nb
            client = BoundedClient(
                nb_man,
                km=execution.kernel,
                timeout=None,  # the execution counts it, on a clock that a busy machine slows down
                startup_timeout=execution.start_timeout,
                iopub_timeout=_IOPUB_TIMEOUT,
                log=logger,
                on_cell_execute=execution.cell_begins,
            )
            client.execution = execution
            try:
                with execution.watched():
                    client.execute()
            finally:
                if client.kc is not None:
                    client.kc.stop_channels()

    papermill_engines.register(_ENGINE, WarmKernelEngine)


@dataclass(eq=False)
class Execution:
    """Execute `source` into the file `executed` and judge what is there afterwards.

    `on_cell(number, of, source)` is called before each code cell. Timeouts are in seconds. A cell that takes more than
    `cell_timeout` loses its kernel; these are seconds of a machine with nothing else to do (QuietTime). `where` is how
    the reader finds the executed copy. `output_limit` is how many bytes the notebook's outputs may be in all; one that
    prints more loses its kernel, because nobody could say when it would end.
    """

    source: Path
    executed: Path
    kernel: "AsyncKernelManager"
    run_id: str
    where: str
    cell_timeout: int
    on_cell: CellSeen
    start_timeout: int = 60  # for a kernel to answer
    output_limit: int | None = None
    nb: Mapping[str, Any] = field(default_factory=lambda: {"cells": []}, init=False)  # what papermill works on
    timed_out: bool = field(default=False, init=False)
    _printed: int = field(default=0, init=False)
    _at: int | None = field(default=None, init=False)
    _began: float = field(default_factory=time.monotonic, init=False)

    def cell_begins(self, cell: Mapping[str, Any], cell_index: int) -> None:
        """Note that a code cell begins; the engine calls it."""
        self._at = cell_index
        cells = list(code_cells(self.nb))
        number = next(number for position, number, _ in cells if position == cell_index)
        self.on_cell(number, cells[-1][1], cell["source"])

    @contextmanager
    def watched(self) -> Iterator[None]:
        """End the kernel of a cell that takes longer than `cell_timeout`, for as long as this context lasts."""
        ended = Event()
        watch = Thread(target=self._watch, args=(ended,), daemon=True)
        watch.start()
        try:
            yield
        finally:
            ended.set()
            watch.join()

    def _watch(self, ended: Event) -> None:
        cell, running = self._at, QuietTime()
        while not ended.wait(_LOOK):
            if self._at != cell:
                cell = self._at
                running.news()
            elif running.seconds() > self.cell_timeout and cell is not None:
                self.timed_out = True
                self._kill_kernel()
                return

    def takes(self, message: Mapping[str, Any]) -> bool:
        """Say whether a message of the kernel still fits. The first that does not ends the kernel."""
        if self.output_limit is None or message["msg_type"] not in _OUTPUTS:
            return True
        before = self._printed
        self._printed += _size(message["content"])
        if before <= self.output_limit < self._printed:
            self._kill_kernel()
        return self._printed <= self.output_limit

    def _kill_kernel(self) -> None:
        with suppress(ProcessLookupError):  # it ended by itself meanwhile
            os.kill(process_of(self.kernel), signal.SIGKILL)

    def run(self, values: Mapping[str, Value]) -> NotebookResult:
        """Execute with these parameters.

        Whatever goes wrong in the notebook is in the result, nothing is raised but the interruption of the run.
        """
        from papermill.execute import execute_notebook

        stop = None
        try:
            execute_notebook(
                _literal(self.source),
                _literal(self.executed),
                dict(values),
                engine_name=_ENGINE,
                kernel_name="python3",  # chooses papermill's Python translator; the kernel is ours
                language="python",
                progress_bar=False,
                execution=self,
            )
        except Exception as error:
            stop = self._classify(error)
        return self._result(stop)

    def _classify(self, error: Exception) -> Stop | None:
        from nbclient.exceptions import DeadKernelError
        from papermill.exceptions import PapermillExecutionError

        if self.output_limit is not None and self._printed > self.output_limit:
            return Stop("output", f"{self.output_limit / 1e6:.0f} MB", self._at)
        if isinstance(error, PapermillExecutionError):
            return None  # the error is in the notebook's outputs, where `judge` reads it
        if self.timed_out:
            return Stop("timeout", str(self.cell_timeout), self._at)
        if isinstance(error, DeadKernelError) and self._at is not None:
            return Stop("kernel died", "", self._at)
        if isinstance(error, RuntimeError) and self._at is None:
            return Stop("kernel did not start", str(error).rstrip("."))
        said = f"{type(error).__name__}: {error}".rstrip(".: ")
        return Stop("runner", said, self._at, "".join(traceback.format_exception(error)))

    def interrupted(self) -> NotebookResult:
        """Return what the notebook did until the run was interrupted."""
        return self._result(Stop("interrupted", "", self._at))

    def _result(self, stop: Stop | None) -> NotebookResult:
        return judge(
            self.source.stem, self.nb, self.run_id, time.monotonic() - self._began, where=self.where, stop=stop
        )


def _size(content: Any) -> int:
    """Estimate the bytes an output takes, without making one more copy of it."""
    if isinstance(content, str):
        return len(content)
    if isinstance(content, Mapping):
        return sum(map(_size, content.values()))
    return sum(map(_size, content)) if isinstance(content, list) else 8


def _literal(path: Path) -> str:
    """Return a path for papermill, which takes braces in it for placeholders."""
    return str(path).replace("{", "{{").replace("}", "}}")
