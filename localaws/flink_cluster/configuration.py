"""Configure one cluster: memory that adds up, loopback only, and checkpoints as Managed Flink sets them."""

import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

# MB of each memory option that Flink would otherwise derive: TaskManagerRunner needs them all. The options of the JVMs
# come from the same table: where the two disagree, the JobManager never grants a slot.
MEMORY = {
    "jobmanager.memory.heap.size": 256,
    "jobmanager.memory.off-heap.size": 96,
    "jobmanager.memory.jvm-metaspace.size": 256,
    "jobmanager.memory.jvm-overhead.min": 192,
    "jobmanager.memory.jvm-overhead.max": 192,
    "taskmanager.memory.task.heap.size": 640,
    "taskmanager.memory.framework.heap.size": 128,
    "taskmanager.memory.framework.off-heap.size": 64,
    "taskmanager.memory.task.off-heap.size": 32,
    "taskmanager.memory.network.min": 96,
    "taskmanager.memory.network.max": 96,
    "taskmanager.memory.managed.size": 128,  # for Python workers and RocksDB; not touched until something needs it
    "taskmanager.memory.jvm-metaspace.size": 256,
    "taskmanager.memory.jvm-overhead.min": 192,
    "taskmanager.memory.jvm-overhead.max": 192,
}


def jvm_memory(process: str, least: int) -> tuple[str, ...]:
    """Return the memory options of the JVM of ``jobmanager`` or ``taskmanager``; ``least`` is its first heap in MB."""

    def total(*parts: str) -> int:
        return sum(MEMORY.get(f"{process}.memory.{part}", 0) for part in parts)

    heap = total("heap.size", "task.heap.size", "framework.heap.size")
    direct = total("framework.off-heap.size", "task.off-heap.size", "network.max")
    options = (f"-Xmx{heap}m", f"-Xms{least}m", f"-XX:MaxMetaspaceSize={total('jvm-metaspace.size')}m")
    return (*options, f"-XX:MaxDirectMemorySize={direct}m") if direct else options


@dataclass(frozen=True)
class ClusterPorts:
    """Hold the loopback ports of one cluster."""

    rpc: int
    rest: int


def write_configuration(folder: Path, settings: dict[str, str]) -> None:
    """Write conf/config.yaml and the log configuration below ``folder``, and make the folders that Flink writes to."""
    for part in ("conf", "tmp", "web", "blobs", "log"):
        (folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
    config = folder / "conf" / "config.yaml"
    config.write_text(yaml.safe_dump(settings))
    config.chmod(0o600)
    (folder / "conf" / "log4j.properties").write_text(LOG4J)


def cluster_settings(folder: Path, ports: ClusterPorts, slots: int, s3_endpoint: str) -> dict[str, str]:
    """Return what config.yaml says of one cluster; ``s3_endpoint`` is of one with Flink's file system for S3."""
    return {
        "jobmanager.rpc.address": "127.0.0.1",
        "jobmanager.rpc.port": str(ports.rpc),
        "jobmanager.bind-host": "127.0.0.1",
        "taskmanager.bind-host": "127.0.0.1",
        "taskmanager.host": "127.0.0.1",
        "taskmanager.numberOfTaskSlots": str(slots),
        "taskmanager.cpu.cores": "1.0",
        # Ten seconds by default, which a TaskManager of a busy machine may need to deploy a task.
        "pekko.ask.timeout": "1 min",
        "rest.address": "127.0.0.1",
        "rest.bind-address": "127.0.0.1",
        "rest.port": str(ports.rest),
        "rest.bind-port": str(ports.rest),
        # The dashboard of Managed Flink only shows: no jar upload, no cancelling past the API.
        "web.submit.enable": "false",
        "web.cancel.enable": "false",
        # Flink's default lets a page of any site read it.
        "web.access-control-allow-origin": "http://127.0.0.1",
        "web.refresh-interval": "1000",
        "web.upload.dir": str(folder / "web"),
        "io.tmp.dirs": str(folder / "tmp"),
        "blob.storage.directory": str(folder / "blobs"),
        # A killed TaskManager is noticed in seconds, not in Flink's default of 50. Two heartbeats that cannot be
        # delivered are enough, and one every two seconds costs an idle cluster half of what one a second does.
        "heartbeat.interval": "2000",
        # A TaskManager whose heartbeats are late lives: on a machine at load 60 eight seconds ended a start.
        "heartbeat.timeout": "120000",
        "jobmanager.execution.failover-strategy": "region",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "10 s",
        "slot.request.timeout": "60000",
        "state.backend.type": "hashmap",
        "execution.checkpointing.storage": "filesystem",
        "classloader.check-leaked-classloader": "false",
        "metrics.fetcher.update-interval": "1000",
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        **({"s3.endpoint": s3_endpoint, "s3.path.style.access": "true"} if s3_endpoint else {}),
        **{option: f"{size}m" for option, size in MEMORY.items()},
    }


# One line a record, ISO time first: the log shipper tells records from the lines of a stack trace by it.
LOG4J = """\
rootLogger.level = INFO
rootLogger.appenderRef.file.ref = File
appender.file.name = File
appender.file.type = RollingFile
appender.file.fileName = ${sys:log.file}
appender.file.filePattern = ${sys:log.file}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss,SSS} %-5p %c [%t] %m%n%throwable
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 20MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
logger.pekko.name = org.apache.pekko
logger.pekko.level = WARN
logger.netty.name = org.jboss.netty.channel.DefaultChannelPipeline
logger.netty.level = OFF
"""
