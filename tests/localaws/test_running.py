"""The start of an application on a real cluster, without an account around it."""

import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localaws.errors import ApplicationFailed
from localaws.flink_cluster import cluster as cluster_module
from localaws.flink_cluster.cluster import FlinkCluster
from localaws.flink_cluster.offered_time import OfferedTime
from localaws.job_description import RUN_OPTIONS, ApplicationKey, JobDescription
from localaws.machine.processes import ChildRegister
from localaws.managed_flink import running as module
from localaws.managed_flink.running import RunningApplication
from localaws.managed_flink.sources import SourceTracker

MAIN = """
from pyflink.table import EnvironmentSettings, TableEnvironment

environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
environment.execute_sql("CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1')")
environment.execute_sql("CREATE TABLE nowhere (n BIGINT) WITH ('connector' = 'blackhole')")
environment.execute_sql("INSERT INTO nowhere SELECT n FROM numbers")
"""


class Streams:
    def __init__(self, *names: str) -> None:
        self.names = names

    def exists(self, name: str) -> bool:
        return name in self.names

    def open_shards(self, name: str) -> list[str]:
        return ["s0", "s1"]


def job(slots: int, groups: dict[str, dict[str, str]] | None = None) -> JobDescription:
    return JobDescription(
        key=ApplicationKey("000000000000", "us-east-1", "wide"),
        arn="arn",
        version=1,
        runtime="FLINK-1_20",
        bucket="",
        object_key="code.zip",
        object_version=None,
        property_groups=groups or {RUN_OPTIONS: {"python": "main.py"}},
        parallelism=slots,
        parallelism_per_kpu=slots,
        checkpointing=True,
        checkpoint_interval_ms=10_000,
        min_pause_ms=500,
        allow_non_restored_state=False,
        log_group="",
        log_stream="",
    )


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlinkCluster]:
    """A warm cluster of four slots whose ResourceManager waits for no TaskManager any more: it refuses at once."""
    settings = cluster_module.cluster_settings
    over = {"resourcemanager.standalone.start-up-time": "1 ms"}
    monkeypatch.setattr(cluster_module, "cluster_settings", lambda *of: settings(*of) | over)
    cluster = FlinkCluster(tmp_path / "clusters", ChildRegister(tmp_path / "children.json"), {})
    cluster.start()
    while cluster.missing_slots() or not cluster.driver.is_ready():
        time.sleep(0.1)
    yield cluster
    cluster.stop()


@pytest.mark.slow  # about 15 s each: a cluster, and a TaskManager that is replaced
@pytest.mark.parametrize("waits", [True, False], ids=["before_the_submission", "after_a_refusal"])
def test_a_start_waits_for_the_slots_of_a_new_taskmanager(
    waits: bool, cluster: FlinkCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held back until the driver could submit; or, without that wait, until the job was submitted and refused."""
    released, start_process = threading.Event(), cluster._start_process

    def start_late(name: str) -> None:
        threading.Thread(target=lambda: (released.wait(), start_process(name)), daemon=True).start()

    monkeypatch.setattr(cluster, "_start_process", start_late)
    if not waits:
        monkeypatch.setattr(RunningApplication, "_wait_for_slots", lambda self, offered: None)
    package = tmp_path / "code.zip"
    with zipfile.ZipFile(package, "w") as out:
        out.writestr("main.py", MAIN)
    running = RunningApplication(job(8), tmp_path, cluster, SourceTracker(), Streams(), None, {})
    failed: list[Exception] = []

    def start() -> None:
        try:
            running.start(package, None)
        except Exception as error:
            failed.append(error)

    starting = threading.Thread(target=start)
    starting.start()
    if waits:
        while "a TaskManager with 8 slots has not registered yet" not in running.waiting_for:
            assert starting.is_alive(), failed
            time.sleep(0.05)
        assert cluster.rest.jobs() == []
    else:
        while not (running.job_id and cluster.rest.failures(running.job_id)):
            assert starting.is_alive(), failed
            time.sleep(0.05)
        assert "NoResourceAvailableException" in cluster.rest.failures(running.job_id)[0]
    released.set()
    starting.join()
    assert failed == []
    assert running.job_state() == "RUNNING"
    assert [one["slotsNumber"] for one in cluster.rest.taskmanagers()] == [8]
    assert running.waiting_for == ""


def test_a_limit_counts_only_the_time_in_which_a_processor_was_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds on a machine that others keep busy, then ten on one that is idle."""
    looks = iter([(0.0, 0.0, {1: 0.0}), (10.0, 0.0, {1: 1.5}), (20.0, 20.0, {1: 1.5}), (20.5, 20.0, {1: 1.5})])
    monkeypatch.setattr(OfferedTime, "_look", lambda self: next(looks))
    offered = OfferedTime(list)
    assert offered.seconds() == 1.5
    assert offered.seconds() == 11.5
    assert offered.seconds() == 11.5


def test_a_start_that_hangs_says_what_it_waits_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging:
        caller, id = "c", "hanging"

        def processes(self) -> list[None]:
            return []

        def missing_slots(self) -> str:
            return "a TaskManager with 4 slots has not registered yet"

    monkeypatch.setattr(module, "START_LIMIT", -1.0)
    running = RunningApplication(job(4), tmp_path, Hanging(), SourceTracker(), Streams(), None, {})  # type: ignore[arg-type]
    with pytest.raises(ApplicationFailed, match="free processor time: a TaskManager with 4 slots has not registered"):
        running._start_job(None, 0.0)


# -- which sources RUNNING waits for --------------------------------------------------------------------------------


KINESIS_READER = "org/apache/flink/streaming/connectors/kinesis/FlinkKinesisConsumer.class"


class Positions:
    """A start whose tasks run: its graph has so many sources, and every look at the clock costs a second."""

    def __init__(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sources: int, reader: str = KINESIS_READER
    ) -> None:
        nodes = [{"id": str(number)} for number in range(sources)] + [{"id": "sink", "inputs": []}]
        rest = SimpleNamespace(job=lambda job_id: {"plan": {"nodes": nodes}}, failures=lambda job_id, since: [])
        groups = {
            RUN_OPTIONS: {"python": "main.py", "jarfile": "dependencies.jar"},
            "consumer.config.0": {"input.stream.name": "reviews"},
        }
        (tmp_path / "code").mkdir()
        with zipfile.ZipFile(tmp_path / "code" / "dependencies.jar", "w") as jar:
            jar.writestr(reader, "")
        cluster: Any = SimpleNamespace(caller="c", rest=rest)
        self.tracker = SourceTracker()
        streams = Streams("reviews", "other")
        self.running = RunningApplication(job(1, groups), tmp_path, cluster, self.tracker, streams, None, {})
        self.seconds = 0.0
        monkeypatch.setattr(module, "_POLL", 0.0)

    def read(self, stream: str, *shards: str) -> None:
        self.tracker.listed("c", stream)
        for shard in shards:
            self.tracker.read("c", stream, shard)

    def waited(self) -> float:
        def seconds() -> float:
            self.seconds += 1.0
            return self.seconds

        self.running._wait_positioned(SimpleNamespace(seconds=seconds))  # type: ignore[arg-type]
        return self.seconds


@pytest.mark.parametrize(
    ("sources", "read", "least", "most"),
    [
        (1, {"reviews": ["s0", "s1"]}, 0, 3),  # the usual application: nothing to wait for
        (1, {"other": ["s0", "s1"]}, 0, 3),  # the stream that the properties name is never read
        (2, {"reviews": ["s0", "s1"]}, 3, 8),  # the second source may be a slow reader of Kinesis, or datagen
        (2, {"other": ["s0", "s1"]}, 15, 20),  # the second source may be the one that reads the named stream
        (1, {}, 15, 20),
    ],
)
def test_running_waits_for_the_sources_of_the_graph_and_not_for_names(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sources: int,
    read: dict[str, list[str]],
    least: int,
    most: int,
) -> None:
    positions = Positions(tmp_path, monkeypatch, sources)
    for stream, shards in read.items():
        positions.read(stream, *shards)
    assert least <= positions.waited() <= most


def test_a_shard_nobody_has_read_is_waited_for_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    positions = Positions(tmp_path, monkeypatch, sources=1)
    positions.read("reviews", "s0")
    with pytest.raises(ApplicationFailed, match="nothing reads reviews/s1 yet"):
        positions.waited()
