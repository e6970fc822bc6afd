"""The start of an application on a real cluster, without an account around it."""

import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from localaws.errors import ApplicationFailed
from localaws.flink_cluster.cluster import FlinkCluster
from localaws.flink_cluster.configuration import ClusterConfiguration
from localaws.flink_cluster.offered_time import OfferedTime
from localaws.job_description import RUN_OPTIONS, ApplicationKey, JobDescription
from localaws.managed_flink import running as module
from localaws.managed_flink.running import RunningApplication
from localaws.managed_flink.sources import SourceTracker
from localaws.processes import ChildRegister

MAIN = """
from pyflink.table import EnvironmentSettings, TableEnvironment

environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
environment.execute_sql("CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1')")
environment.execute_sql("CREATE TABLE nowhere (n BIGINT) WITH ('connector' = 'blackhole')")
environment.execute_sql("INSERT INTO nowhere SELECT n FROM numbers")
"""


class NoStreams:
    def exists(self, name: str) -> bool:
        return False

    def open_shards(self, name: str) -> list[str]:
        return []


def job(slots: int) -> JobDescription:
    return JobDescription(
        key=ApplicationKey("000000000000", "us-east-1", "wide"),
        arn="arn",
        version=1,
        bucket="",
        object_key="code.zip",
        object_version=None,
        property_groups={RUN_OPTIONS: {"python": "main.py"}},
        parallelism=slots,
        parallelism_per_kpu=slots,
        checkpointing=True,
        checkpoint_interval_ms=10_000,
        min_pause_ms=500,
        allow_non_restored_state=False,
        log_group=None,
        log_stream=None,
    )


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlinkCluster]:
    """A warm cluster of four slots whose ResourceManager waits for no TaskManager any more: it refuses at once."""
    settings = ClusterConfiguration.settings
    over = {"resourcemanager.standalone.start-up-time": "1 ms"}
    monkeypatch.setattr(ClusterConfiguration, "settings", lambda self, slots: settings(self, slots) | over)
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
    running = RunningApplication(job(8), tmp_path, cluster, SourceTracker(), NoStreams(), None, {})
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
    running = RunningApplication(job(4), tmp_path, Hanging(), SourceTracker(), NoStreams(), None, {})  # type: ignore[arg-type]
    with pytest.raises(ApplicationFailed, match="free processor time: a TaskManager with 4 slots has not registered"):
        running._start_job(None, 0.0)
