"""How time, state and memory grow: with the reviews, with the shards, with the distinct reviewers.

    python -m benchmarks.growth [--quick]

*Reviews* (10,000, 100,000, 1,000,000): one running application on four shards, warmed by 20,000 reviews; from the
producer's invocation to the last window on the output stream, each size after the one before, every window compared.
State is the largest checkpoint, memory the resident size of the TaskManager. *Shards* (1, 2, 4, 8): a backlog as in
``detection``, new JVMs each. *Reviewers* (1,000, 100,000, 1,000,000): generated rows as in ``hop``, one warm JVM;
microseconds of processor time a row; its memory is the resident size of that JVM, its state is not known.
"""

import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
import psutil
import pytest

from benchmarks.detection import OUT, measure as backlog_rates
from benchmarks.hop import HOP, Jvm
from benchmarks.managed_flink import account_up, family
from benchmarks.rows import Row, ratio_row, row, run_part
from lab.streams.reading import load_position, read_stream, save_position, stream_batches
from lab.streams.records import read_reviews
from lab.validation.comparison import compare_windows
from lab.validation.completion import wait_for_windows
from lab.validation.reference import windows
from tests.support.account import PROJECT
from tests.support.pipeline import BUCKET, LANDING_ZONE, WINDOW, Pipeline

WARM_UP = 20_000
SHARDS = 4


def taskmanager_megabytes(pipeline: Pipeline) -> float:
    """Resident size of the JVM that works: of the account's TaskManagers the one that used the processor most."""
    found = {}
    for one in family(pipeline.account):
        with suppress(psutil.NoSuchProcess):  # it ended while we looked
            if "org.apache.flink.runtime.taskexecutor.TaskManagerRunner" in one.cmdline():
                found[sum(one.cpu_times()[:2])] = one.memory_info().rss / 1e6
    return found[max(found)]


def state_megabytes(pipeline: Pipeline) -> float:
    """The largest checkpoint the dashboard still knows (the last ten), in MB."""
    board = pipeline.dashboard()
    history = board.get(f"/jobs/{board.jobs()[0]['jid']}/checkpoints")["history"]
    return max((one["state_size"] for one in history if one["status"] == "COMPLETED"), default=0) / 1e6


def send(pipeline: Pipeline, count: int) -> float:
    """Seconds from the invocation to the last window of ``count`` reviews; RuntimeError where a window is wrong."""
    save_position(BUCKET)
    position = load_position(BUCKET)
    began = time.time()
    answer = pipeline.send(key=f"{count}.json")
    if answer["sent"] != count:
        raise RuntimeError(f"The producer sent {answer['sent']:,} of {count:,} reviews.")
    closed = pd.Timestamp(answer["marker_event_time"]) - pd.Timedelta(seconds=WINDOW["watermark_delay_seconds"])
    board = pipeline.dashboard()
    job = board.jobs()[0]["jid"]
    while (reached := board.watermark(job)) is None or reached < closed:
        if time.time() - began > 300:
            raise RuntimeError(f"The watermark came to {reached} in 300 seconds, not to {closed}.")
        time.sleep(0.5)  # the metric is a few seconds old; nothing is timed by it
    reference = windows(read_reviews(stream_batches("reviews", position)), **WINDOW)
    compared = compare_windows(reference, wait_for_windows(reference, position))
    if not compared.equal:
        raise RuntimeError(f"{count:,} reviews: {compared.sentence}")
    return read_stream(OUT, position)["arrival"].max().timestamp() - began


def by_reviews(sizes: list[int]) -> tuple[list[Row], dict[int, float]]:
    """The rows of growing input, and microseconds a review by size."""
    rows: list[Row] = []
    each: dict[int, float] = {}
    with (
        tempfile.TemporaryDirectory() as name,
        pytest.MonkeyPatch.context() as environment,
        account_up(Path(name)) as account,
    ):
        pipeline = Pipeline(account, Path(name), environment, SHARDS)
        pipeline.build(checkpoint_ms=2000)
        for count in (WARM_UP, *sizes):
            data = Path(name) / str(count)
            command = [sys.executable, "-m", "reviewgen", "--count", str(count), "--out", str(data)]
            subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
            pipeline.s3.upload_file(str(data / "sample.json"), LANDING_ZONE, f"{count}.json")
        pipeline.start()
        for count in (WARM_UP, *sizes):
            seconds = send(pipeline, count)
            print(f"{count:,} reviews: {seconds:.2f} s", flush=True)
            if count != WARM_UP:
                each[count] = 1e6 * seconds / count
                memory = taskmanager_megabytes(pipeline)
                rows += [
                    row(f"growth_reviews_us_{count}", [each[count]], "us a review"),
                    row(f"growth_reviews_state_{count}", [state_megabytes(pipeline)], "MB"),
                    row(f"growth_reviews_memory_{count}", [memory], "MB"),
                ]
    return rows, each


def by_shards(reviews: int, shards: list[int]) -> list[Row]:
    """A backlog on more and more shards."""
    rows = []
    for count in shards:
        rate = backlog_rates(reviews, 1, count, ("application",))["application"]
        rows.append(row(f"growth_shards_us_{count}", [1e6 / one for one in rate], "us a review"))
    return rows


def by_reviewers(rows: int, reviewers: list[int]) -> list[Row]:
    """Generated rows of more and more reviewers."""
    jvm, found = Jvm(), []
    jvm.rate(HOP, "warm", rows // 5)
    for count in reviewers:
        rate = jvm.rate(HOP, f"reviewers_{count}", rows, count)
        found.append(row(f"growth_reviewers_us_{count}", [1e6 / rate], "us a row, one core"))
        found.append(row(f"growth_reviewers_memory_{count}", [jvm.resident_megabytes()], "MB"))
    return found


def measure(quick: bool) -> list[Row]:
    sizes = [10_000, 50_000] if quick else [10_000, 100_000, 1_000_000]
    rows, each = by_reviews(sizes)
    small, large = sizes[-2:]
    name, beside = f"growth_{large if quick else '1m'}_ratio", f"{small:,} reviews"
    ratio = ratio_row(name, [each[large]], [each[small]], beside, 1.15, unit="of its time a review")
    return [
        ratio,
        *rows,
        *by_shards(20_000 if quick else 50_000, [1, 2] if quick else [1, 2, 4, 8]),
        *by_reviewers(300_000 if quick else 1_000_000, [1_000, 100_000] if quick else [1_000, 100_000, 1_000_000]),
    ]


if __name__ == "__main__":
    sys.exit(run_part(__doc__, measure))
