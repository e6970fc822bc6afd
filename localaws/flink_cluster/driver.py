"""Drive an application: the Python process that runs its main file, and the JVM it plans the job with.

Both are started together with the cluster and wait: importing PyFlink and loading the SQL planner take longer than
everything else between StartApplication and RUNNING, and neither depends on the application.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localaws.errors import ClusterFailed
from localaws.flink_cluster.distribution import LIGHT_JVM, java_command
from localaws.machine.processes import ChildRegister

DRIVER_MAIN = Path(__file__).parent / "driver_main.py"


@dataclass(frozen=True)
class Task:
    """Hold what the driver is to run; see ``driver_main`` for how each part is used."""

    main: str
    properties_file: str
    folder: str
    jars: list[str] = field(default_factory=list)
    python_files: list[str] = field(default_factory=list)
    configuration: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


class Driver:
    """Provide a gateway JVM and a Python process connected to it, waiting for one task; used once."""

    def __init__(self, folder: Path, children: ChildRegister, environment: dict[str, str]) -> None:
        self._folder = folder
        self._children = children
        self._environment = environment
        self._gateway: subprocess.Popen[bytes] | None = None
        self._python: subprocess.Popen[bytes] | None = None
        self._events: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self.log = folder / "log" / "driver.out"

    def start(self) -> None:
        """Start both processes; returns at once."""
        port_file = Path(tempfile.mkdtemp(dir=self._folder / "tmp")) / "port"
        self._gateway = self._children.spawn(
            java_command(
                "org.apache.flink.client.python.PythonGatewayServer",
                jvm=(*LIGHT_JVM, "-Xmx320m", "-Xms64m", "-XX:MaxMetaspaceSize=256m"),
                folder=self._folder,
                log="gateway",
            ),
            {**self._environment, "_PYFLINK_CONN_INFO_PATH": str(port_file)},
            self._folder,
            self._folder / "log" / "gateway.out",
        )
        threading.Thread(target=self._start_python, args=(port_file,), daemon=True).start()

    def _start_python(self, port_file: Path) -> None:
        reading, writing = os.pipe()
        self._python = self._children.spawn(
            [sys.executable, "-u", str(DRIVER_MAIN), str(port_file), str(writing)],
            # Without this PyFlink opens a gRPC server on every address, for workers inside the driver; ours run
            # beside the tasks, as on a cluster.
            {**self._environment, "_python_worker_execution_mode": "process"},
            self._folder,
            self.log,
            stdin=subprocess.PIPE,
            pass_fds=(writing,),
        )
        os.close(writing)
        with os.fdopen(reading) as events:
            for line in events:
                with self._changed:
                    self._events.append(json.loads(line))
                    self._changed.notify_all()
        with self._changed:
            self._events.append({"event": "ended", "code": self._python.wait()})
            self._changed.notify_all()

    def is_ready(self) -> bool:
        """Return whether the driver waits for its task; raises ClusterFailed where one of its processes has ended."""
        with self._changed:
            said = {event["event"] for event in self._events}
        if "ready" not in said:
            for process, output in ((self._gateway, "gateway.out"), (self._python, self.log.name)):
                if process is not None and process.poll() is not None:
                    raise ClusterFailed(
                        f"The Python driver ended before it was ready; its output is in {self.log.with_name(output)}."
                    )
        return "ready" in said

    def run(self, task: Task) -> None:
        """Hand its task to a driver that is ready; returns at once."""
        assert self._python is not None and self._python.stdin is not None
        with self._python.stdin as pipe:
            pipe.write(json.dumps(task.__dict__).encode() + b"\n")

    def outcome(self) -> dict[str, Any] | None:
        """Return the event ``finished``, ``failed`` (with type, message, trace) or ``ended``; None before it."""
        with self._changed:
            for event in self._events:
                if event["event"] in ("finished", "failed", "ended"):
                    return event
        return None

    def wait_change(self, timeout: float) -> None:
        """Wait until the driver says something new, at most ``timeout`` seconds."""
        with self._changed:
            self._changed.wait(timeout)

    def processes(self) -> list[subprocess.Popen[bytes]]:
        return [process for process in (self._python, self._gateway) if process is not None]

    def output(self, limit: int = 20_000) -> str:
        """Return the last ``limit`` characters of what the application printed."""
        with contextlib.suppress(FileNotFoundError):
            return self.log.read_text(errors="replace")[-limit:]
        return ""
