"""Ship an application's logs, of driver, JobManager and TaskManager, to its CloudWatch log stream."""

import json
import re
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

_RECORD = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d,\d{3}) (\w+)\s+(\S+) \[(.*?)\] (.*)$")
_BATCH = 500
_PERIOD = 0.5  # seconds between two looks at the files


class LogSink(Protocol):
    """Hold where log events go: ``put`` takes (milliseconds since the epoch, message) pairs in order of time."""

    def put(self, group: str, stream: str, events: list[tuple[int, str]]) -> None: ...


def parse_records(lines: list[str], arn: str, version: int, process: str) -> Iterator[tuple[int, str]]:
    """Convert log lines to CloudWatch events in the JSON shape of Managed Flink's messages.

    A line that starts with a time begins a record; what follows (a stack trace) is its throwableInformation. Lines
    outside any record (what the application printed) are records of their own.
    """
    record: dict[str, Any] | None = None
    moment = 0

    def message(fields: dict[str, Any]) -> str:
        return _message(arn, version, process, fields)

    for line in lines:
        found = _RECORD.match(line)
        if found:
            if record:
                yield moment, message(record)
            stamp = datetime.strptime(found[1], "%Y-%m-%dT%H:%M:%S,%f")
            moment = int(stamp.astimezone().timestamp() * 1000)
            record = {"messageType": found[2], "logger": found[3], "threadName": found[4], "message": found[5]}
        elif record and line.strip():
            record["throwableInformation"] = record.get("throwableInformation", "") + line + "\n"
        elif line.strip():
            yield int(time.time() * 1000), message({"messageType": "INFO", "logger": "stdout", "message": line})
    if record:
        yield moment, message(record)


def _message(arn: str, version: int, process: str, fields: dict[str, Any]) -> str:
    shape = {"applicationARN": arn, "applicationVersionId": str(version), "messageSchemaVersion": "1"}
    return json.dumps({**fields, **shape, "process": process})


class LogShipper:
    """Follow the log files of one application and put their new lines into its log stream until closed."""

    def __init__(self, sink: LogSink, group: str, stream: str, arn: str, version: int) -> None:
        self._sink = sink
        self._where = (group, stream)
        self._of = (arn, version)
        self._files: dict[Path, tuple[str, int]] = {}
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"logs-{stream}", daemon=True)
        self._thread.start()

    def follow(self, process: str, path: Path) -> None:
        """Ship what ``path`` holds and what is written to it later."""
        with self._lock:
            self._files.setdefault(path, (process, 0))

    def say(self, level: str, message: str, cause: str = "") -> None:
        """Put one message of Managed Flink itself into the stream, now."""
        fields = {"messageType": level, "logger": "managed-flink", "message": message}
        if cause:
            fields["throwableInformation"] = cause[:200_000]
        self._sink.put(*self._where, [(int(time.time() * 1000), _message(*self._of, "service", fields))])

    def close(self) -> None:
        """Ship what is left and end."""
        self._closing.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while True:
            last_time = self._closing.wait(_PERIOD)
            self._ship()
            if last_time:
                return

    def _ship(self) -> None:
        with self._lock:
            files = list(self._files.items())
        events: list[tuple[int, str]] = []
        for path, (process, position) in files:
            lines, position = _new_lines(path, position)
            events.extend(parse_records(lines, *self._of, process))
            with self._lock:
                self._files[path] = (process, position)
        events.sort(key=lambda event: event[0])
        for start in range(0, len(events), _BATCH):
            self._sink.put(*self._where, events[start : start + _BATCH])


def _new_lines(path: Path, position: int) -> tuple[list[str], int]:
    """Read whole lines after ``position`` (bytes), at most 1 MB; a file that became smaller is read from its start."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(position if size >= position else 0)
            start = file.tell()
            chunk = file.read(1 << 20)
    except FileNotFoundError:
        return [], position
    end = chunk.rfind(b"\n") + 1
    return chunk[:end].decode(errors="replace").splitlines(), start + end
