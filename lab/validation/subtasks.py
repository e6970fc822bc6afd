"""Model how subtasks read the shards of a stream, from the records and their arrival. Pure: no I/O."""

import pandas as pd

ANSWER = pd.Timedelta(milliseconds=200)  # a shard gives five answers of GetRecords a second


def read_by_subtasks(rows: pd.DataFrame, subtasks: int) -> pd.DataFrame:
    """Return the records in the order in which so many subtasks read them.

    `rows` is a DataFrame[shard, order, arrival, ...]; the shards are dealt to the subtasks in turn. A subtask with one
    shard reads a record when it arrives; one with several takes their answers in turn, here what arrived within 200 ms,
    a shard after the other. Returns the rows with `subtask` (number) and `read` (time), sorted by `read`.
    """
    number = {shard: index for index, shard in enumerate(sorted(rows["shard"].unique()))}
    rows = rows.assign(subtask=rows["shard"].map(number) % subtasks)
    if subtasks >= len(number):
        return rows.sort_values(["arrival", "shard", "order"], ignore_index=True).assign(
            read=lambda sorted_: sorted_["arrival"]
        )
    answer = rows["arrival"].dt.floor(ANSWER)
    rows = rows.assign(answer=answer).sort_values(["answer", "shard", "order"], ignore_index=True)
    place = rows.groupby("answer").cumcount() / rows.groupby("answer")["order"].transform("size")
    return rows.assign(read=rows["answer"] + (1 + place) * ANSWER).drop(columns="answer")
