"""Find out which exercises of the application are still blank: from its zip and from its parallelism."""

import ast
import io
import zipfile

from lab.checks.pipeline import Pipeline
from lab.checks.probe import Finding, Place
from lab.core.names import APPLICATION_SCRIPT, APPLICATION_ZIP
from lab.exercises.catalog import EXERCISES, Exercise


def blank_functions(source: str) -> set[str]:
    """Name the functions of a Python file whose body raises NotImplementedError; none where it is no Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    return {
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Raise) and node.exc is not None and "NotImplementedError" in ast.unparse(node.exc)
    }


def blank_in(source: str, names: tuple[str, ...] = ("window", "watermark")) -> list[Exercise]:
    """List which of these exercises are blank in the application's file."""
    blank = blank_functions(source)
    return [EXERCISES[name] for name in names if EXERCISES[name].blank in blank]


def uploaded_source(lab: Pipeline) -> str:
    """Read the application's file from the zip in the bucket; empty where the zip has none."""
    package = zipfile.ZipFile(io.BytesIO(lab.package))
    there = APPLICATION_SCRIPT in package.namelist()
    return package.read(APPLICATION_SCRIPT).decode("utf-8", "replace") if there else ""


def blank_exercises(lab: Pipeline) -> list[Exercise]:
    """List the exercises of 03_flink_job that are not attempted yet."""
    blank = blank_in(uploaded_source(lab))
    subtasks, shards = lab.parallelism
    return [*blank, EXERCISES["parallelism"]] if subtasks == 1 < shards else blank


def waits_for_exercise(lab: Pipeline) -> Finding | None:
    """Make the finding of a probe that can only pass when the application is whole; None when it is."""
    blank = blank_exercises(lab)
    if not blank:
        return None
    place = Place(f"s3://{lab.session.flink_bucket}/{APPLICATION_ZIP} and the application's parallelism")
    return place.open(ran_with_one(lab) if blank[0].name == "parallelism" else blank[0].not_attempted)


def ran_with_one(lab: Pipeline) -> str:
    """Say what one subtask over several shards lost, which exercise 6 asks to look at first."""
    _, shards = lab.parallelism
    lost = f"{lab.rows_dropped:,} rows were dropped as late" if lab.rows_dropped else "rows may be dropped as late"
    return (
        f"You ran with parallelism 1, as exercise 6 asks for its beginning: over {shards} shards {lost}, and that is "
        "why windows are missing here. Go on with exercise 6 of 03_flink_job; there is nothing else to mend."
    )
