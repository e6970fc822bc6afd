"""Find out whether a job's Kinesis sources have their places, so that RUNNING misses nothing put from then on.

A task is RUNNING before its source has a shard iterator, and LATEST is wherever the stream ends when it gets one. The
account serves Kinesis itself, so it can see each shard's first GetRecords; the caller is known by the
AWS_EXECUTION_ENV of its cluster, which the SDK puts into the User-Agent. The tasks of a cluster that the account did
not start have none: they are known as Flink's by what the connector itself puts there.

The connector keeps no place in its checkpoints for a shard it has read nothing from yet: only the word LATEST, which it
turns into the time of day whenever it starts. After a failure, or from a snapshot, that would be a later one, and what
was put between would be lost. The first one is remembered here for as long as an application goes on from its state.
"""

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable

from localaws.flink_cluster.existing_cluster import EXISTING_CALLER

_CALLER = re.compile(r"exec-env/(ManagedFlink-\w+)")
_CONNECTOR = re.compile(r"Apache Flink \S+ \(\w+\) \w+ Connector")


def caller_of(user_agent: str) -> str | None:
    """Return the cluster a request comes from, or None for any other client.

    It is ``ManagedFlink-<id>``, or EXISTING_CALLER for one that the account did not start.
    """
    found = _CALLER.search(user_agent)
    if found:
        return found[1]
    return EXISTING_CALLER if _CONNECTOR.search(user_agent) else None


_JUST_NOW = 60.0  # seconds before a request within which its timestamp is LATEST's; one that was asked for is older


class SourceTracker:
    """Hold which streams each cluster reads, which of their shards it has read from, and since when."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listed: dict[str, set[str]] = defaultdict(set)
        self._read: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._application: dict[str, str] = {}
        self._latest: dict[str, dict[tuple[str, str], float]] = {}

    def begin(self, caller: str, application: str, fresh: bool) -> None:
        """Note that ``caller`` runs ``application`` now, from its state or ``fresh``: LATEST is the present then.

        What a caller read before is of another application.
        """
        with self._lock:
            self._listed.pop(caller, None)
            self._read.pop(caller, None)
            self._application[caller] = application
            if fresh:
                self._latest.pop(application, None)

    def since(self, caller: str, stream: str, shard: str, timestamp: float, now: float) -> float:
        """Return where ``caller``, asking for what arrived from ``timestamp`` on, has to begin (both epoch seconds).

        That is ``timestamp``, unless it is LATEST's and the application had an earlier LATEST of this shard.
        """
        with self._lock:
            application = self._application.get(caller)
            if application is None or timestamp < now - _JUST_NOW:
                return timestamp
            return self._latest.setdefault(application, {}).setdefault((stream, shard), timestamp)

    def listed(self, caller: str, stream: str) -> None:
        """Note that ``caller`` asked for the shards of ``stream``: it is one of its sources."""
        with self._lock:
            self._listed[caller].add(stream)

    def read(self, caller: str, stream: str, shard: str) -> None:
        """Note that ``caller`` got records (or none yet) from a shard: its iterator stands."""
        with self._lock:
            self._read[caller].add((stream, shard))

    def forget(self, caller: str) -> None:
        with self._lock:
            self._listed.pop(caller, None)
            self._read.pop(caller, None)
            self._application.pop(caller, None)

    def sources(self, caller: str) -> set[str]:
        """Return the streams the caller reads, as far as it has asked for their shards."""
        with self._lock:
            return set(self._listed.get(caller, ()))

    def unread_shards(self, caller: str, open_shards: Callable[[str], Iterable[str]]) -> list[str]:
        """Return ``stream/shard`` for each open shard that no source of the caller has read from yet."""
        sources = self.sources(caller)
        with self._lock:
            read = set(self._read.get(caller, ()))
        return [
            f"{stream}/{shard}" for stream in sources for shard in open_shards(stream) if (stream, shard) not in read
        ]
