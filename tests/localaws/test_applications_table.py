"""Applications of the Table API and SQL, none with an endpoint in it, run as they would on AWS."""

import json
import time
from typing import Any

import psutil
import pytest

from tests.support.applications import PATIENCE, Workbench, source

pytestmark = pytest.mark.slow  # about 80 s in all


FAN_OUT = "'scan.stream.recordpublisher' = 'EFO', 'scan.stream.efo.consumername' = 'fan', 'scan.stream.initpos'"


@pytest.mark.parametrize("publisher", ["'scan.stream.initpos'", FAN_OUT], ids=["polling", "enhanced fan-out"])
def test_sql(bench: Workbench, publisher: str) -> None:
    main = source("sql.py").replace("'scan.stream.initpos'", publisher)
    bench.deploy_with_jar(main, "App/")
    bench.run()
    bench.put(range(10))
    assert bench.written(5) == [0, 2, 4, 6, 8]


def test_table_api_with_a_python_udf(bench: Workbench) -> None:
    bench.runtime = "FLINK-1_18"
    bench.deploy_with_jar(source("table_udf.py"), "App/")
    bench.run()
    bench.put(range(6))
    assert bench.written(6) == [0, 1, 4, 9, 16, 25]
    warning = "The application is for FLINK-1_18 and runs here on Flink 1.20."
    assert warning in bench.account.command("status").stdout
    assert f"service WARN {warning}" in bench.account.command("logs", bench.name).stdout
    workers = bench.python_workers()
    assert workers
    bench.stop()
    assert psutil.wait_procs(workers, timeout=60)[1] == []


def test_session_windows_of_a_main_file_that_waits(bench: Workbench) -> None:
    bench.deploy_with_jar(source("sessions.py"))
    bench.run()
    bench.put(range(0, 4))
    bench.put(range(20, 23))
    bench.put(range(40, 41))  # closes the second session
    assert bench.written(2) == [0 + 1 + 2 + 3, 20 + 21 + 22]


FAHRENHEIT = [temperature * 9 / 5 + 32 for temperature in range(-40, 60)]


def test_temporary_function_over_a_generated_source(bench: Workbench) -> None:
    bench.deploy_with_jar(source("udf_datagen.py"))
    bench.run()
    assert bench.records(20)[:20] == [{"sensor": 7, "temperature": degrees} for degrees in FAHRENHEIT[:20]]


def test_four_windows_of_a_generated_source_to_four_streams(bench: Workbench) -> None:
    windows = ("tumbling-processing", "tumbling-event", "sliding-processing", "sliding-event")
    for number, part in enumerate(windows):
        bench.groups[f"OutputStream{number}"] = {"stream.name": bench.create_stream(part), "aws.region": "us-east-1"}
    bench.deploy_with_jar(source("windowing.py"))
    bench.run()

    def read(part: str) -> list[tuple[int, int]]:
        """The first and the last reading of each window; the readings between them are all in it, and counted once."""
        found = bench.records(6, part)
        for window in found:
            readings = range(window["lowest"], window["highest"] + 1)
            assert (window["readings"], window["total"]) == (len(readings), sum(readings)), (part, window)
        return sorted((window["lowest"], window["highest"]) for window in found)[:6]

    assert read("tumbling-event") == [(10 * end - 10, 10 * end - 1) for end in range(1, 7)]
    assert read("sliding-event") == [(max(10 * end - 20, 0), 10 * end - 1) for end in range(1, 7)]
    # Where a window of processing time begins depends on the clock; each reading is in one of them, or in two.
    tumbling, sliding = read("tumbling-processing"), read("sliding-processing")
    assert [first for first, _ in tumbling] == [0, *(last + 1 for _, last in tumbling[:-1])]
    assert sliding[0][0] == sliding[1][0] == 0
    assert [first for first, _ in sliding[2:]] == [last + 1 for _, last in sliding[:-2]]


def clock(second: int) -> str:
    return f"10:{second // 60:02}:{second % 60:02}"


def trades(first: int, last: int) -> list[dict[str, Any]]:
    """One trade of each of two tickers a second, whose price falls within each ten seconds."""
    return [
        {"ticker": ticker, "price": base - second % 10, "event_time": f"2026-11-27T{clock(second)}"}
        for second in range(first, last)
        for ticker, base in (("AMZN", 200.0), ("TBV", 100.0))
    ]


def test_windows_between_two_streams_are_exact_after_a_killed_taskmanager(bench: Workbench) -> None:
    bench.checkpoint_every_second()
    streams, region = bench.streams, {"aws.region": "us-east-1"}
    bench.groups = {
        "consumer.config.0": {"input.stream.name": streams[0], "flink.stream.initpos": "TRIM_HORIZON", **region},
        "producer.config.0": {"output.stream.name": streams[1], "shard.count": "1", **region},
    }
    bench.deploy_with_jar(source("tumbling_windows.py"))
    bench.run()
    bench.put_records(trades(0, 47))
    bench.records(6, distinct=True)  # three windows of two tickers are out, the fourth is open
    bench.kill_taskmanager()
    bench.put_records(trades(47, 96))
    expected = [
        {"ticker": ticker, "price": price, "event_time": f"2026-11-27 {clock(end)}"}
        for end in range(10, 100, 10)
        for ticker, price in (("AMZN", 191.0), ("TBV", 91.0))
    ]
    found = bench.records(len(expected), distinct=True)
    assert sorted(found, key=lambda record: (record["event_time"], record["ticker"])) == expected


def part_files(bench: Workbench) -> list[int]:
    """The numbers in the finished part files, in order; what Flink holds back begins with an underscore."""
    numbers = []
    for stored in bench.s3.list_objects_v2(Bucket=bench.bucket, Prefix="out/part-").get("Contents", []):
        lines = bench.s3.get_object(Bucket=bench.bucket, Key=stored["Key"])["Body"].read().splitlines()
        numbers += [json.loads(line)["n"] for line in lines]
    return sorted(numbers)


def test_files_in_s3_are_exact_after_a_killed_taskmanager(bench: Workbench) -> None:
    bench.checkpoint_every_second()
    bench.s3.put_object(Bucket=bench.bucket, Key="known/a.json", Body=b'{"n": 100}\n{"n": 101}\n')
    bench.deploy_with_jar(source("s3_files.py"))
    bench.run()
    bench.put(range(10))
    deadline = time.monotonic() + PATIENCE
    while len(part_files(bench)) < 12 and time.monotonic() < deadline:
        time.sleep(0.5)
    bench.put(range(10, 15))
    bench.kill_taskmanager()
    bench.put(range(15, 20))
    while len(part_files(bench)) < 22 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert part_files(bench) == [*range(20), 100, 101]
