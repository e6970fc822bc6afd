"""Applications of the DataStream API, none with an endpoint in it, run as they would on AWS."""

import time

import pytest

from tests.support.applications import PATIENCE, Workbench, source

pytestmark = pytest.mark.slow  # about 35 s in all


SUMS = {0: 0 + 3 + 6 + 9, 1: 1 + 4 + 7, 2: 2 + 5 + 8}


def test_datastream_with_state_and_timers(bench: Workbench) -> None:
    bench.deploy_with_jar(source("datastream.py"), "App/")
    bench.run()
    bench.put(range(10))
    deadline, last = time.monotonic() + PATIENCE, {}
    while last != SUMS and time.monotonic() < deadline:
        last = {record["remainder"]: record["n"] for record in bench.records(3)}
        time.sleep(0.1)
    assert last == SUMS


def test_datastream_connectors_and_boto3(bench: Workbench) -> None:
    bench.runtime = "FLINK-1_19"
    bench.deploy_with_jar(source("connectors.py"))
    bench.run()
    bench.put(range(5))
    assert bench.written(5) == [0, 7, 14, 21, 28]


def test_datastream_windows_are_exact_after_a_killed_taskmanager(bench: Workbench) -> None:
    bench.checkpoint_every_second()
    bench.deploy_with_jar(source("datastream_windows.py"))
    bench.run()
    bench.put(range(35))
    bench.records(6, distinct=True)  # three windows of two keys are out, the fourth is open
    bench.kill_taskmanager()
    bench.put(range(35, 72))
    expected = [
        {"key": key, "end": 1000 * end, "n": [*range(end - 10 + rest, end, 2)]}
        for end in range(10, 80, 10)
        for rest, key in enumerate(("even", "odd"))
    ]
    found = bench.records(len(expected), distinct=True)
    assert sorted(found, key=lambda window: (window["end"], window["key"])) == expected
