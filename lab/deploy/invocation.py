"""Drive the producer: invoke it until the file is done, and look at how fast it went."""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from tqdm import tqdm

from lab.core.aws_errors import endpoint_of, plain_words
from lab.core.errors import LabError, StepMissing


class ProducerFailed(LabError):
    """Say that the function ended with an error."""


def invoke_until_done(lambda_: Any, name: str, event: dict[str, Any]) -> list[dict[str, Any]]:
    """Invoke the producer with ``event`` until it says that it is done; its answers in order, with a progress bar.

    One invocation is enough for most files; a large one stops before the function's time limit and says how far it
    came, and the next invocation goes on there. Raises ProducerFailed with the function's own message.
    """
    answers: list[dict[str, Any]] = []
    with tqdm(desc=name, unit=" reviews", file=sys.stdout) as bar:
        while not answers or not answers[-1]["done"]:
            answers.append(invoke(lambda_, name, event))
            bar.update(answers[-1]["read"] - bar.n)
    problem = answers[-1].get("input_error")
    if problem and not answers[-1]["sent"]:
        raise ProducerFailed(f"{problem}: put a file of reviews there (01_streams) and run this cell again.")
    if problem:
        print(f"The input ended early: {problem}")  # noqa: T201
    return answers


def invoke(lambda_: Any, name: str, event: dict[str, Any]) -> dict[str, Any]:
    """Return one invocation's answer. Raises ProducerFailed with the function's own message."""
    missing = StepMissing(f"The function {name} does not exist", "02_producer")
    with plain_words(f"invoking {name}", endpoint_of(lambda_), gone=missing):
        answer = lambda_.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    payload = json.load(answer["Payload"])
    if "FunctionError" in answer:
        raise ProducerFailed(f"{name} failed: {payload.get('errorMessage', payload)}")
    return payload


def records_per_shard(per_shard: dict[str, int]) -> pd.DataFrame:
    """Return how many reviews went to each shard, and each shard's part of all."""
    total = sum(per_shard.values()) or 1
    shards = sorted(per_shard)
    return pd.DataFrame(
        {
            "reviews": [per_shard[shard] for shard in shards],
            "part": [f"{per_shard[shard] / total:.1%}" for shard in shards],
        },
        index=pd.Index(shards, name="shard"),
    )


def written_in_words(answers: Iterable[Mapping[str, Any]]) -> str:
    """Say how many records a run of the producer wrote and sent again, and how fast, in one sentence.

    `answers` are the function's, as `invoke_until_done` returns them; each holds `series`: [second of the invocation,
    records written, records sent again].
    """
    rows = [row for answer in answers for row in answer["series"]]
    if not rows:
        return "Nothing was sent."
    written, again = (sum(row[column] for row in rows) for column in (1, 2))
    most = max(row[1] for row in rows)
    seconds = f"{len(rows)} second{'s' * (len(rows) != 1)}"
    why = "no record was refused" if not again else f"{again:,} were refused at first and sent again"
    return f"{written:,} records written in {seconds}, at most {most:,} in one second; {why}."
