"""Grade everyone: submissions side by side, each result kept at once, and the table at the end."""

import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from grader import grade_table, result_files
from grader.archives import BadSubmission
from grader.evidence import Cancelled, Data, Evidence, Ran
from grader.grade_table import Row
from grader.hidden_run import hidden_data
from grader.sandbox.limits import Limits
from grader.sandbox.namespaces import Isolated, why_not_isolated
from grader.sandbox.sandbox import Layout, Sandbox
from grader.sandbox.unisolated import Unisolated, own_users
from grader.score import Grade, score
from grader.submission_grading import Grading
from grader.submissions import Submission, escaped, stage
from grader.trusted_files import TrustedFiles
from lab.checks.check import CHECKS
from lab.core.errors import LabError

Make = Callable[[Layout, Limits], Sandbox]


@dataclass(frozen=True)
class Tools:
    """Hold what every submission is graded with."""

    trusted: TrustedFiles
    data: Data
    limits: Limits
    make: Make
    unisolated: str | None  # why there are none


class Batch:
    """Grade submissions into `out`, `jobs` at a time. What an earlier grading left there stays as it is.

    Whatever one submission causes ends in its own row. What came to no result is graded once more, alone, at the end.
    """

    def __init__(
        self, submissions: Mapping[str, Path], out: Path, jobs: int, limits: Limits, progress: bool = True
    ) -> None:
        self._paths, self._out, self._jobs, self._limits = dict(submissions), out, jobs, limits
        self._progress = progress
        self._problems: dict[str, str] = {}
        self._running: dict[str, Grading] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._scratch = Path()

    def run(self) -> list[Row]:
        """Grade everyone and write the table; the rows, by name. On KeyboardInterrupt the table of what there is."""
        self._out.mkdir(parents=True, exist_ok=True)
        self._out.chmod(0o700)
        self._scratch = Path(tempfile.mkdtemp(prefix="lab-grading-"))
        try:
            self._grade_all()
        finally:
            self.stop()
            shutil.rmtree(self._scratch, ignore_errors=True)
            rows = [self._row(name) for name in self._paths]
            grade_table.write(self._out, rows)
        return rows

    def stop(self) -> None:
        """End everything that runs, from any thread."""
        self._stopped.set()
        with self._lock:
            running = list(self._running.values())
        for grading in running:
            grading.cancel()

    def _row(self, name: str) -> Row:
        results = None if name in self._problems else grade_table.read_results(self._out / name)
        return Row(name, results, self._problems.get(name, "It was not graded yet: run the command again."))

    def _grade_all(self) -> None:
        unisolated = why_not_isolated()
        if unisolated:
            unisolated += "; it ran as " + ("a user of its own" if own_users() else "the grader's own user")
            sys.stderr.write(f"The submissions are not isolated ({unisolated}): see docs/grading.md.\n")
        trusted = TrustedFiles(self._scratch / "trusted")
        data = hidden_data.draw(self._out, self._scratch)
        tools = Tools(trusted, data, self._limits, Unisolated if unisolated else Isolated, unisolated)
        self._round(list(self._paths), tools, self._jobs)
        if again := [name for name in self._paths if name in self._problems]:
            sys.stdout.write(f"Once more, one at a time: {', '.join(again)}\n")
            self._round(again, tools, 1, last=True)

    def _round(self, names: Sequence[str], tools: Tools, jobs: int, last: bool = False) -> None:
        """Grade these; what came to no result is in `_problems` afterwards."""
        bar = tqdm(total=len(names), unit=" submissions", file=sys.stderr, disable=not self._progress)
        with bar, ThreadPoolExecutor(jobs) as pool:
            try:
                waiting = {pool.submit(self._outcome, name, tools, last): name for name in names}
                while waiting:
                    done, _ = wait(waiting, timeout=1, return_when=FIRST_COMPLETED)
                    for future in done:
                        name = waiting.pop(future)
                        bar.update(1)
                        bar.write(f"{name}: {future.result()}", file=sys.stdout)
                    bar.refresh()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self.stop()
                raise

    def _outcome(self, name: str, tools: Tools, last: bool) -> str:
        """Grade one; what to say of it. Whatever goes wrong is said of this one and of no other."""
        try:
            said = self._grade(name, tools, last)
            self._problems.pop(name, None)
        except Exception as error:  # noqa: BLE001 - one submission must not end the class
            kind = "" if isinstance(error, LabError | OSError) else f"{type(error).__name__}: "
            why = f"{kind}{error}".rstrip(".")
            said = self._problems[name] = escaped(f"It is not graded ({why}): run the command again.")
        return said

    def _grade(self, name: str, tools: Tools, last: bool) -> str:
        """Grade one, or find that it was graded; what to say of it."""
        folder, mine = self._out / name, self._scratch / "submissions" / name
        if self._stopped.is_set():
            raise Cancelled()
        try:
            submission, refused = self._staged(name, mine, tools)
            earlier = grade_table.read_results(folder)
            if earlier and earlier["extra_data"]["fingerprint"] == submission.fingerprint:
                return f"{earlier['score']} of {earlier['extra_data']['max_score']} points, graded before"
            nothing = Evidence(Ran(), {}, {}, (refused or "",), 0.0, 0)
            evidence = nothing if refused else self._run(submission, tools, last)
            grade = graded(submission, evidence, tools.unisolated)
            shutil.rmtree(folder, ignore_errors=True)
            result_files.write(folder, grade, evidence.ran.executed)
            return f"{grade.score} of {grade.max_score} points in {grade.seconds:.0f} s. {escaped(grade.sentence)}"
        finally:
            shutil.rmtree(mine, ignore_errors=True)

    def _staged(self, name: str, mine: Path, tools: Tools) -> tuple[Submission, str | None]:
        """Return the submission, and why it is refused, if it is."""
        try:
            return replace(stage(self._paths[name], mine, tools.limits, tools.trusted.base), name=name), None
        except (BadSubmission, OSError) as error:
            refused = escaped(str(error))
            return Submission(name, mine, (), f"refused: {refused}"), refused

    def _run(self, submission: Submission, tools: Tools, last: bool) -> Evidence:
        grading = Grading(submission, tools.trusted, tools.data, tools.limits, tools.make, last)
        with self._lock:
            if self._stopped.is_set():  # whoever stopped did not see this one
                raise Cancelled()
            self._running[submission.name] = grading
        try:
            return grading.run()
        finally:
            with self._lock:
                del self._running[submission.name]


def graded(submission: Submission, evidence: Evidence, unisolated: str | None) -> Grade:
    """Return the grade that the evidence supports."""
    return Grade(
        submission.name,
        score(CHECKS, evidence.looked, evidence.proved, evidence.notes),
        tuple(evidence.ran.results),
        (*evidence.notes, *submission.remarks, *evidence.ran.said),
        evidence.seconds,
        evidence.peak,
        submission.fingerprint,
        unisolated,
    )
