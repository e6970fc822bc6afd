"""How fast the local Managed Flink starts and stops an application, beside Flink's own scripts; what it costs idle.

    python -m benchmarks.managed_flink [--times 2] [--quick]

The lab's application on two shards, a cluster held warm (which is the account's normal state), and the same script with
``start-cluster.sh`` and ``flink run -py``, in turns.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.rows import Row, arguments, ratio_row, report, row
from lab.deploy.connector import connector_jar
from lab.deploy.flink_zip import JAR_IN_ZIP
from tests.support.account import EmbeddedAccount, free_port
from tests.support.pipeline import Pipeline
from tests.support.plain_flink import PlainFlink

SCRIPT = Path(__file__).parent.parent / "flink_app" / "SlidingWindows" / "sliding-windows.py"
IDLE_SECONDS = 30.0


@contextmanager
def account_up(folder: Path) -> Iterator[EmbeddedAccount]:
    account = EmbeddedAccount(free_port(), folder / "home")
    started = account.command("up")
    if started.returncode:
        raise RuntimeError(started.stderr)
    try:
        yield account
    finally:
        account.command("down")


def family(account: EmbeddedAccount) -> list[psutil.Process]:
    process = psutil.Process(account.pid)
    return [process, *process.children(recursive=True)]


def idle(account: EmbeddedAccount) -> tuple[float, float]:
    """(megabytes resident, share of one core in percent) without work, cluster warm.

    The first share that is not clearly below the one before: what a start leaves to be done goes on for a minute after
    the cluster is warm, longer on a slow machine, and is not idling.
    """
    while not json.loads(account.command("status", "--json").stdout)["warm_cluster"]:
        time.sleep(0.2)
    processes, before = family(account), float("inf")
    while (now := _share(processes)) < 0.8 * before:
        before = now
    return sum(one.memory_info().rss for one in processes) / 1e6, now


def _share(processes: list[psutil.Process]) -> float:
    """Percent of one core that these processes take for a while."""
    before = sum(sum(one.cpu_times()[:2]) for one in processes)
    time.sleep(IDLE_SECONDS)
    return 100 * (sum(sum(one.cpu_times()[:2]) for one in processes) - before) / IDLE_SECONDS


def start(flink: Any, name: str) -> float:
    """Seconds from StartApplication to RUNNING."""
    began = time.monotonic()
    restore = {"ApplicationRestoreConfiguration": {"ApplicationRestoreType": "SKIP_RESTORE_FROM_SNAPSHOT"}}
    flink.start_application(ApplicationName=name, RunConfiguration=restore)
    _until(flink, name, "RUNNING")
    return time.monotonic() - began


def stop(flink: Any, name: str) -> float:
    """Seconds from StopApplication without a snapshot to READY."""
    began = time.monotonic()
    flink.stop_application(ApplicationName=name, Force=True)
    _until(flink, name, "READY")
    return time.monotonic() - began


def _until(flink: Any, name: str, wanted: str) -> None:
    while flink.describe_application(ApplicationName=name)["ApplicationDetail"]["ApplicationStatus"] != wanted:
        time.sleep(0.02)


def plain_files(folder: Path, groups: list[dict[str, Any]]) -> tuple[Path, Path]:
    """The application as Flink's own command takes it: its main file, with its properties beside it, and the jar."""
    app = folder / "app"
    (app / "lib").mkdir(parents=True)
    main = app / SCRIPT.name
    main.write_bytes(SCRIPT.read_bytes())
    kept = [one for one in groups if "run.options" not in one["PropertyGroupId"]]
    (app / "application_properties.json").write_text(json.dumps(kept))
    jar = app / "lib" / JAR_IN_ZIP.rpartition("/")[2]
    jar.write_bytes(connector_jar().read_bytes())
    return main, jar


def measure_plain(pipeline: Pipeline, folder: Path) -> float:
    """Seconds the plain way takes to a running job, which is then stopped."""
    main, jar = plain_files(folder, pipeline.property_groups())
    plain = PlainFlink(folder, free_port(), free_port(), slots=2)
    try:
        return plain.start(main, jar)
    finally:
        plain.stop()


def measure(times: int) -> list[Row]:
    """All rows; ``times`` turns of ours and the plain way."""
    starts: list[float] = []
    stops: list[float] = []
    seconds: list[float] = []
    plain: list[float] = []
    resident: list[float] = []
    busy: list[float] = []
    with (
        tempfile.TemporaryDirectory() as name,
        pytest.MonkeyPatch.context() as environment,
        account_up(Path(name)) as account,
    ):
        pipeline = Pipeline(account, Path(name), environment, shards=2)
        pipeline.build()
        pipeline.create_second()
        for turn in range(times):
            megabytes, percent = idle(account)
            resident.append(megabytes)
            busy.append(percent)
            starts.append(start(pipeline.flink, "student"))
            seconds.append(start(pipeline.flink, "second"))
            stop(pipeline.flink, "second")
            stops.append(stop(pipeline.flink, "student"))
            plain.append(measure_plain(pipeline, Path(name) / f"plain-{turn}"))
    beside = "start-cluster.sh and flink run -py"
    return [
        row("start_seconds", starts, "s", 12, plain, beside),
        ratio_row("start_ratio", starts, plain, beside, round(1 / 3, 3), unit="of the plain way"),
        row("plain_start_seconds", plain, "s"),
        row("stop_seconds", stops, "s", 2),
        row("second_application_seconds", seconds, "s", 15),
        row("idle_resident_mb", resident, "MB", 1500),
        row("idle_cpu_percent", busy, "% of a core", 3),
    ]


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--times", type=int, default=2)
    options = parser.parse_args()
    return report(measure(1 if options.quick else options.times), options.out)


if __name__ == "__main__":
    sys.exit(main())
