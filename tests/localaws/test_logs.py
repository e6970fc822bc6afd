import json
from pathlib import Path

from localaws.managed_flink.logs import LogShipper, parse_records

LINES = [
    "2026-11-23T23:56:46,539 INFO  org.apache.flink.Job [main] started",
    "2026-11-23T23:56:46,600 ERROR org.apache.flink.Job [main] failed",
    "java.lang.IllegalStateException: no",
    "\tat a.b.C.d(C.java:1)",
]


def messages(lines: list[str]) -> list[dict[str, str]]:
    return [json.loads(text) for _, text in parse_records(lines, "arn", 2, "jobmanager")]


def test_a_stack_trace_belongs_to_its_record() -> None:
    first, second = messages(LINES)
    assert (first["messageType"], first["message"], first["applicationVersionId"]) == ("INFO", "started", "2")
    assert second["throwableInformation"] == "java.lang.IllegalStateException: no\n\tat a.b.C.d(C.java:1)\n"


def test_what_the_application_prints_is_a_record() -> None:
    (only,) = messages(["Counting reviews"])
    assert (only["message"], only["logger"]) == ("Counting reviews", "stdout")


class Kept:
    def __init__(self) -> None:
        self.events: list[str] = []

    def put(self, group: str, stream: str, events: list[tuple[int, str]]) -> None:
        assert (group, stream) == ("g", "s")
        self.events += [json.loads(text)["message"] for _, text in events]


def test_follows_files_until_closed_and_ships_each_line_once(tmp_path: Path) -> None:
    kept, path = Kept(), tmp_path / "jobmanager.log"
    shipper = LogShipper(kept, "g", "s", "arn", 1)
    shipper.follow("jobmanager", path)
    with path.open("a") as file:
        for number in range(1200):
            file.write(f"2026-11-23T23:56:46,539 INFO  x [main] line {number}\n")
        file.write("2026-11-23T23:56:47,539 INFO  x [main] half a li")
    shipper.close()
    assert kept.events == [f"line {number}" for number in range(1200)]
