"""Beyond one machine, as far as one machine can show it: many shards, several TaskManagers, skew, state.

    python -m benchmarks.simulation [--only shards fewer idle hot reshard state] [--quick]

The lab's application through the embedded account's API, on a cluster of Flink's own scripts (``up --flink-rest``) with
several TaskManagers; parallelism is the number of shards. Every window is compared with lab.reference, and one wrong
window ends the simulation. It shows that the answer stays right and how large state is; it says nothing of rates, since
all TaskManagers share the cores of this machine.

*shards*: 16, 32 and 64 on 1, 2 and 4 TaskManagers. *fewer*: 16 shards read by 4 tasks, which loses reviews. *idle*:
more than half of 64 shards get no review before the end markers. *hot*: one reviewer writes half of all reviews.
*reshard*: 4 shards split into 16 between two runs of the application, with a snapshot. *state*: checkpoint bytes for a
review in an open window, by state backend.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks.rows import Row, arguments, fact, write
from lab.flink.rest import Dashboard
from lab.streams.reading import read_stream
from lab.validation.comparison import Comparison
from localaws.flink_cluster.rest import FlinkRest
from tests.support.account import ACCOUNT, PROJECT, free_port, running_account
from tests.support.pipeline import LANDING_ZONE, WINDOW, Pipeline
from tests.support.plain_flink import PlainFlink

# A TaskManager of 16 tasks with 64 neighbours each: its network buffers are what Flink's defaults have too few of.
MEMORY = {"process.size": "1536m", "network.min": "256m", "network.max": "256m", "managed.size": "128m"}
OPTIONS = {
    **{f"taskmanager.memory.{name}": size for name, size in MEMORY.items()},
    "metrics.fetcher.update-interval": "1000",
    "web.refresh-interval": "1000",
}
POLL_MILLIS = "1000"  # 64 shards asked five times a second would keep the account's Kinesis busy with nothing
TIMEOUT = 240.0  # seconds to wait for the last window, or for a source to have read everything


@contextmanager
def lab_on(shards: int, managers: int, slots: int, reviews: Path, backend: str = "hashmap") -> Iterator[Pipeline]:
    """An account whose applications run on a cluster of ``managers`` TaskManagers with ``slots`` slots each."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as environment:
        folder = Path(name)
        options = OPTIONS | {"state.backend.type": backend}
        cluster = PlainFlink(folder / "flink", free_port(), free_port(), slots, managers, options)
        try:
            cluster.start_cluster({"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "local"})
            with running_account(folder / "home", "--flink-rest", cluster.url) as account:
                pipeline = Pipeline(account, folder, environment, shards)
                pipeline.build(reviews)
                configure(pipeline)
                yield pipeline
        finally:
            cluster.stop()


def configure(pipeline: Pipeline, **window: str) -> None:
    """Set the runtime properties: a poll a second, and what ``window`` says of the windows."""
    groups = pipeline.property_groups(**window)
    consumer = next(group for group in groups if group["PropertyGroupId"] == "consumer.config.0")
    consumer["PropertyMap"]["getrecords.interval.millis"] = POLL_MILLIS
    pipeline.update(EnvironmentPropertyUpdates={"PropertyGroups": groups})


def running(pipeline: Pipeline) -> tuple[Dashboard, str]:
    """The dashboard, and the id of the job that runs there."""
    board = pipeline.dashboard()
    job = board.running_job()
    if job is None:
        raise RuntimeError(f"No job runs at {board.url}.")
    return board, job["jid"]


def exact(pipeline: Pipeline, answer: dict[str, Any]) -> str:
    """How many windows are equal and how many rows were late; RuntimeError where one window is wrong."""
    compared = pipeline.compare(timeout=TIMEOUT)
    if not compared.equal or not compared.expected:
        raise RuntimeError(compared.sentence)
    return outcome(pipeline, compared, answer)


def outcome(pipeline: Pipeline, compared: Comparison, answer: dict[str, Any]) -> str:
    """In words; the count of late rows once Flink's metrics, which are a few seconds old, know the end markers."""
    board, job = running(pipeline)
    delay = pd.Timedelta(seconds=WINDOW["watermark_delay_seconds"])
    end = pd.Timestamp(answer["marker_event_time"]) - delay
    deadline = time.monotonic() + TIMEOUT
    while (reached := board.watermark(job)) is None or reached < end:
        if time.monotonic() > deadline:
            raise RuntimeError(f"The watermark came to {reached}, not to {end}.")
        time.sleep(0.5)
    late = board.late_rows_of(job)
    return f"{compared.equal_windows:,} of {compared.expected:,} windows equal, {late:,} rows late"


def sample(folder: Path, count: int, change: Callable[[int, dict[str, Any]], dict[str, Any]] | None = None) -> Path:
    """A file of ``count`` synthetic reviews; ``change`` may give each, by its number, other fields."""
    command = [sys.executable, "-m", "reviewgen", "--count", str(count), "--out", str(folder)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    path = folder / "sample.json"
    if change is not None:
        reviews = json.loads(path.read_text())
        path.write_text(json.dumps([one | change(number, one) for number, one in enumerate(reviews)]))
    return path


# -- what is simulated ----------------------------------------------------------------------------------------------


def by_shards(folder: Path, quick: bool) -> list[Row]:
    """Parallelism equal to the shards keeps every review, on one TaskManager or on four."""
    rows = []
    reviews = sample(folder, 5_000 if quick else 20_000)
    for shards, managers in ((16, 1),) if quick else ((16, 1), (32, 2), (64, 4)):
        with lab_on(shards, managers, shards // managers, reviews) as pipeline:
            pipeline.start()
            result = exact(pipeline, pipeline.send())
            board, job = running(pipeline)
            path = f"/jobs/{job}/vertices/{board.vertices(job)[0]['id']}/taskmanagers"
            sent = sorted(one["metrics"]["write-records"] for one in board.get(path)["taskmanagers"])
            if len(sent) != managers or not sent[0]:
                raise RuntimeError(f"Not every TaskManager read reviews: {sent}.")
            name = f"simulation_shards_{shards}_taskmanagers_{managers}"
            rows.append(said(name, f"{result}; rows into the shuffle from each TaskManager: {sent}"))
    return rows


def fewer(folder: Path, quick: bool) -> list[Row]:
    """With fewer tasks than shards the fastest shard of a task moves its watermark: the others' reviews are late."""
    with lab_on(16, 2, 2, sample(folder, 5_000 if quick else 20_000)) as pipeline:
        custom = {"ParallelismUpdate": 4, "ParallelismPerKPUUpdate": 4}
        pipeline.update(FlinkApplicationConfigurationUpdate={"ParallelismConfigurationUpdate": custom})
        pipeline.start()
        answer = pipeline.send()
        found = outcome(pipeline, pipeline.compare(timeout=40), answer)
        return [said("simulation_16_shards_on_4_tasks", found)]


def idle(folder: Path, quick: bool) -> list[Row]:
    """A shard without a record holds every window back; the end markers, one to each shard, let them go."""
    shards, writers = (16, 2) if quick else (64, 5)  # few enough that some write twice in a window
    reviews = sample(folder, 5_000, lambda number, review: {"reviewer": f"reviewer {number % writers}"})
    with lab_on(shards, 2, shards // 2, reviews) as pipeline:
        pipeline.start()
        answer = pipeline.send(limit=shards // 3, rate=0.25, end_markers=False)  # one review every 4 seconds
        used = sum(count > 0 for count in answer["per_shard"].values())
        pipeline.wait_read(answer["sent"], TIMEOUT)
        board, job = running(pipeline)
        held = board.watermark(job)
        early = len(read_stream("suspicious_activity"))
        if held is not None or early:
            raise RuntimeError(f"Windows closed although shards were silent: {early}, watermark {held}.")
        result = exact(pipeline, pipeline.send(limit=1))  # with its end markers
        return [said("simulation_idle_shards", f"{used} of {shards} shards with reviews, none closed; {result}")]


def hot(folder: Path, quick: bool) -> list[Row]:
    """After the shuffle by reviewer, one who writes half of all reviews is one task's."""
    count = 4_000 if quick else 20_000
    reviews = sample(folder, count, lambda number, review: {"reviewer": "hot"} if number % 2 else {})
    with lab_on(16, 2, 8, reviews) as pipeline:
        pipeline.start()
        result = exact(pipeline, pipeline.send())
        board, job = running(pipeline)
        source, windows = board.vertices(job)[:2]
        took = [
            one["metrics"]["read-records"] for one in board.get(f"/jobs/{job}/vertices/{windows['id']}")["subtasks"]
        ]
        rows = source["metrics"]["write-records"]
        share = f"the busiest of 16 tasks took {max(took):,} of {rows:,} rows, the median {sorted(took)[8]:,}"
        return [said("simulation_hot_reviewer", f"{result}; {share}")]


def reshard(folder: Path, quick: bool) -> list[Row]:
    """4 shards, a snapshot, 16 shards, and on from the snapshot."""
    with lab_on(4, 2, 8, sample(folder, 5_000)) as pipeline:
        pipeline.start()
        answer = pipeline.send(end_markers=False)
        pipeline.wait_read(answer["sent"], TIMEOUT)  # what is left in the old shards is late once the new ones are read
        pipeline.stop()
        for _ in range(2):
            split_all(pipeline)
        custom = {"ParallelismUpdate": 16, "ParallelismPerKPUUpdate": 8}
        pipeline.update(FlinkApplicationConfigurationUpdate={"ParallelismConfigurationUpdate": custom})
        pipeline.start("RESTORE_FROM_LATEST_SNAPSHOT")
        answer = pipeline.send()
        used = sum(count > 0 for count in answer["per_shard"].values())
        return [said("simulation_reshard_4_to_16", f"{exact(pipeline, answer)}; {used} shards used after it")]


def split_all(pipeline: Pipeline) -> None:
    """Split every open shard of reviews in the middle."""
    listed = pipeline.kinesis.list_shards(StreamName="reviews", ShardFilter={"Type": "AT_LATEST"})["Shards"]
    for shard in listed:
        first, last = (int(shard["HashKeyRange"][f"{end}HashKey"]) for end in ("Starting", "Ending"))
        middle = str((first + last + 1) // 2)
        pipeline.kinesis.split_shard(StreamName="reviews", ShardToSplit=shard["ShardId"], NewStartingHashKey=middle)


def state(folder: Path, quick: bool) -> list[Row]:
    """Bytes of a checkpoint for each review that it holds: all sent, none of their windows closed."""
    count = 5_000 if quick else 50_000
    variants: dict[str, Callable[[int, dict[str, Any]], dict[str, Any]] | None] = {
        "sample": None,
        "reviewer_each": lambda number, review: {"reviewer": f"reviewer {number:09}"},
        "one_reviewer": lambda number, review: {"reviewer": "hot"},
    }
    files = {name: sample(folder / name, count, change) for name, change in variants.items()}
    rows = []
    for backend in ("hashmap",) if quick else ("hashmap", "rocksdb"):
        with lab_on(4, 1, 4, files["sample"], backend) as pipeline:
            for name, file in files.items():
                pipeline.s3.upload_file(str(file), LANDING_ZONE, f"{name}.json")
            for name, slide in (("sample", 30), ("sample", 10), ("reviewer_each", 30), ("one_reviewer", 30)):
                configure(pipeline, **{"window.slide.seconds": str(slide)})
                size = state_bytes(pipeline, f"{name}.json", count)
                rows.append(fact(f"simulation_state_{backend}_{name}_slide_{slide}", round(size / count, 1), "bytes"))
                print(f"{rows[-1]['name']}: {rows[-1]['value']} bytes a review, {size:,} in all", flush=True)
    return rows


def state_bytes(pipeline: Pipeline, key: str, count: int) -> int:
    """The size of a checkpoint that holds ``count`` reviews and nothing else."""
    pipeline.start()
    answer = pipeline.send(key=key, rate=count / 20, end_markers=False)  # 20 seconds of event time
    pipeline.wait_read(answer["sent"], TIMEOUT)
    board, job = running(pipeline)
    FlinkRest(board.url).checkpoint(job)
    size = board.get(f"/jobs/{job}/checkpoints")["latest"]["completed"]["state_size"]
    pipeline.flink.stop_application(ApplicationName="student", Force=True)
    pipeline.wait_status("READY", "FORCE_STOPPING")
    return size


def said(name: str, sentence: str) -> Row:
    print(f"{name}: {sentence}", flush=True)
    return fact(name, sentence)


CASES = {"shards": by_shards, "fewer": fewer, "idle": idle, "hot": hot, "reshard": reshard, "state": state}


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES), metavar="CASE", help=", ".join(CASES))
    options = parser.parse_args()
    rows: list[Row] = []
    for name in options.only:
        with tempfile.TemporaryDirectory() as folder:
            rows += CASES[name](Path(folder), options.quick)
    if options.out:
        write(rows, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
