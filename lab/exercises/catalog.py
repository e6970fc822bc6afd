"""Describe the exercises, and put an attempt into the account, where its check looks for it.

An exercise is a function with a blank that raises NotImplementedError. `attempt` runs what a notebook does with it;
while the blank is there it says so in one sentence and the notebook goes on. What was done is noted in S3
(`exercises/NAME.json` of the landing zone), what it wrote is in the streams.
"""

import ast
import json
import linecache
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import boto3
from botocore.exceptions import ClientError

from lab.core.aws_errors import GONE, code_of, plain_words
from lab.core.code_files import python_of
from lab.core.errors import LabError
from lab.core.paths import project_path
from lab.core.session import Session

Result = TypeVar("Result")


class WrongAnswer(LabError):
    """Say that a student's function failed, or returned what cannot be used; the sentence says what to return."""


@dataclass(frozen=True)
class Exercise:
    """Describe one exercise: where it stands, what it is worth, how long it takes, and what helps to begin.

    `title` is its heading in the notebook, number included.
    """

    name: str
    notebook: str
    where: str
    title: str
    points: int
    minutes: int
    hint: str

    @property
    def calls_a_function(self) -> bool:
        """Say whether a notebook calls what the student wrote; the others are judged by the running application."""
        return self.name in ("partition_key", "put_batch", "read_shard", "threshold")

    @property
    def blank(self) -> str:
        """Return the name of what the student writes: a function, or the variable `parallelism`."""
        return self.where.split("`")[1]

    @property
    def not_attempted(self) -> str:
        """Return what stands in place of a result while the blank is there."""
        return f"Not attempted yet: fill the blank {self.where}. Hint: {self.hint}"


_ALL = (
    Exercise(
        "partition_key", "01_streams", "`partition_key` in 01_streams", "Exercise 1: choose the partition key", 5, 10,
        "the key needs many values, and two copies of one review need the same one.",
    ),
    Exercise(
        "read_shard", "02_producer", "`read_shard` in 02_producer", "Exercise 2: read a whole shard", 5, 15,
        "each answer of get_records brings the NextShardIterator; stop when there is nothing more behind it.",
    ),
    Exercise(
        "put_batch", "02_producer", "`put_batch` in producer/put_batch.py",
        "Exercise 3: resend only what failed", 10, 20,
        "the answer's Records stand in the order of the request's, and a failed one has an ErrorCode.",
    ),
    Exercise(
        "window", "03_flink_job", "`window` in flink_app/SlidingWindows/sliding-windows.py",
        "Exercise 4: the window in SQL", 10, 20,
        "HOP takes the table, the DESCRIPTOR of the time column, then the slide, then the size.",
    ),
    Exercise(
        "watermark", "03_flink_job", "`watermark` in flink_app/SlidingWindows/sliding-windows.py",
        "Exercise 5: declare the watermark", 5, 10,
        "WATERMARK FOR column AS column - INTERVAL; the column is ts, the delay is in the settings.",
    ),
    Exercise(
        "parallelism", "03_flink_job", "`parallelism` in 03_flink_job",
        "Exercise 6: match parallelism and shards", 5, 15,
        "one subtask that reads several shards has one watermark for them all; count the open shards.",
    ),
    Exercise(
        "threshold", "04_validate", "`choose_threshold` in 04_validate",
        "Exercise 7: choose the threshold", 5, 15,
        "first keep the thresholds that are precise enough, then take the one with the largest recall.",
    ),
    Exercise(
        "groups", "04_validate", "`bursting_groups` in flink_app/SlidingWindows/sliding-windows.py",
        "Exercise 8: catch the group that bursts together", 15, 40,
        "count the reviewers of a movie in a window, then find what tells a plot from an opening night.",
    ),
)  # fmt: skip
EXERCISES = {exercise.name: exercise for exercise in _ALL}  # in the order of their numbers, from 1


def attempt(session: Session, name: str, work: Callable[[], Result]) -> Result | None:
    """Do what an exercise asks for; None where there is no answer yet, with a sentence that says why.

    A blank (NotImplementedError) takes back what was handed in. A wrong answer is handed in as its sentence, which the
    exercise's check says again; the notebook goes on either way.
    """
    try:
        return work()
    except NotImplementedError:
        take_back(session, name)
        print(EXERCISES[name].not_attempted)  # noqa: T201
    except WrongAnswer as error:
        hand_in(session, name, wrong=str(error))
        print(f"✘ {error}")  # noqa: T201
    return None


def own_function(notebook: str, name: str) -> Callable[..., Any]:
    """Return a function as the saved notebook has it now, such as `read_shard` of 02_producer.

    Raises LabError where the notebook has no such function.
    """
    path = project_path(f"notebooks/{notebook}.ipynb")
    wanted = (ast.Import, ast.ImportFrom, ast.FunctionDef)
    space: dict[str, Any] = {}
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError) as error:
        raise LabError(f"{path.name} cannot be read ({error}): restore it, then run this cell again.") from error
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or f"def {name}(" not in source:
            continue
        try:
            python = python_of(source)
            tree = ast.parse(python)
        except SyntaxError as error:
            said = f"The cell of `{name}` in {path.name} is no Python ({error}): correct it and save the notebook"
            raise LabError(f"{said}, then run this cell again.") from error
        tree.body = [node for node in tree.body if isinstance(node, wanted)]
        where = f"<{path.name}>"
        linecache.cache[where] = len(python), None, python.splitlines(keepends=True), where  # an error quotes its line
        exec(compile(tree, where, "exec"), space)  # noqa: S102 - the student's own code, in the student's kernel
    if name not in space:
        raise LabError(f"{path.name} has no function `{name}`: write it there and save, then run this cell again.")
    return space[name]


def hand_in(session: Session, name: str, **evidence: Any) -> None:
    """Note in the account what was done for an exercise."""
    note = {"exercise": name, "at": datetime.now(UTC).isoformat(timespec="milliseconds"), **evidence}
    with plain_words(f"writing {_key(name)} to {session.landing_zone}", session.endpoint):
        boto3.client("s3").put_object(
            Bucket=session.landing_zone, Key=_key(name), Body=json.dumps(note, ensure_ascii=False).encode()
        )


def take_back(session: Session, name: str) -> None:
    """Forget what was handed in."""
    with plain_words(f"removing {_key(name)} from {session.landing_zone}", session.endpoint):
        boto3.client("s3").delete_object(Bucket=session.landing_zone, Key=_key(name))


def handed_in(session: Session, name: str) -> dict[str, Any] | None:
    """Return what was handed in, None where nothing was or it cannot be read."""
    with plain_words(f"reading {_key(name)} of {session.landing_zone}", session.endpoint):
        try:
            body = boto3.client("s3").get_object(Bucket=session.landing_zone, Key=_key(name))["Body"].read()
        except ClientError as error:
            if code_of(error) in GONE:
                return None
            raise
    try:
        note = json.loads(body)
    except ValueError:
        return None
    return note if isinstance(note, dict) else None


def _key(name: str) -> str:
    return f"exercises/{name}.json"
