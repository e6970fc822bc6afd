"""Call a student's function, and say in one sentence what is wrong with its answer.

What a function may do wrong: raise, be interrupted, or return what cannot be used. Each becomes a `WrongAnswer` with
the line of the function it comes from; the notebook shows the sentence and goes on, and the exercise's check says it
again (`lab.exercises.catalog.attempt`).
"""

import linecache
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from botocore.exceptions import ConnectionError, HTTPClientError, ParamValidationError

from lab.core.errors import LabError
from lab.exercises.catalog import WrongAnswer
from lab.validation.scores import Scores

LONGEST_KEY = 256  # characters of a partition key (PutRecords)
LONGEST_QUOTE = 300  # characters of an error's own text: some quote every record of the request


def ask(function: Callable[..., Any], *arguments: Any, at: str = "") -> Any:
    """Return what a student's function returns. `at` says with what it was called ("at review 44").

    Raises WrongAnswer where the function raises or is interrupted, with the line; the lab's own errors and the
    NotImplementedError of a blank go through.
    """
    name = getattr(function, "__name__", "function")
    try:
        return function(*arguments)
    except (NotImplementedError, LabError):
        raise
    except (ConnectionError, HTTPClientError):
        raise  # the account does not answer: not the function's fault
    except KeyboardInterrupt as error:
        where = _line(function, error.__traceback__)
        raise WrongAnswer(
            f"Your `{name}` was interrupted{_with(at)}{where}: if it did not end, look at when its loop stops, and at "
            "what each turn of it does differently from the one before."
        ) from error
    except Exception as error:
        where = _line(function, error.__traceback__)
        said = f"Your `{name}` failed{_with(at)}{where} with {_quoted(error)}: {_corrected(function)}."
        raise WrongAnswer(said) from error


def partition_keys(function: Callable[[dict[str, Any]], Any], reviews: Sequence[dict[str, Any]]) -> list[str]:
    """Return the key of each review. Raises WrongAnswer where one of them is no partition key."""
    keys = [ask(function, dict(review), at=f"at review {number}") for number, review in enumerate(reviews, 1)]
    wrong = [number for number, key in enumerate(keys) if not (isinstance(key, str) and 0 < len(key) <= LONGEST_KEY)]
    if not wrong:
        return keys
    review, key = reviews[wrong[0]], keys[wrong[0]]
    what = "null (None)" if key is None else f"{key!r} (of the type {type(key).__name__})"
    count, of = len({reviews[number]["review_id"] for number in wrong}), len({one["review_id"] for one in reviews})
    raise WrongAnswer(
        f"Your `partition_key` returned {what} at review {wrong[0] + 1} ({review['review_id']}), and no usable key "
        f"for {count:,} of {of:,} reviews in all: a partition key is a text of 1 to {LONGEST_KEY} characters, and "
        "PutRecords refuses the whole request for one that is not, so take a field that every review has."
    )


def sequence_numbers(records: Any) -> list[str]:
    """Return the sequence number of each record that `read_shard` returned. Raises WrongAnswer for other answers."""
    numbers = [_number(record) for record in records] if isinstance(records, list | tuple) else [None]
    found = [number for number in numbers if number is not None]
    if len(found) == len(numbers):
        return found
    kind = _kind(records)
    if isinstance(records, list | tuple):
        one = records[numbers.index(None)]
        kind = "a list of dicts without SequenceNumber" if isinstance(one, dict) else f"a list of {type(one).__name__}s"
    raise WrongAnswer(
        f"Your `read_shard` returned {kind}: return one list with the records of all answers, each a dict with its "
        "SequenceNumber."
    )


def read_in_words(read: Sequence[str], own: Sequence[str], due: int, shard: str) -> str:
    """Return how much of a shard was read, from the sequence numbers: `own` are those of the shard, in order.

    The first `due` of them must have been read. Raises WrongAnswer where records are of another shard, came twice or
    are out of order.
    """
    there, missing = set(own), len(set(own[:due]) - set(read))
    foreign = sum(number not in there for number in read)
    if foreign:
        raise WrongAnswer(
            f"These are not the records of {shard}: {foreign:,} of the {len(read):,} that your `read_shard` returned "
            "are not in that shard, so let the function use its arguments `stream` and `shard`."
        )
    if twice := len(read) - len(set(read)):
        raise WrongAnswer(
            f"Your `read_shard` returned {twice:,} records of {shard} once more: add the records of each answer once, "
            "then go on with its NextShardIterator."
        )
    if missing:
        return f"✘ {due - missing:,} of {due:,} records of {shard} read."
    if list(read) != list(own[: len(read)]):
        raise WrongAnswer(
            f"Your `read_shard` returned the records of {shard} in another order than they are in: add those of each "
            "answer behind those of the answers before."
        )
    return f"{len(read):,} of {len(read):,} records of {shard} read."


def threshold(chosen: Any, scores: Scores) -> int:
    """Return the threshold that `choose_threshold` returned. Raises WrongAnswer where it is no whole number.

    A share (precision or recall) in its place is named as such: cut to a whole number it would look like a threshold.
    """
    table = scores.by_threshold
    if isinstance(chosen, bool) or not (hasattr(chosen, "__index__") or hasattr(chosen, "__float__")):
        raise WrongAnswer(f"Your `choose_threshold` returned {_kind(chosen)}: {_RETURN_THRESHOLD}")
    try:
        value = float(chosen)
    except (TypeError, ValueError) as error:
        raise WrongAnswer(f"Your `choose_threshold` returned {_kind(chosen)}: {_RETURN_THRESHOLD}") from error
    column = next((name for name in ("precision", "recall", "f1") if (table[name] == value).any()), None)
    if not hasattr(chosen, "__index__") and 0 <= value <= 1 and column:
        raise WrongAnswer(f"Your `choose_threshold` returned {value}: that is a {column}, not a threshold, so "
                          "return the value of the column `threshold` in that row.")  # fmt: skip
    if value != value or value % 1 or value < 0:
        raise WrongAnswer(f"Your `choose_threshold` returned {value}: {_RETURN_THRESHOLD}")
    return int(value)


def no_row_label(function: Callable[..., Any], scores: Scores, chosen: Any) -> None:
    """Raise WrongAnswer where `choose_threshold` returned the label of a row, as `idxmax` does.

    The labels are whole numbers, as thresholds are. So the same rows are given once more, with other labels.
    """
    table, far = scores.by_threshold, 1_000
    try:
        again = ask(function, table.set_axis(table.index + far))
    except (NotImplementedError, LabError):  # it may look a row up by its label
        return
    if isinstance(again, type(chosen)) and again - chosen == far:
        raise WrongAnswer(
            f"Your `choose_threshold` returned {chosen}: that is the label of a row, as `idxmax` returns it, and not "
            "its threshold, so return the value of the column `threshold` in that row."
        )


def sent_in_words(sent: int, arrived: Counter[str], requests: int) -> str:
    """Return what became of a batch: `arrived` counts the records on the stream by partition key."""
    there, twice = len(arrived), sum(count > 1 for count in arrived.values())
    said = f"{there:,} of {sent:,} records arrived, in {requests:,} request{'s' * (requests != 1)}"
    if twice:
        return f"✘ {said}; {twice:,} of them arrived more than once."
    if there < sent:
        return f"✘ {said}; {sent - there:,} were refused and not sent again."
    return f"{said}, each once."


_RETURN_THRESHOLD = "return one whole number of the column `threshold`."


def _with(at: str) -> str:
    return f" {at}" if at else ""


def _kind(value: Any) -> str:
    if value is None:
        return "None (is a `return` missing?)"
    size = f" of {len(value):,}" if hasattr(value, "__len__") and not isinstance(value, str) else ""
    return f"a {type(value).__name__}{size}"


def _number(record: Any) -> str | None:
    number = record.get("SequenceNumber") if isinstance(record, dict) else None
    return number if isinstance(number, str) else None


def _quoted(error: Exception) -> str:
    """Return the error's kind and text in one line; of what botocore says about each record, the first."""
    said = str(error)
    if isinstance(error, ParamValidationError):
        _, first, *more = [*said.splitlines(), ""]
        said = first + f" (and {len(more) - 1:,} more like it)" * (len(more) > 1)
    whole = " ".join(f"{type(error).__name__}: {said}".split()).rstrip(".: ")
    return whole if len(whole) <= LONGEST_QUOTE else whole[:LONGEST_QUOTE] + "…"


def _corrected(function: Callable[..., Any]) -> str:
    """Say how a correction of the function comes into force: its cell is run, or its file is saved."""
    if getattr(function, "__module__", None) == "__main__":
        return "correct it, run its cell, then run this one again"
    return "correct it, save its file, then run this cell again"


def _line(function: Callable[..., Any], trace: TracebackType | None) -> str:
    """Return the last line of the function's own file or cell in the traceback, as part of a sentence.

    Empty without one.
    """
    code = getattr(function, "__code__", None)
    found = ""
    if code is not None:
        linecache.checkcache(code.co_filename)  # the file may have been edited since a line of it was quoted
    while trace is not None and code is not None:
        if trace.tb_frame.f_code.co_filename == code.co_filename:
            line = linecache.getline(code.co_filename, trace.tb_lineno).strip()
            found = f" in its line {trace.tb_lineno - code.co_firstlineno + 1} (`{line}`)" if line else ""
        trace = trace.tb_next
    return found
