"""Grade one submission: run its notebooks in an account of its own, look there, and prove what it wrote."""

import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from grader.evidence import PARAMETERS, Cancelled, Data, Evidence, NotGraded, Ran
from grader.sandbox.limits import Limits
from grader.sandbox.memory import MemoryGroup
from grader.sandbox.sandbox import Layout, Lines, Role, Running, Sandbox, Watch
from grader.submissions import Submission
from grader.trusted_files import TrustedFiles
from lab.checks.probe import Finding
from lab.core.errors import LabError
from lab.core.names import LABELS_FILE, REVIEWS_FILE, ROLE
from lab.streams.quiet_time import QuietTime

_OWN_SECONDS = 30.0  # for a process to say that its own limit is passed
_MOST_STEPS = 6  # times as long as one step may take, all of them together


class Grading:
    """Grade one submission. `make` builds a sandbox.

    Where a limit of time is passed, the machine may have been too busy: that is NotGraded. In the `last` try, which has
    the machine for itself, it costs the points.
    """

    def __init__(
        self,
        submission: Submission,
        trusted: TrustedFiles,
        data: Data,
        limits: Limits,
        make: Callable[[Layout, Limits], Sandbox],
        last: bool = False,
    ) -> None:
        self._submission, self._trusted, self._data, self._limits, self._make = submission, trusted, data, limits, make
        self._last = last
        self._began = time.monotonic()
        self._notes: list[str] = []
        self._sandboxes: list[Sandbox] = []
        self._lock = threading.Lock()
        self._cancelled = False

    def run(self) -> Evidence:
        """Run, look and prove, the proof beside the run. Raises NotGraded."""
        self._memory = MemoryGroup.make(self._limits)
        self._watch = Watch(self._limits)
        try:
            with ThreadPoolExecutor(2) as pool:
                running, proving = pool.submit(self._run_and_look), pool.submit(self._prove)
                try:
                    both: list[Future[Any]] = [running, proving]
                    wait(both, return_when=FIRST_EXCEPTION)
                    (ran, looked), proved = running.result(), proving.result()
                except BaseException:
                    self.cancel()  # nothing may go on once the other half has failed
                    raise
        finally:
            self._watch.stop()
            if self._memory:
                self._memory.close()
        notes = tuple(dict.fromkeys(self._notes))
        return Evidence(ran, looked, proved, notes, time.monotonic() - self._began, self._watch.peak)

    def cancel(self) -> None:
        """End everything, from another thread."""
        with self._lock:
            self._cancelled = True
            for sandbox in self._sandboxes:
                sandbox.close()

    def _sandbox(self, stack: ExitStack, shown: dict[str, Path], **layout: Any) -> Sandbox:
        with self._lock:
            if self._cancelled:
                raise Cancelled()
            sandbox = self._make(Layout(shown, memory=self._memory, **layout), self._limits)
            self._sandboxes.append(sandbox)
            self._watch.add(sandbox)
        stack.callback(sandbox.close)
        return sandbox

    def _too_slow(self, what: str) -> None:
        """Note a passed limit of time. Raises NotGraded where there is another try."""
        said = f"{what} made no progress for {self._limits.timeout:.0f} s and was ended."
        if not self._last:
            raise NotGraded(said)
        self._notes.append(said)

    # -- the submission's own run -------------------------------------------------------------------------------

    def _run_and_look(self) -> tuple[Ran, dict[str, Finding]]:
        with ExitStack() as stack:
            sandbox = self._sandbox(stack, self._trusted.shown(self._submission, self._data.run))
            ran = Ran()
            self._account(sandbox, "notebooks")
            self._notebooks(sandbox, ran)
            sandbox.end(Role.WORK)
            if sandbox.broken:
                self._notes.append(sandbox.broken)
                return ran, {}
            shown = self._trusted.of_the_grader(self._submission, self._data.run)
            try:
                checker = self._sandbox(stack, shown, network_of=sandbox)
            except LabError:
                if sandbox.broken is None:
                    raise
                self._notes.append(sandbox.broken)  # it was ended while the other one was made
                return ran, {}
            return ran, self._ask(checker, {"work": "look"}, sandbox)

    def _account(self, sandbox: Sandbox, part: str) -> None:
        """Start the embedded account. Nothing of the submission runs yet, so a failure is not its own: NotGraded."""
        warm = [] if part in self._submission.parts else ["--cold"]
        command = [sys.executable, "-m", "localaws", "up", "--role", ROLE, *warm]
        command += ["--home", str(sandbox.account_home), "--port", str(sandbox.port)]
        started = sandbox.spawn(Role.ACCOUNT, command)
        if self._wait(started) != 0:
            self._if_cancelled()
            raise NotGraded(f"The embedded account did not start ({started.said().strip()[-500:]})")

    def _notebooks(self, sandbox: Sandbox, ran: Ran) -> None:
        if "notebooks" not in self._submission.parts:
            ran.said.append("No notebook was handed in.")
            return
        settings = {
            "parameters": PARAMETERS,
            "run_id": "graded",
            "cell_timeout": self._limits.cell_timeout,
            "output_limit": self._limits.output,
            "folder": str(sandbox.home(Role.WORK)),
        }
        program = [sys.executable, str(sandbox.project / "inside" / "run_notebooks.py"), json.dumps(settings)]
        running = sandbox.spawn(Role.WORK, program, stdout=-1)
        lines = Lines(running.process.stdout)
        code = self._wait(running, lines)
        if code is None:
            self._too_slow("A notebook")
            sandbox.end(Role.WORK)
        elif code and not sandbox.broken:
            self._if_cancelled()
            ran.said.append(f"What runs the notebooks ended with {code}; something in them ended it.")
        ran.read(lines.all())
        if ran.timed_out and not self._last:
            raise NotGraded(f"A cell was still running after {self._limits.cell_timeout} s")

    # -- the proof ----------------------------------------------------------------------------------------------

    def _prove(self) -> dict[str, Finding]:
        with ExitStack() as stack:
            sandbox = self._sandbox(stack, self._trusted.of_an_account())
            functions_sandbox = self._sandbox(stack, self._trusted.shown(self._submission), loopback=False)
            self._account(sandbox, "flink_app/SlidingWindows")
            program = [sys.executable, str(functions_sandbox.project / "inside" / "call_functions.py")]
            functions = functions_sandbox.spawn(Role.FUNCTIONS, program, stdin=-1, stdout=-1)
            assert functions.process.stdin and functions.process.stdout
            ends = (functions.process.stdout.fileno(), functions.process.stdin.fileno())
            shown = self._trusted.of_the_grader(self._submission, self._data.proof)
            checker = self._sandbox(stack, shown, network_of=sandbox)
            task = {
                "work": "prove",
                "functions": ends,
                "call_seconds": self._limits.cell_timeout,
                "timeout": self._limits.timeout,
                "last": self._last,
                "application": "flink_app/SlidingWindows" in self._submission.parts,
            }
            try:
                return self._ask(checker, task, sandbox, pass_fds=ends)
            finally:
                functions.process.stdin.close()
                functions.process.stdout.close()

    def _ask(self, checker: Sandbox, task: dict[str, Any], sandbox: Sandbox, **pipes: Any) -> dict[str, Finding]:
        """Let the grader's own process do a task beside the account of a sandbox; what it found. Raises NotGraded."""
        parameters = {
            **PARAMETERS,
            "reviews_file": str(checker.project / "data" / REVIEWS_FILE),
            "labels_file": str(checker.project / "data" / LABELS_FILE),
        }
        program = [sys.executable, "-m", "grader.hidden_run.worker", json.dumps({**task, "parameters": parameters})]
        running = checker.spawn(Role.CHECK, program, stdout=-1, **pipes)
        lines = Lines(running.process.stdout)
        code = self._wait(running, lines)
        if broken := sandbox.broken or checker.broken:
            self._notes.append(broken)
            return {}
        if code is None:
            running.process.kill()
            self._too_slow(f"The grader's work in the account ({task['work']})")
            return {}
        answer = lines.all()
        if code or not answer:
            self._if_cancelled()
            said = running.said().strip().splitlines()
            why = f"ended with {code} ({said[-1] if said else 'no reason'})"
            raise NotGraded(f"The grader's work in the account ({task['work']}) {why}")
        found = json.loads(answer[-1])
        if "not graded" in found:
            raise NotGraded(found["not graded"])
        return {slug: Finding(**one) for slug, one in found.items()}

    def _wait(self, running: Running, lines: Lines | None = None) -> int | None:
        """Return the exit code.

        None where nothing new was said for longer than a step may take (QuietTime), or for ever something new.
        """
        step = self._limits.timeout + _OWN_SECONDS
        seen, silence, whole = 0, QuietTime(), QuietTime()
        while (code := running.process.poll()) is None:
            if lines and lines.count != seen:
                seen = lines.count
                silence.news()
            if silence.seconds() > step or whole.seconds() > _MOST_STEPS * step:
                return None
            time.sleep(0.05)
        return code

    def _if_cancelled(self) -> None:
        if self._cancelled:
            raise Cancelled()
