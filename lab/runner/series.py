"""Run the series unattended: 01 to 04, each in a fresh kernel, up to the first that fails.

Whatever happens, `results.json` is valid: it says 0 before anything runs and is replaced as the very last step.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from lab.core import paths
from lab.runner import parameters, results, run_folder
from lab.runner.execution import Execution, prepare_papermill
from lab.runner.kernels import Kernels
from lab.runner.outcome import NotebookResult, SeriesResult
from lab.runner.parameters import Parameter, Value
from lab.runner.progress import Progress
from lab.runner.run_folder import Run


@dataclass(frozen=True)
class Plan:
    """Hold what to run: the notebooks in order, what each declares, and the values the user set."""

    notebooks: Sequence[Path]
    declared: Mapping[str, Mapping[str, Parameter]]
    values: Mapping[str, Value]

    def values_for(self, notebook: str, run_id: str) -> dict[str, Value]:
        """Return the values one notebook takes: those it declares, and the id of the run."""
        wanted = {**self.values, parameters.SET_BY_RUNNER: run_id}
        return {name: value for name, value in wanted.items() if name in self.declared[notebook]}

    def effective(self) -> dict[str, Value]:
        """Return every parameter of the series with the value it has in this run, by name."""
        known = parameters.consistent(self.declared)
        return {
            name: self.values.get(name, parameter.default)
            for name, parameter in known.items()
            if name != parameters.SET_BY_RUNNER
        }


def plan(
    notebooks: Sequence[Path], from_file: Mapping[str, Any], given: Sequence[tuple[str, str]], target: str | None
) -> Plan:
    """Check everything that can be checked before anything runs. Raises UsageError."""
    declared = {path.stem: parameters.declared(path) for path in notebooks}
    known = parameters.consistent(declared)
    chosen = {name: value for name, value in parameters.UNWATCHED.items() if name in known}
    chosen |= parameters.values(known, from_file, given)
    if target is not None:
        chosen |= parameters.values(known, {}, [("target", target)])
    return Plan(notebooks, declared, chosen)


class Interrupted(KeyboardInterrupt):
    """Say that a signal asked the run to end. It is a KeyboardInterrupt, because asyncio lets only that one through."""


class Signals:
    """Turn ctrl-C, SIGTERM and SIGHUP into Interrupted, until they are held back."""

    def __init__(self) -> None:
        self.received = False
        self._held = False
        self._number: int = signal.SIGINT
        self._ignore = sys.unraisablehook

    def hold(self) -> None:
        """Hold signals back from here on: clean-up and writing the results must not be interrupted."""
        self._held = True

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if not self._held:
            self.received, self._number = True, number
            raise Interrupted

    def _send_again(self, lost: "sys.UnraisableHookArgs") -> None:
        """Send the signal once more where Python ignored its exception, as in a __del__ or a weakref's callback."""
        if isinstance(lost.exc_value, Interrupted):
            threading.Timer(0.05, os.kill, (os.getpid(), self._number)).start()  # not here: it would be ignored again
        else:
            self._ignore(lost)

    @contextmanager
    def installed(self) -> Iterator["Signals"]:
        """Handle the signals in this block. One that was ignored (nohup) stays so."""
        numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
        before = {n: signal.getsignal(n) for n in numbers if signal.getsignal(n) != signal.SIG_IGN}
        for number in before:
            signal.signal(number, self._handle)
        self._ignore, sys.unraisablehook = sys.unraisablehook, self._send_again
        try:
            yield self
        finally:
            sys.unraisablehook = self._ignore
            for number, handler in before.items():
                signal.signal(number, handler)


def open_run(out: Path) -> Run:
    """Make the run's folder under `out` with a results.json that says 0, and point `latest` to it.

    Raises RunFolderUnusable; that the link cannot be made is only said.
    """
    run = run_folder.create(out)
    results.begin(run)
    try:
        run_folder.point_latest(run)
    except run_folder.RunFolderUnusable as error:
        sys.stderr.write(f"{error}\n")
    return run


def run_series(plan: Plan, run: Run, progress: Progress, signals: Signals, cell_timeout: int) -> SeriesResult:
    """Run the notebooks and write everything the run leaves; what goes wrong is in the result."""
    began, started = time.monotonic(), datetime.now(UTC)
    done: list[NotebookResult] = []
    ended: str | None = None
    with _logging_to(run.log):
        try:
            _run_notebooks(plan, run, progress, signals, cell_timeout, done)
        except Interrupted:
            if not any(notebook.failure for notebook in done):
                ended = "The run was interrupted while no notebook was running; run it again."
        except Exception as error:
            logging.getLogger(__name__).exception("the run failed")
            ended = f"The run failed ({_said(error)}); details are in {paths.shown(run.log)}."
        signals.hold()
        not_run = [NotebookResult(path.stem, "not run") for path in plan.notebooks[len(done) :]]
        result = SeriesResult(
            run_id=run.run_id,
            started=started.isoformat(timespec="seconds"),
            seconds=time.monotonic() - began,
            notebooks=(*done, *not_run),
            parameters=plan.effective(),
            ended=ended,
        )
        return _write_down(run, result)


def _run_notebooks(
    plan: Plan, run: Run, progress: Progress, signals: Signals, cell_timeout: int, done: list[NotebookResult]
) -> None:
    kernels = Kernels(paths.ROOT, run.kernel_log)
    execution: Execution | None = None
    try:
        try:
            kernels.prepare()
            progress.start(plan.notebooks[0].stem)
            prepare_papermill()
            for path in plan.notebooks:
                progress.start(path.stem)
                executed = run.folder / path.name
                execution = Execution(
                    path,
                    executed,
                    kernels.take(),
                    run_id=run.run_id,
                    where=paths.shown(executed),
                    cell_timeout=cell_timeout,
                    on_cell=progress.cell,
                )
                if path != plan.notebooks[-1]:
                    kernels.prepare()
                result = execution.run(plan.values_for(path.stem, run.run_id))
                kernels.retire(execution.kernel)
                execution = None
                done.append(result)
                progress.end(result)
                if result.failure and not result.failure.blank:
                    break
        finally:
            signals.hold()
    except Interrupted:
        if execution:
            done.append(execution.interrupted())
            progress.end(done[-1])
        raise
    finally:
        kernels.close()


def _write_down(run: Run, result: SeriesResult) -> SeriesResult:
    """Write the report, junit.xml, and then results.json: who reads a score finds everything else there."""
    from lab.runner import report

    try:
        report.write(run, result)
        results.write_junit(run, result)
        results.write(run, result)
    except Exception as error:
        logging.getLogger(__name__).exception("the results could not be written")
        said = f"The results could not be written to {paths.shown(run.folder)} ({_said(error)}); results.json says 0."
        result = replace(result, ended=result.ended or said)
        results.try_zero(run, result)
    return result


def _said(error: Exception) -> str:
    return (getattr(error, "strerror", None) or f"{type(error).__name__}: {error}").rstrip(".: ")


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Return what the libraries log goes into the run's folder; the terminal is for progress."""
    root = logging.getLogger()
    level, complain = root.level, logging.raiseExceptions
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.raiseExceptions = False  # a full disk is said once, in the verdict
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        logging.raiseExceptions = complain
        with suppress(OSError):  # a full disk again
            handler.close()
