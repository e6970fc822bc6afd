"""How fast a backlog of reviews is detected: the lab's SQL application beside a bare loop and three Python engines.

    python -m benchmarks.detection [--reviews 500000] [--times 3] [--shards 1 4] [--quick]

The same stream for all, in turns, another one first each time; every result is compared with lab.reference, window for
window, and a wrong one ends the benchmark. The Python engines run on one shard (their libraries' own sharding needs a
broker), in `.venv-bench`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks.managed_flink import account_up
from benchmarks.rows import Row, row, table, write
from lab.reference import windows
from lab.streams import read_reviews, read_stream, read_windows, stream_batches
from tests.conftest import PROJECT, EmbeddedAccount
from tests.end_to_end.pipeline import WINDOW, Pipeline

RESULTS = Path(__file__).with_name("detection_results.json")
BENCH_PYTHON = PROJECT / ".venv-bench" / "bin" / "python"
ENGINES = {
    "getrecords": Path(sys.executable),
    "pandas_windows": Path(sys.executable),
    "bytewax_windows": BENCH_PYTHON,
    "quix_windows": BENCH_PYTHON,
}
Windows = set[tuple[str, int, int]]


class Wrong(RuntimeError):
    """A contender's windows are not the reference's: its time says nothing."""


def backlog(pipeline: Pipeline, reviews: int, folder: Path) -> Windows:
    """Fill the stream through the producer; what must come out of it."""
    data = folder / "data"
    command = [sys.executable, "-m", "lab.reviews", "--count", str(reviews), "--out", str(data)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    pipeline.build(data / "sample.json", checkpoint_ms=10_000)
    groups = pipeline.property_groups()
    consumer = next(group for group in groups if group["PropertyGroupId"] == "consumer.config.0")
    consumer["PropertyMap"]["scan.stream.initpos"] = "TRIM_HORIZON"
    pipeline.update(EnvironmentPropertyUpdates={"PropertyGroups": groups})
    answer = pipeline.send()
    if answer["sent"] != reviews:
        raise Wrong(f"The producer sent {answer['sent']:,} of {reviews:,} reviews.")
    return _as_set(windows(read_reviews(stream_batches("reviews")), **WINDOW).windows)


def _as_set(found: pd.DataFrame) -> Windows:
    ends = found["window_end"].astype("int64") // 1_000_000
    return set(zip(found["reviewer"], ends, found["movie_count"], strict=True))


def _check(name: str, found: Windows, expected: Windows) -> None:
    if found != expected:
        raise Wrong(f"{name}: {len(found - expected):,} windows too many, {len(expected - found):,} missing.")


def flink(pipeline: Pipeline, expected: Windows) -> float:
    """Seconds from the moment the job's source is initialised to the last window on the output stream.

    The JVMs are new at every turn, so the JIT compiler's work is in it. Both moments are of this machine's clock.
    """
    shards = {shard["ShardId"]: None for shard in pipeline.kinesis.list_shards(StreamName=OUT)["Shards"]}
    before = _tips(shards)
    pipeline.start()
    board = pipeline.dashboard()
    job = board.jobs()[0]["jid"]
    source = board.vertices(job)[0]
    times = board.get(f"/jobs/{job}/vertices/{source['id']}/subtasktimes")["subtasks"]
    began = min(one["timestamps"]["RUNNING"] for one in times) / 1000
    deadline = time.monotonic() + 300
    count, position = 0, dict(before)
    tables = []
    while count < len(expected):
        fresh = read_stream(OUT, position)
        for shard, part in fresh.groupby("shard"):
            position[shard] = part["sequence_number"].iloc[-1]
        tables.append(fresh)
        count += len(fresh)
        if time.monotonic() > deadline:
            raise Wrong(f"The application wrote {count:,} of {len(expected):,} windows in 300 seconds.")
        time.sleep(0.1)
    raw = pd.concat(tables, ignore_index=True)
    ended = raw["arrival"].max().timestamp()
    pipeline.flink.stop_application(ApplicationName="student", Force=True)
    pipeline.wait_status("READY", "FORCE_STOPPING", "STOPPING")
    while not json.loads(pipeline.account.command("status", "--json").stdout)["warm_cluster"]:
        time.sleep(0.2)  # the account starts its next JVMs: that work must not fall into the next contender's time
    time.sleep(3)
    output = read_windows(read_stream(OUT, before))  # again, to the very end: one window too many would be here
    if len(output.conflicts) or output.duplicates:
        raise Wrong(f"The application wrote {output.sentence}")
    _check("application", _as_set(output.table), expected)
    return ended - began


OUT = "suspicious_activity"


def _tips(shards: dict[str, None]) -> dict[str, str | None]:
    table = read_stream(OUT)
    last: dict[str, str | None] = dict(shards)
    last.update({str(shard): part["sequence_number"].iloc[-1] for shard, part in table.groupby("shard")})
    return last


def engine(name: str, account: EmbeddedAccount, expected: Windows) -> float:
    """Seconds of one Python contender in a process of its own."""
    command = [str(ENGINES[name]), "-m", "benchmarks.engines.reading", name, account.endpoint, "reviews"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Wrong(f"{name} ended with {done.returncode}: {done.stderr[-1500:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    if name != "getrecords":
        _check(name, {(reviewer, end, count) for reviewer, end, count in answer["windows"]}, expected)
    return answer["seconds"]


def measure(reviews: int, times: int, shards: int) -> dict[str, list[float]]:
    """Reviews a second of each contender, one figure a turn."""
    rates: dict[str, list[float]] = defaultdict(list)
    names = [name for name in ENGINES if (shards == 1 or name == "getrecords") and ENGINES[name].exists()]
    with (
        tempfile.TemporaryDirectory() as name,
        pytest.MonkeyPatch.context() as environment,
        account_up(Path(name)) as account,
    ):
        pipeline = Pipeline(account, Path(name), environment, shards)
        expected = backlog(pipeline, reviews, Path(name))
        for turn in range(times):
            everyone = ["application", *names]
            for contender in everyone[turn % len(everyone) :] + everyone[: turn % len(everyone)]:
                if contender == "application":
                    seconds = flink(pipeline, expected)
                else:
                    seconds = engine(contender, account, expected)
                rates[contender].append(reviews / seconds)
                figure = f"{seconds:7.2f} s {reviews / seconds:9,.0f} reviews/s"
                print(f"{shards} shards, turn {turn + 1}, {contender:<16}{figure}", flush=True)
    print(f"{shards} shards: {len(expected):,} windows, every result equal to the reference", flush=True)
    return rates


def rows(rates: dict[int, dict[str, list[float]]], reviews: int) -> list[Row]:
    """The issue's names: how many times as many reviews a second as each contender, on one shard."""
    one = rates[min(rates)]
    ours = one["application"]
    bounds = {"getrecords": 1.0, "pandas_windows": 1.0, "bytewax_windows": 1.0, "quix_windows": 1.0}
    names = {"quix_windows": "quixstreams"}
    result = [row("detection_reviews", [float(reviews)], "reviews of backlog")]
    for name, bound in bounds.items():
        if name in one:
            ratio = [mine / other for mine, other in zip(ours, one[name], strict=True)]
            short = names.get(name, name.removesuffix("_windows"))
            row_ = row(f"detection_ratio_{short}", ratio, "times its rate", bound, at_least=True, beside=name)
            result.append(row_)
    for shards, found in rates.items():
        for name, values in found.items():
            result.append(row(f"detection_rate_{name}_{shards}", values, "reviews/s"))
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", type=int, default=500_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--quick", action="store_true", help="50,000 reviews, one shard, one turn")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.quick:
        options.reviews, options.times, options.shards = 50_000, 1, [1]
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    found = {shards: measure(options.reviews, options.times, shards) for shards in options.shards}
    result = rows(found, options.reviews)
    print(table(result))
    write(result, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
