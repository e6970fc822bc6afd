"""Find out what a check cannot judge: exercises that are still blank, an application that is not the notebook's."""

import ast

from lab.checks.pipeline import Pipeline
from lab.checks.probe import Place, Settled
from lab.core.code_files import NO_PYTHON
from lab.core.names import APPLICATION, APPLICATION_SCRIPT, APPLICATION_ZIP
from lab.exercises.catalog import EXERCISES, Exercise


def blank_functions(source: str) -> set[str]:
    """Name the functions of a Python file whose body raises NotImplementedError; none where it is no Python."""
    try:
        tree = ast.parse(source)
    except NO_PYTHON:
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
    there = APPLICATION_SCRIPT in lab.package.namelist()
    return lab.package.read(APPLICATION_SCRIPT).decode("utf-8", "replace") if there else ""


def require_attempted(lab: Pipeline) -> None:
    """Settle a probe that can only pass when the application is whole: an exercise is blank, or settings differ."""
    place = Place(f"s3://{lab.session.flink_bucket}/{APPLICATION_ZIP} and the application's parallelism")
    if blank := blank_in(uploaded_source(lab)):
        require_what_runs(lab)
        raise Settled(place.open(blank[0].not_attempted))
    if lab.one_for_all:
        raise Settled(place.open(ran_with_one(lab)))
    require_same_settings(lab)


def require_written(lab: Pipeline, place: Place, *names: str) -> None:
    """Settle a probe of exercises in the application's file: another file runs, one is blank, or settings differ."""
    require_what_runs(lab)
    if blank := blank_in(uploaded_source(lab), names):
        raise Settled(place.open(blank[0].not_attempted))
    require_same_settings(lab)


def require_what_runs(lab: Pipeline) -> None:
    """Settle a probe of the student's file as failed where another file runs: what ran says nothing of this one."""
    if lab.not_what_runs:
        raise Settled(Place("your file, the zip in the bucket and the application").failed(
            f"{lab.not_what_runs}, so what ran is not what you wrote: run 03_flink_job again from 'Package and upload' "
            "on, then this notebook."
        ))  # fmt: skip


def require_same_settings(lab: Pipeline) -> None:
    """Settle a probe that compares with a notebook's parameters as failed where the application runs with others."""
    runs = lab.running_settings
    other = [name for name in runs if lab.parameters.get(name, runs[name]) != runs[name]]
    if other:
        its, mine = (" and ".join(f"{name} = {of[name]}" for name in other) for of in (runs, lab.parameters))
        raise Settled(Place(f"the runtime properties of {APPLICATION}").failed(
            f"The application runs with {its}, and this notebook says {mine}: set the same parameters in 03_flink_job "
            "and 04_validate, then run both again."
        ))  # fmt: skip


def ran_with_one(lab: Pipeline) -> str:
    """Say what one subtask over several shards lost, which exercise 6 asks to look at first."""
    _, shards = lab.parallelism
    lost = f"{lab.rows_dropped:,} rows were dropped as late" if lab.rows_dropped else "rows may be dropped as late"
    return (
        f"You ran with parallelism 1, as exercise 6 asks for its beginning: over {shards} shards {lost}, and that is "
        "why windows are missing here. Go on with exercise 6 of 03_flink_job; there is nothing else to mend."
    )
