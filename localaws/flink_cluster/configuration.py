"""The configuration of one cluster: memory that adds up, loopback only, and checkpoints as Managed Flink sets them."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml

MB = 1 << 20


@dataclass(frozen=True)
class Memory:
    """Sizes in MB. The JVM options and Flink's configuration are both derived from it, so they cannot disagree
    (if they do, the JobManager never grants a slot and the job restarts for ever)."""

    jobmanager_heap: int = 256
    jobmanager_off_heap: int = 96
    task_heap: int = 640
    framework_heap: int = 128
    framework_off_heap: int = 64
    task_off_heap: int = 32
    network: int = 96
    managed: int = 128  # for Python UDF workers and RocksDB; reserved, not touched, until something asks for it
    metaspace: int = 256
    overhead: int = 192

    @property
    def taskmanager_heap(self) -> int:
        return self.task_heap + self.framework_heap

    @property
    def taskmanager_direct(self) -> int:
        return self.framework_off_heap + self.task_off_heap + self.network

    def jobmanager_jvm(self) -> tuple[str, ...]:
        return (
            f"-Xmx{self.jobmanager_heap}m",
            "-Xms64m",
            f"-XX:MaxMetaspaceSize={self.metaspace}m",
        )

    def taskmanager_jvm(self) -> tuple[str, ...]:
        return (
            f"-Xmx{self.taskmanager_heap}m",
            "-Xms128m",
            f"-XX:MaxDirectMemorySize={self.taskmanager_direct}m",
            f"-XX:MaxMetaspaceSize={self.metaspace}m",
        )

    def settings(self) -> dict[str, str]:
        """Every memory option Flink would otherwise derive, said outright: TaskManagerRunner needs them all."""
        return {
            "jobmanager.memory.heap.size": f"{self.jobmanager_heap}m",
            "jobmanager.memory.off-heap.size": f"{self.jobmanager_off_heap}m",
            "jobmanager.memory.jvm-metaspace.size": f"{self.metaspace}m",
            "jobmanager.memory.jvm-overhead.min": f"{self.overhead}m",
            "jobmanager.memory.jvm-overhead.max": f"{self.overhead}m",
            "taskmanager.memory.task.heap.size": f"{self.task_heap}m",
            "taskmanager.memory.framework.heap.size": f"{self.framework_heap}m",
            "taskmanager.memory.framework.off-heap.size": f"{self.framework_off_heap}m",
            "taskmanager.memory.task.off-heap.size": f"{self.task_off_heap}m",
            "taskmanager.memory.network.min": f"{self.network}m",
            "taskmanager.memory.network.max": f"{self.network}m",
            "taskmanager.memory.managed.size": f"{self.managed}m",
            "taskmanager.memory.jvm-metaspace.size": f"{self.metaspace}m",
            "taskmanager.memory.jvm-overhead.min": f"{self.overhead}m",
            "taskmanager.memory.jvm-overhead.max": f"{self.overhead}m",
        }


@dataclass(frozen=True)
class ClusterPorts:
    """Loopback ports of one cluster."""

    rpc: int
    rest: int


@dataclass(frozen=True)
class ConfigurationFolder:
    """Where a process of Flink finds its configuration, and where it writes."""

    folder: Path

    def write_settings(self, settings: dict[str, str]) -> Path:
        """Write config.yaml and the log configuration; returns the folder for FLINK_CONF_DIR."""
        conf = self.folder / "conf"
        for part in (conf, self.folder / "tmp", self.folder / "web", self.folder / "blobs", self.folder / "log"):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
        config = conf / "config.yaml"
        config.write_text(yaml.safe_dump(settings))
        config.chmod(0o600)
        (conf / "log4j.properties").write_text(LOG4J)
        return conf

    @property
    def log_config(self) -> Path:
        return self.folder / "conf" / "log4j.properties"

    def log_file(self, process: str) -> Path:
        return self.folder / "log" / f"{process}.log"


@dataclass(frozen=True)
class ClusterConfiguration(ConfigurationFolder):
    """What one cluster's config.yaml says."""

    ports: ClusterPorts
    memory: Memory = field(default_factory=Memory)

    def settings(self, slots: int) -> dict[str, str]:
        return {
            "jobmanager.rpc.address": "127.0.0.1",
            "jobmanager.rpc.port": str(self.ports.rpc),
            "jobmanager.bind-host": "127.0.0.1",
            "taskmanager.bind-host": "127.0.0.1",
            "taskmanager.host": "127.0.0.1",
            "taskmanager.numberOfTaskSlots": str(slots),
            "taskmanager.cpu.cores": "1.0",
            # Ten seconds by default, which a TaskManager of a busy machine may need to deploy a task.
            "pekko.ask.timeout": "1 min",
            "rest.address": "127.0.0.1",
            "rest.bind-address": "127.0.0.1",
            "rest.port": str(self.ports.rest),
            "rest.bind-port": str(self.ports.rest),
            # The dashboard of Managed Flink only shows: no jar upload, no cancelling past the API.
            "web.submit.enable": "false",
            "web.cancel.enable": "false",
            # Flink's default lets a page of any site read it.
            "web.access-control-allow-origin": "http://127.0.0.1",
            "web.refresh-interval": "1000",
            "web.upload.dir": str(self.folder / "web"),
            "io.tmp.dirs": str(self.folder / "tmp"),
            "blob.storage.directory": str(self.folder / "blobs"),
            # A killed TaskManager is noticed in seconds, not in Flink's default of 50. Two heartbeats that cannot be
            # delivered are enough, and one every two seconds costs an idle cluster half of what one a second does.
            "heartbeat.interval": "2000",
            "heartbeat.timeout": "8000",
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
            **self.memory.settings(),
        }

    def write(self, slots: int) -> Path:
        """Write the configuration for TaskManagers of ``slots`` slots; returns the folder for FLINK_CONF_DIR."""
        return self.write_settings(self.settings(slots))


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
