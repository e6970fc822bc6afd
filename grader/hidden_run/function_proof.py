"""Prove the functions of the exercises: call each on unseen data, then look at what it left in the account.

They are called while nothing of the submission is in the account: answers known from the sample earn nothing.
"""

from collections.abc import Callable

from grader.evidence import NotGraded
from grader.hidden_run.proof_account import ProofAccount
from grader.hidden_run.student_functions import FunctionFailed, Functions, FunctionTooSlow
from lab.checks.pipeline import Pipeline
from lab.checks.probe import Finding, Place
from lab.core.names import INPUT_STREAM
from lab.exercises.attempts import hand_in_shard, hand_in_threshold, send_batch, send_keyed
from lab.exercises.catalog import EXERCISES
from lab.streams.reading import read_stream
from lab.streams.records import read_reviews
from lab.validation.input_files import labels_of
from lab.validation.scores import score

# The points of functions that a student wrote.
OF_FUNCTIONS = tuple(name for name, exercise in EXERCISES.items() if exercise.calls_a_function)


def prove_functions(account: ProofAccount, functions: Functions) -> dict[str, Finding]:
    """Call every function; returns what its check finds, by the check's slug. Raises NotGraded."""
    account.produce()
    session = account.session
    events = read_reviews(read_stream(INPUT_STREAM))
    lab = account.pipeline(events=events)
    labels = labels_of(account.task.parameters["labels_file"], str(account.reviews))
    shard = events.open_shards[0]

    def keyed(where: str) -> object:
        try:
            why = str(functions.value(where, "why"))
        except FunctionFailed:
            why = ""
        return send_keyed(session, account.reviews, functions.named(where, "partition_key"), why)

    def threshold(where: str) -> object:
        assert labels is not None
        scores = score(lab.all_windows.windows, labels)
        return hand_in_threshold(session, functions.named(where, "choose_threshold"), scores)

    steps: dict[str, Callable[[str], object]] = {
        "partition_key": keyed,
        "put_batch": lambda where: send_batch(session, functions.named(where, "put_batch")),
        "read_shard": lambda where: hand_in_shard(session, functions.named(where, "read_shard"), shard),
        "threshold": threshold,
    }
    return {name: _exercise(account, name, step, lab) for name, step in steps.items()}


def _exercise(account: ProofAccount, name: str, step: Callable[[str], object], lab: Pipeline) -> Finding:
    exercise = EXERCISES[name]
    where = "producer/put_batch.py" if name == "put_batch" else f"notebooks/{exercise.notebook}.ipynb"
    if not (account.task.project / where).is_file():
        return Place("the submission").open(f"{exercise.notebook} is not in it: hand it in.")
    place = Place(f"{exercise.where} on data of the grader's")
    try:
        step(where)
    except FunctionFailed as error:
        if isinstance(error, FunctionTooSlow) and not account.task.last:
            raise NotGraded(str(error)) from error
        return place.failed(str(error))
    except Exception as error:  # noqa: BLE001 - what a function answers may be anything
        return place.failed(f"Its answer cannot be used ({type(error).__name__}: {error}): correct what it returns.")
    finally:
        account.step(name)
    return account.take(name, lab)
