"""Everyone: submissions side by side, each result kept as soon as it is there, and the table at the end."""

import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from grader import grade_table, result_files
from grader.grade_table import Row
from grader.hidden_run import hidden_data
from grader.hidden_run.account_findings import NOTEBOOKS
from grader.sandbox.limits import Limits
from grader.sandbox.namespaces import Walled, why_not
from grader.sandbox.sandbox import Layout, Place
from grader.sandbox.unisolated import Open, own_users
from grader.score import Grade, score
from grader.submission_grading import Cancelled, Data, Evidence, Grading, Ran
from grader.submissions import BadSubmission, Submission, name_of, stage
from grader.trusted_files import Kit
from lab.checks.check import checks_of
from lab.core.errors import LabError

Make = Callable[[Layout, Limits], Place]


@dataclass(frozen=True)
class Tools:
    """What every submission is graded with."""

    kit: Kit
    data: Data
    limits: Limits
    make: Make
    walls: str | None  # why there are none


class Batch:
    """Grades submissions into `out`, `jobs` at a time. What is there from an earlier grading stays as it is."""

    def __init__(self, paths: Sequence[Path], out: Path, jobs: int, limits: Limits, progress: bool = True) -> None:
        self._paths, self._out, self._jobs, self._limits = list(paths), out, jobs, limits
        self._progress = progress
        self._running: dict[str, Grading] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._scratch = Path()

    def run(self) -> list[Row]:
        """Grade everyone and write the table; the rows, by name. On KeyboardInterrupt the table of what there is."""
        self._out.mkdir(parents=True, exist_ok=True)
        self._out.chmod(0o700)
        self._scratch = Path(tempfile.mkdtemp(prefix="lab-grading-"))
        problems: dict[str, str] = {}
        try:
            problems = self._grade_all()
        finally:
            self.stop()
            shutil.rmtree(self._scratch, ignore_errors=True)
            rows = [self._row(name, problems) for name in map(name_of, self._paths)]
            grade_table.write(self._out, rows)
        return rows

    def stop(self) -> None:
        """End everything that runs, from any thread."""
        self._stopped.set()
        with self._lock:
            running = list(self._running.values())
        for grading in running:
            grading.cancel()

    def _row(self, name: str, problems: dict[str, str]) -> Row:
        results = None if name in problems else grade_table.read_results(self._out / name)
        return Row(name, results, problems.get(name, "It was not graded yet: run the command again."))

    def _grade_all(self) -> dict[str, str]:
        walls = why_not()
        if walls:
            walls += "; it ran as " + ("a user of its own" if own_users() else "the grader's own user")
            sys.stderr.write(f"There are no walls around the submissions ({walls}): see docs/grading.md.\n")
        kit = Kit(self._scratch / "kit")
        tools = Tools(kit, hidden_data.draw(self._out, self._scratch), self._limits, Open if walls else Walled, walls)
        problems: dict[str, str] = {}
        bar = tqdm(total=len(self._paths), unit=" submissions", file=sys.stderr, disable=not self._progress)
        with bar, ThreadPoolExecutor(self._jobs) as pool:
            try:
                waiting: dict[Future[str], str] = {
                    pool.submit(self._grade, path, tools): name_of(path) for path in self._paths
                }
                while waiting:
                    done, _ = wait(waiting, timeout=1, return_when=FIRST_COMPLETED)
                    for future in done:
                        name = waiting.pop(future)
                        said = self._outcome(future, name, problems)
                        bar.update(1)
                        bar.write(f"{name}: {said}", file=sys.stdout)
                    bar.refresh()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self.stop()
                raise
        return problems

    def _outcome(self, future: "Future[str]", name: str, problems: dict[str, str]) -> str:
        try:
            return future.result()
        except (LabError, OSError) as error:
            problems[name] = f"It could not be graded ({str(error).rstrip('.')}): run the command again."
            return problems[name]

    def _grade(self, path: Path, tools: Tools) -> str:
        """Grade one, or find that it was graded; what to say of it."""
        name = name_of(path)
        folder, mine = self._out / name, self._scratch / "submissions" / name
        if self._stopped.is_set():
            raise Cancelled()
        try:
            try:
                submission = stage(path, mine, tools.limits, tools.kit.base)
                refused = None
            except BadSubmission as error:
                submission, refused = Submission(name, mine, (), f"refused: {error}"), str(error)
            earlier = grade_table.read_results(folder)
            if earlier and earlier["extra_data"]["fingerprint"] == submission.fingerprint:
                return f"{earlier['score']} of {earlier['extra_data']['max_score']} points, graded before"
            evidence = Evidence(Ran(), {}, {}, (refused,), 0.0, 0) if refused else self._run(submission, tools)
            grade = graded(submission, evidence, tools.walls)
            shutil.rmtree(folder, ignore_errors=True)
            result_files.write(folder, grade, evidence.ran.executed)
            return f"{grade.score} of {grade.max_score} points in {grade.seconds:.0f} s. {grade.sentence}"
        finally:
            shutil.rmtree(mine, ignore_errors=True)

    def _run(self, submission: Submission, tools: Tools) -> Evidence:
        grading = Grading(submission, tools.kit, tools.data, tools.limits, tools.make)
        with self._lock:
            if self._stopped.is_set():  # whoever stopped did not see this one
                raise Cancelled()
            self._running[submission.name] = grading
        try:
            return grading.run()
        finally:
            with self._lock:
                del self._running[submission.name]


def graded(submission: Submission, evidence: Evidence, walls: str | None) -> Grade:
    """The grade that the evidence supports."""
    checks = [check for number in NOTEBOOKS for check in checks_of(number)]
    return Grade(
        submission.name,
        score(checks, evidence.looked, evidence.proved, evidence.notes),
        tuple(evidence.ran.results),
        (*evidence.notes, *evidence.ran.said),
        evidence.seconds,
        evidence.peak,
        submission.fingerprint,
        walls,
    )
