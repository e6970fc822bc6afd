"""Run one Flink cluster: a JobManager, a TaskManager and a driver held ready, all children of the account.

The JVMs are started directly, not by Flink's shell scripts: each script starts further JVMs to compute what
``configuration`` already knows, which is most of the 38 seconds the scripts take from nothing to RUNNING.
"""

import subprocess
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localaws.errors import ClusterFailed
from localaws.flink_cluster.account_agent import agent_environment
from localaws.flink_cluster.configuration import ClusterPorts, cluster_settings, jvm_memory, write_configuration
from localaws.flink_cluster.distribution import LIGHT_JVM, WORKER_JVM, java_command
from localaws.flink_cluster.driver import Driver
from localaws.flink_cluster.rest import FlinkRest
from localaws.machine.ports import free_port, is_free
from localaws.machine.processes import ChildRegister, clean_environment

DEFAULT_SLOTS = 4  # as an on-demand stream has shards at first


# Main class, and the options of its JVM.
_PROCESSES = {
    "jobmanager": (
        "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
        (*LIGHT_JVM, *jvm_memory("jobmanager", 64)),
    ),
    "taskmanager": (
        "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
        (*WORKER_JVM, *jvm_memory("taskmanager", 128)),
    ),
}


def _python_stays_here(account: str) -> dict[str, str]:
    """Return the environment in which Python's HTTP clients ask the account to reach other machines: it refuses."""
    return {"HTTP_PROXY": account, "HTTPS_PROXY": account, "NO_PROXY": "127.0.0.1,localhost"}


def choose_ports() -> ClusterPorts:
    """Choose two ports for one cluster that are free at this moment."""
    rpc = free_port()
    while (rest := free_port()) == rpc:
        pass
    return ClusterPorts(rpc, rest)


class FlinkCluster:
    """Start, watch and stop the processes of one cluster.

    ``aws_environment`` is what the tasks and the driver see of AWS (endpoint, account as access key, region);
    ``plugins`` a folder of plugins with Flink's file system for S3, where an application needs it.
    """

    def __init__(
        self, clusters: Path, children: ChildRegister, aws_environment: dict[str, str], plugins: Path | None = None
    ) -> None:
        self.id = uuid.uuid4().hex[:8]
        self.folder = clusters / self.id
        self.folder.mkdir(mode=0o700, parents=True)
        self.ports = choose_ports()
        self._s3_endpoint = aws_environment["AWS_ENDPOINT_URL"] if plugins else ""
        self.has_s3 = plugins is not None
        self.wheels: Path | None = self.folder / "wheels"  # what the tasks' pip installs from: it reaches no index
        self.rest = self._rest()
        self.caller = f"ManagedFlink-{self.id}"
        self.slots = DEFAULT_SLOTS
        self._children = children
        # The connector's SDK puts AWS_EXECUTION_ENV into its User-Agent: so the account knows whose call it is.
        self._environment = clean_environment(
            **aws_environment,
            FLINK_CONF_DIR=str(self.folder / "conf"),
            AWS_EXECUTION_ENV=self.caller,
            **agent_environment(clusters / "agent"),
            **({"FLINK_PLUGINS_DIR": str(plugins)} if plugins else {}),
            **_python_stays_here(aws_environment.get("AWS_ENDPOINT_URL", "http://127.0.0.1:9")),
            PIP_NO_INDEX="1",
            PIP_FIND_LINKS=str(self.wheels),
        )
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self.driver: Driver | None = None
        self.on_process_lost: Callable[[str], None] | None = None

    def _rest(self) -> FlinkRest:
        return FlinkRest(f"http://127.0.0.1:{self.ports.rest}")

    # -- starting -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start all processes; returns at once, ``missing_slots`` says what is not up yet."""
        with self._lock:
            self._start_all()
        threading.Thread(target=self._watch, name=f"flink-{self.id}-watch", daemon=True).start()

    def _start_all(self) -> None:
        self._configure()
        self._start_process("jobmanager")
        self._start_process("taskmanager")
        self.renew_driver()

    def _configure(self) -> None:
        write_configuration(self.folder, cluster_settings(self.folder, self.ports, self.slots, self._s3_endpoint))

    def renew_driver(self) -> None:
        """Start a driver; one that was used before is ended first."""
        with self._lock:
            if self.driver is not None:
                self._children.kill(self.driver.processes())
            self.driver = Driver(self.folder, self._children, self._environment)
            self.driver.start()

    def _start_process(self, name: str) -> None:
        """Start ``jobmanager`` or ``taskmanager``."""
        main, jvm = _PROCESSES[name]
        self._processes[name] = self._children.spawn(
            java_command(main, "--configDir", str(self.folder / "conf"), jvm=jvm, folder=self.folder, log=name),
            self._environment,
            self.folder,
            self.folder / "log" / f"{name}.out",
        )

    def request_slots(self, slots: int) -> None:
        """Have a TaskManager with ``slots`` slots or more; a running one with fewer is replaced.

        One with more is kept: a new JVM would cost a third of the time to RUNNING. ``running`` sees to it that an
        application uses no more than it has. ``missing_slots`` says when the slots can be used.
        """
        with self._lock:
            if slots <= self.slots:
                return
            self.slots = slots
            self._configure()
            old = self._processes.pop("taskmanager", None)
            if old is not None:
                self._children.kill([old])
            self._start_process("taskmanager")

    def missing_slots(self) -> str:
        """Say what the requested slots still need, or "" once they are registered and those of a replaced one gone."""
        try:
            registered = sum(manager["slotsNumber"] for manager in self.rest.taskmanagers())
        except ClusterFailed:
            return "its JobManager does not answer yet"
        return "" if registered == self.slots else f"a TaskManager with {self.slots} slots has not registered yet"

    # -- the jobs on it -----------------------------------------------------------------------------------------

    def jobs(self) -> list[dict[str, Any]]:
        """Return every job: the cluster belongs to one application."""
        return self.rest.jobs()

    def job_options(self) -> dict[str, str]:
        """Return options of the next job beyond its application's configuration: none."""
        return {}

    def check_checkpoint(self, folder: Path, job_id: str) -> None:
        """Pass every checkpoint: this cluster writes on this machine."""

    def has_lost(self, job_id: str) -> bool:
        """Return False: ``on_process_lost`` tells when the JobManager, and its job with it, was lost."""
        return False

    # -- watching -----------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Start a JobManager or TaskManager that died again, as Managed Flink does."""
        while not self._stopped.wait(0.5):
            with self._lock:
                lost = [name for name, process in self._processes.items() if process.poll() is not None]
                if lost:
                    if self._stopped.is_set():
                        return
                    # A TaskManager would notice only after its heartbeat timeout that its JobManager is another one,
                    # and its tasks would write on meanwhile: it goes with the JobManager.
                    again = list(self._processes) if "jobmanager" in lost else lost
                    self._children.kill([self._processes[name] for name in again])  # what they started may still run
                    self._bring_back(again)
            for name in lost:
                if self.on_process_lost is not None:
                    self.on_process_lost(name)

    def _bring_back(self, names: list[str]) -> None:
        if "jobmanager" in names and not (is_free(self.ports.rpc) and is_free(self.ports.rest)):
            self._move()
            return
        for name in names:
            self._start_process(name)

    def _move(self) -> None:
        """Start the whole cluster again on other ports: another program listens on one of the JobManager's."""
        self.ports = choose_ports()
        self.rest = self._rest()
        self._start_all()

    def log_files(self) -> dict[str, Path]:
        """Return the log files whose lines go to the application's log stream, by the process that writes them."""
        log = self.folder / "log"
        return {name: log / f"{name}.log" for name in ("jobmanager", "taskmanager")} | {"driver": log / "driver.out"}

    def processes(self) -> list[subprocess.Popen[bytes]]:
        """Return the processes that work for the application."""
        with self._lock:
            return [*self._processes.values(), *(self.driver.processes() if self.driver else ())]

    # -- stopping -----------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """End every process of the cluster; safe to call twice."""
        self._stopped.set()
        with self._lock:
            processes = self.processes()
            self._processes.clear()
        # Nothing of a Flink process is worth a slow goodbye: its state is in checkpoints.
        self._children.kill(processes)
