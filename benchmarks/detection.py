"""How fast a backlog is detected: the lab's SQL application, a bare loop, Python engines and a Python UDF.

    python -m benchmarks.detection [--reviews 500000] [--times 3] [--shards 1 4] [--quick]

The same stream for all, in turns, another one first each time; every result is compared with lab.reference, window for
window, and a wrong one ends the benchmark. The Python engines run on one shard (their libraries' own sharding needs a
broker), in `.venv-bench`.
"""

import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks.managed_flink import account_up
from benchmarks.rows import Row, arguments, ratio_row, report, row
from lab.deploy.flink_zip import build_flink_zip
from lab.streams.reading import read_stream, stream_batches
from lab.streams.records import read_reviews, read_windows
from lab.validation.reference import windows
from tests.support.account import PROJECT, EmbeddedAccount
from tests.support.pipeline import BUCKET, WINDOW, Pipeline

BENCH_PYTHON = PROJECT / ".venv-bench" / "bin" / "python"
ENGINES = {
    "getrecords": Path(sys.executable),
    "pandas_windows": Path(sys.executable),
    "bytewax_windows": BENCH_PYTHON,
    "quix_windows": BENCH_PYTHON,
}
BESIDE = {"pandas_windows": "pandas", "bytewax_windows": "bytewax", "quix_windows": "quixstreams"}
MAINS = {
    "application": "SlidingWindows/sliding-windows.py",
    "application_200ms": "SlidingWindows/sliding-windows.py",
    "pyflink_udf": "SlidingWindows/with_udf.py",
}
EVERY_TURN = ("application", "getrecords")
BOUND_FROM = 500_000  # reviews: with fewer, starting the JVMs' work weighs too much to compare
FULL_TURN = ("application", "application_200ms", "getrecords", "pandas_windows")
# On a tenth of the backlog: of 500,000 reviews the UDF had done four fifths after 15 minutes, bytewax was not through
# after 13.
SLOW_TURN = ("application", "pyflink_udf", "bytewax_windows", "quix_windows")
SLOW_PART = 10
LONGEST = 900.0  # seconds; the Python UDF is by far the slowest
Windows = set[tuple[str, int, int]]
Rates = dict[str, list[float]]


class Wrong(RuntimeError):
    """A contender's windows are not the reference's: its time says nothing."""


def backlog(pipeline: Pipeline, reviews: int, folder: Path) -> Windows:
    """Fill the stream through the producer; what must come out of it."""
    data = folder / "data"
    command = [sys.executable, "-m", "reviewgen", "--count", str(reviews), "--out", str(data)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    pipeline.build(data / "sample.json", checkpoint_ms=10_000)
    package = build_flink_zip(folder / "SlidingWindows.zip")
    with zipfile.ZipFile(package, "a") as packed:
        packed.write(Path(__file__).parent / "engines" / "with_udf.py", MAINS["pyflink_udf"])
    pipeline.s3.upload_file(str(package), BUCKET, "SlidingWindows.zip")
    code = {"S3ContentLocationUpdate": {"FileKeyUpdate": "SlidingWindows.zip"}}
    pipeline.update(ApplicationCodeConfigurationUpdate={"CodeContentUpdate": code})
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


def _choose(pipeline: Pipeline, name: str) -> None:
    """Let the application read from the oldest record, with this contender's main file.

    It polls without a pause, as the bare loop does, which no shard of AWS allows; ``application_200ms`` is as shipped.
    """
    groups = pipeline.property_groups()
    properties = {group["PropertyGroupId"]: group["PropertyMap"] for group in groups}
    properties["consumer.config.0"]["scan.stream.initpos"] = "TRIM_HORIZON"
    properties["consumer.config.0"]["getrecords.interval.millis"] = "200" if name == "application_200ms" else "1"
    properties["kinesis.analytics.flink.run.options"]["python"] = MAINS[name]
    pipeline.update(EnvironmentPropertyUpdates={"PropertyGroups": groups})


def flink(pipeline: Pipeline, expected: Windows, name: str = "application") -> float:
    """Seconds from the moment the job's source is initialised to the last window on the output stream.

    The JVMs are new at every turn, so the JIT compiler's work is in it. Both moments are of this machine's clock.
    """
    shards = {shard["ShardId"]: None for shard in pipeline.kinesis.list_shards(StreamName=OUT)["Shards"]}
    before = _tips(shards)
    _choose(pipeline, name)
    pipeline.start()
    board = pipeline.dashboard()
    job = board.jobs()[0]["jid"]
    source = board.vertices(job)[0]
    times = board.get(f"/jobs/{job}/vertices/{source['id']}/subtasktimes")["subtasks"]
    began = min(one["timestamps"]["RUNNING"] for one in times) / 1000
    deadline = time.monotonic() + LONGEST
    count, position = 0, dict(before)
    tables = []
    while count < len(expected):
        fresh = read_stream(OUT, position)
        for shard, part in fresh.groupby("shard"):
            position[shard] = part["sequence_number"].iloc[-1]
        tables.append(fresh)
        count += len(fresh)
        if time.monotonic() > deadline:
            raise Wrong(f"{name} wrote {count:,} of {len(expected):,} windows in {LONGEST:.0f} s.")
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
        raise Wrong(f"{name} wrote {output.sentence}")
    _check(name, _as_set(output.table), expected)
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


def measure(reviews: int, times: int, shards: int, chosen: tuple[str, ...] = ()) -> Rates:
    """Reviews a second of each contender (or of those ``chosen``), one figure a turn.

    The application and the bare loop take part in every turn, the others in the first. On several shards only those
    two: the Python engines read one.
    """
    rates: Rates = defaultdict(list)
    everyone = chosen or (FULL_TURN if shards == 1 else EVERY_TURN)
    with (
        tempfile.TemporaryDirectory() as name,
        pytest.MonkeyPatch.context() as environment,
        account_up(Path(name)) as account,
    ):
        pipeline = Pipeline(account, Path(name), environment, shards)
        expected = backlog(pipeline, reviews, Path(name))
        for turn in range(times):
            if turn:
                everyone = tuple(name for name in everyone if name in EVERY_TURN)
            for contender in everyone[turn % len(everyone) :] + everyone[: turn % len(everyone)]:
                if contender in MAINS:
                    seconds = flink(pipeline, expected, contender)
                else:
                    seconds = engine(contender, account, expected)
                rates[BESIDE.get(contender, contender)].append(reviews / seconds)
                figure = f"{seconds:7.2f} s {reviews / seconds:9,.0f} reviews/s"
                print(f"{shards} shards, turn {turn + 1}, {contender:<16}{figure}", flush=True)
    print(f"{shards} shards: {len(expected):,} windows, every result equal to the reference", flush=True)
    return rates


def rows(rates: dict[int, Rates], reviews: int, slow: Rates) -> list[Row]:
    """How many times as many reviews a second as each contender, on one shard; then every rate.

    ``slow``: rates of the slow contenders, and of the application on the same smaller backlog; may be empty.
    """
    one = rates[min(rates)]
    least = 1.0 if reviews >= BOUND_FROM else None
    found = [row("detection_reviews", [float(reviews)], "reviews of backlog")]
    for group in (one, slow):
        for name, rate in group.items():
            if not name.startswith("application"):
                ours = group["application"]
                found.append(ratio_row(f"detection_ratio_{name}", ours, rate, name, least, at_least=True))
    if len(rates) > 1:
        most = max(rates)
        name, ours = f"detection_scaling_{most}_shards", rates[most]["application"]
        found.append(ratio_row(name, ours, one["application"], "the application on one shard"))
    for shards, contenders in rates.items():
        found += [row(f"detection_rate_{name}_{shards}", rate, "reviews/s") for name, rate in contenders.items()]
    beside = {"application": "application_beside_the_slow"}
    found += [row(f"detection_rate_{beside.get(name, name)}_1", rate, "reviews/s") for name, rate in slow.items()]
    return found


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--reviews", type=int, default=500_000, help="(default 500000, with --quick 20000)")
    parser.add_argument("--times", type=int, default=2)
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 4])
    options = parser.parse_args()
    if options.quick:
        options.reviews, options.times, options.shards = 20_000, 1, [1]
    chosen = (*EVERY_TURN, *BESIDE) if options.quick else ()
    found = {shards: measure(options.reviews, options.times, shards, chosen) for shards in options.shards}
    slow = {} if options.quick else measure(options.reviews // SLOW_PART, 1, 1, SLOW_TURN)
    return report(rows(found, options.reviews, slow), options.out)


if __name__ == "__main__":
    sys.exit(main())
