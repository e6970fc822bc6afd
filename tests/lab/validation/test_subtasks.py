"""The order in which subtasks read shards."""

import pandas as pd

from lab.validation.subtasks import read_by_subtasks

START = pd.Timestamp("2026-01-01", tz="UTC")


def rows(*found):
    """found: (shard, milliseconds)"""
    table = pd.DataFrame(found, columns=["shard", "ms"])
    table["order"] = table.groupby("shard").cumcount()
    return table.assign(arrival=START + pd.to_timedelta(table["ms"], unit="ms"))


ROWS = rows(("a", 0), ("b", 10), ("c", 20), ("a", 30), ("b", 40), ("c", 230), ("a", 240))


def test_a_subtask_a_shard_reads_what_arrives():
    read = read_by_subtasks(ROWS, 3)
    assert read["shard"].tolist() == list("abcabca") and read["subtask"].tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert (read["read"] == read["arrival"]).all()
    assert read_by_subtasks(ROWS, 9)["subtask"].tolist() == [0, 1, 2, 0, 1, 2, 0]  # six subtasks have nothing to read


def test_one_subtask_takes_the_answers_of_its_shards_in_turn():
    read = read_by_subtasks(ROWS, 1)
    assert read["shard"].tolist() == list("aabbc") + list("ac") and set(read["subtask"]) == {0}
    assert read["ms"].tolist() == [0, 30, 10, 40, 20, 240, 230]
    milliseconds = ((read["read"] - START) / pd.Timedelta(milliseconds=1)).tolist()
    assert milliseconds == [200, 240, 280, 320, 360, 400, 500]
    assert (read["read"] >= read["arrival"]).all()


def test_two_subtasks_share_three_shards():
    assert read_by_subtasks(ROWS, 2).groupby("shard")["subtask"].first().to_dict() == {"a": 0, "b": 1, "c": 0}
