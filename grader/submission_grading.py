"""One submission, graded: its notebooks run in an account of its own, the grader looks, and proves what it wrote."""

import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from grader.sandbox.limits import Limits
from grader.sandbox.sandbox import Layout, Place, Role, Running
from grader.submissions import Submission
from grader.trusted_files import Kit
from lab.checks.probe import Finding
from lab.core.errors import LabError
from lab.core.names import LABELS_FILE, REVIEWS_FILE

_UP_SECONDS = 90.0
_LONGEST_LINE = 32 << 20  # bytes; a notebook with all its outputs
PARAMETERS = {
    "target": "local", "region": "us-east-1", "shards": 0, "clock": "replay", "rate": 10.0, "test_reviews": 100,
    "window_seconds": 60, "slide_seconds": 30, "threshold": 1, "watermark_delay_seconds": 5,
    "reviews_file": f"data/{REVIEWS_FILE}", "labels_file": f"data/{LABELS_FILE}",
}  # fmt: skip


@dataclass(frozen=True)
class Data:
    """Two folders with sample.json and labels.csv: for the submission's own run, and for the proof."""

    run: Path
    proof: Path


@dataclass
class Ran:
    """What the notebooks did, as they said themselves: for people, never for points."""

    results: list[dict[str, Any]] = field(default_factory=list)
    executed: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Evidence:
    """All there is about one submission: the notebooks' own words, and what the grader found twice."""

    ran: Ran
    looked: dict[str, Finding]
    proved: dict[str, Finding]
    notes: tuple[str, ...]
    seconds: float
    peak: int  # bytes resident at most


class Grading:
    """Grades one submission. `make` builds a place."""

    def __init__(
        self, submission: Submission, kit: Kit, data: Data, limits: Limits, make: Callable[[Layout, Limits], Place]
    ) -> None:
        self._submission, self._kit, self._data, self._limits, self._make = submission, kit, data, limits, make
        self._began = time.monotonic()
        self._notes: list[str] = []
        self._places: list[Place] = []
        self._lock = threading.Lock()
        self._cancelled = False

    def run(self) -> Evidence:
        """Run, look and prove, the proof beside the run."""
        with ThreadPoolExecutor(2) as pool:
            running, proving = pool.submit(self._run_and_look), pool.submit(self._prove)
            try:
                (ran, looked), proved = running.result(), proving.result()
            except BaseException:
                self.cancel()  # nothing may go on once the other half has failed
                raise
        return Evidence(
            ran,
            looked,
            proved,
            tuple(dict.fromkeys(self._notes)),
            time.monotonic() - self._began,
            sum(getattr(place, "peak", 0) for place in self._places),
        )

    def cancel(self) -> None:
        """End everything, from another thread."""
        with self._lock:
            self._cancelled = True
            for place in self._places:
                place.close()

    def _place(self, stack: ExitStack, shown: dict[str, Path], **layout: Any) -> Place:
        with self._lock:
            if self._cancelled:
                raise Cancelled()
            place = self._make(Layout(shown, **layout), self._limits)
            self._places.append(place)
        stack.callback(place.close)
        return place

    # -- the submission's own run -------------------------------------------------------------------------------

    def _run_and_look(self) -> tuple[Ran, dict[str, Finding]]:
        with ExitStack() as stack:
            place = self._place(stack, self._kit.shown(self._submission, self._data.run))
            ran = Ran()
            self._account(place, "notebooks")
            self._notebooks(place, ran)
            place.end(Role.WORK)
            if place.broken:
                self._notes.append(place.broken)
                return ran, {}
            shown = self._kit.of_the_grader(self._submission, self._data.run)
            try:
                desk = self._place(stack, shown, network_of=place)
            except LabError:
                if place.broken is None:
                    raise
                self._notes.append(place.broken)  # it broke while we were coming
                return ran, {}
            return ran, self._ask(desk, {"work": "look"}, place)

    def _account(self, place: Place, part: str) -> None:
        """Start the embedded account. Nothing of the submission runs yet, so a failure is not its own: NotGraded."""
        command = [sys.executable, "-m", "localaws", "up", *([] if part in self._submission.parts else ["--cold"])]
        command += ["--home", str(place.room(Role.ACCOUNT) / "localaws"), "--port", str(place.port)]
        started = place.spawn(Role.ACCOUNT, command)
        if self._wait(started, _UP_SECONDS) != 0:
            raise NotGraded(f"The embedded account did not start ({started.said().strip()[-500:]})")

    def _notebooks(self, place: Place, ran: Ran) -> None:
        if "notebooks" not in self._submission.parts:
            ran.said.append("No notebook was handed in.")
            return
        settings = {
            "parameters": PARAMETERS,
            "run_id": "graded",
            "cell_timeout": self._limits.cell_timeout,
            "output_limit": self._limits.output,
            "folder": str(place.room(Role.WORK)),
        }
        program = [sys.executable, str(place.project / "inside" / "run_notebooks.py"), json.dumps(settings)]
        running = place.spawn(Role.WORK, program, stdout=-1)
        reader = threading.Thread(target=_read_events, args=(running.process.stdout, ran), daemon=True)
        reader.start()
        code = self._wait(running, self._limits.timeout)
        if code is None:
            ran.said.append(f"The notebooks were still running after {self._limits.timeout:.0f} s and were ended.")
            place.end(Role.WORK)
        elif code:
            ran.said.append(f"What runs the notebooks ended with {code}; something in them ended it.")
        reader.join(timeout=10)

    # -- the proof ----------------------------------------------------------------------------------------------

    def _prove(self) -> dict[str, Finding]:
        with ExitStack() as stack:
            place = self._place(stack, self._kit.of_an_account())
            functions_place = self._place(stack, self._kit.shown(self._submission), loopback=False)
            self._account(place, "flink_app/SlidingWindows")
            program = [sys.executable, str(functions_place.project / "inside" / "call_functions.py")]
            functions = functions_place.spawn(Role.FUNCTIONS, program, stdin=-1, stdout=-1)
            assert functions.process.stdin and functions.process.stdout
            ends = (functions.process.stdout.fileno(), functions.process.stdin.fileno())
            shown = self._kit.of_the_grader(self._submission, self._data.proof)
            desk = self._place(stack, shown, network_of=place)
            task = {
                "work": "prove",
                "functions": ends,
                "call_seconds": self._limits.call_timeout,
                "application": "flink_app/SlidingWindows" in self._submission.parts,
            }
            try:
                return self._ask(desk, task, place, pass_fds=ends)
            finally:
                functions.process.stdin.close()
                functions.process.stdout.close()

    def _ask(self, desk: Place, task: dict[str, Any], place: Place, **pipes: Any) -> dict[str, Finding]:
        """Let the grader's own process do a task beside the account of a place; what it found."""
        parameters = {
            **PARAMETERS,
            "reviews_file": str(desk.project / "data" / REVIEWS_FILE),
            "labels_file": str(desk.project / "data" / LABELS_FILE),
        }
        program = [sys.executable, "-m", "grader.hidden_run.worker", json.dumps({**task, "parameters": parameters})]
        running = desk.spawn(Role.CHECK, program, stdout=-1, **pipes)
        answer: list[bytes] = []
        reader = threading.Thread(target=_read_answer, args=(running.process.stdout, answer), daemon=True)
        reader.start()
        limits = self._limits
        code = self._wait(running, limits.look_timeout if task["work"] == "look" else limits.timeout)
        reader.join(timeout=5)
        if place.broken:
            self._notes.append(place.broken)
        if code or not answer:
            said = running.said().strip().splitlines()
            why = "took too long" if code is None else f"ended with {code} ({said[-1] if said else 'no reason'})"
            self._notes.append(f"The grader's look at the account ({task['work']}) {why}.")
            running.process.kill()
            return {}
        return {slug: Finding(**found) for slug, found in json.loads(answer[0].splitlines()[-1]).items()}

    def _wait(self, running: Running, seconds: float) -> int | None:
        """The exit code; None where the time was over first."""
        until = time.monotonic() + seconds
        while (code := running.process.poll()) is None:
            if time.monotonic() > until:
                return None
            time.sleep(0.05)
        return code


class NotGraded(LabError):
    """The grader itself could not do its work, for a reason that is not the submission's."""


class Cancelled(NotGraded):
    """The grading of this submission was cancelled."""

    def __init__(self) -> None:
        super().__init__("The grading was interrupted")


def _read_answer(pipe: IO[bytes], answer: list[bytes]) -> None:
    with pipe:
        answer.append(pipe.read())


def _read_events(pipe: IO[bytes], ran: Ran) -> None:
    """Keep what the notebooks' process says. A line without end, or one that is no event, ends the reading."""
    with pipe:
        while line := pipe.readline(_LONGEST_LINE):
            try:
                event = json.loads(line)
                if event["event"] == "notebook":
                    name = Path(str(event["name"])).name
                    ran.results.append({**(event["result"] or {}), "name": name, "said": event["said"]})
                    if event["nb"]:
                        ran.executed[name] = str(event["nb"])
            except (ValueError, TypeError, KeyError):
                ran.said.append("What runs the notebooks said something that is no report; the rest was not read.")
                break
        while pipe.read(1 << 16):
            pass  # nothing may wait for a pipe nobody reads
