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

from botocore.exceptions import ConnectionError, HTTPClientError

from lab.core.errors import LabError
from lab.exercises.catalog import WrongAnswer
from lab.validation.scores import Scores

LONGEST_KEY = 256  # characters of a partition key (PutRecords)


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
        raise WrongAnswer(f"Your `{name}` was interrupted{_with(at)}{where}: if it did not end, look at when its loop "
                          "stops.") from error  # fmt: skip
    except Exception as error:
        where = _line(function, error.__traceback__)
        said = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".: ")
        raise WrongAnswer(f"Your `{name}` failed{_with(at)}{where} with {said}: correct it, run its cell, then run "
                          "this one again.") from error  # fmt: skip


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


def _line(function: Callable[..., Any], trace: TracebackType | None) -> str:
    """Return the last line of the function's own file or cell in the traceback, as part of a sentence.

    Empty without one.
    """
    code = getattr(function, "__code__", None)
    found = ""
    while trace is not None and code is not None:
        if trace.tb_frame.f_code.co_filename == code.co_filename:
            line = linecache.getline(code.co_filename, trace.tb_lineno).strip()
            found = f" in its line {trace.tb_lineno - code.co_firstlineno + 1} (`{line}`)" if line else ""
        trace = trace.tb_next
    return found
