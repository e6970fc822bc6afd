"""What a student is told about a function's answer: which line, how to correct it, what to return instead."""

import os
from pathlib import Path
from typing import Any

import pytest

from lab.core.code_files import code_file
from lab.exercises import answers
from lab.exercises.catalog import WrongAnswer, own_function


def told(function: Any) -> str:
    """The sentence of a function that fails."""
    with pytest.raises(WrongAnswer) as raised:
        answers.ask(function)
    return str(raised.value)


def test_the_line_quoted_is_the_files_own_after_it_was_edited(tmp_path: Path) -> None:
    path = tmp_path / "put_batch.py"
    path.write_text("def put_batch():\n    n = 0\n    return 1 / n\n")
    assert "in its line 3 (`return 1 / n`) with ZeroDivisionError" in told(code_file(path).put_batch)
    path.write_text("def put_batch():\n    number = 0\n\n    return 2 / number\n")
    os.utime(path, (1, 1))  # another moment than the first, however coarse the file system's clock is
    said = told(code_file(path).put_batch)
    assert "in its line 4 (`return 2 / number`) with ZeroDivisionError" in said
    assert said.endswith("correct it, save its file, then run this cell again.")


def test_the_line_of_a_saved_notebook_is_quoted_as_its_cell_has_it(monkeypatch: Any, tmp_path: Path) -> None:
    path = tmp_path / "02_producer.ipynb"
    monkeypatch.setattr("lab.exercises.catalog.project_path", lambda _: path)
    monkeypatch.chdir(tmp_path)  # as the notebook's kernel, which must not take a line of the JSON
    for wrong in ("1 / 0", "[][0]"):
        source = f'"# my own\\n", "def read_shard():\\n", "    return {wrong}\\n"'
        path.write_text(f'{{"cells": [\n{{"cell_type": "code",\n"source": [{source}]}}\n]}}\n')
        assert f"in its line 2 (`return {wrong}`)" in told(own_function("02_producer", "read_shard"))


def test_a_function_of_a_cell_is_corrected_by_running_its_cell() -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec("def partition_key():\n    raise KeyError('rating')\n", space)
    assert told(space["partition_key"]).endswith("correct it, run its cell, then run this one again.")


def test_an_error_of_any_length_is_one_short_sentence() -> None:
    def quotes_everything() -> None:
        raise ValueError("no\n" * 5000)

    assert len(told(quotes_everything)) < 600


def test_an_interruption_names_the_stop_and_the_turn() -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    said = told(stopped)
    assert "look at when its loop stops, and at what each turn of it does differently from the one before." in said


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "returned None (is a `return` missing?): return one list"),
        ([[{"SequenceNumber": "1"}], []], "returned a list of lists: return one list with the records of all answers"),
        ([{"Records": []}], "returned a list of dicts without SequenceNumber: return one list"),
        (["1"], "returned a list of strs: return one list"),
        ({"Records": []}, "returned a dict of 1: return one list"),
        (iter([{"SequenceNumber": "1"}]), "returned a list_iterator: return one list"),
    ],
    ids=["nothing", "lists", "answers", "numbers", "answer", "iterator"],
)
def test_what_is_no_list_of_records_is_named(returned: Any, said: str) -> None:
    with pytest.raises(WrongAnswer) as raised:
        answers.sequence_numbers(returned)
    assert said in str(raised.value)


def test_records_missed_are_counted_even_where_others_came_later() -> None:
    assert answers.sequence_numbers([]) == []
    assert answers.read_in_words(["1", "3", "4"], ["1", "2", "3", "4"], 3, "s") == "✘ 2 of 3 records of s read."
    assert answers.read_in_words([], ["1"], 1, "s") == "✘ 0 of 1 records of s read."
    assert answers.read_in_words([], [], 0, "s") == "0 of 0 records of s read."
