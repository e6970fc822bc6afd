import json
from typing import Any

import pytest

from lab.flink import waiters
from lab.flink.waiters import WaitedInVain, application_status, failure_cause


class Flink:
    """Answers DescribeApplication with one status after the other."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses)

    def describe_application(self, ApplicationName: str) -> dict[str, Any]:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return {"ApplicationDetail": {"ApplicationStatus": status, "ApplicationName": ApplicationName}}


def test_changes_are_printed_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiters, "mark_timing", lambda name, seconds: None)
    assert application_status(Flink("STARTING", "STARTING", "RUNNING"), "student", until="RUNNING") == "RUNNING"
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()] == ["STARTING", "RUNNING"]


def test_back_to_ready_is_a_failed_start_with_its_cause() -> None:
    with pytest.raises(WaitedInVain, match="student did not start: it has no CloudWatch logging option"):
        application_status(Flink("STARTING", "READY"), "student", until="RUNNING")


@pytest.mark.parametrize(
    ("events", "printed"),
    [
        (["ERROR An older run failed.", "INFO The application is RUNNING; 9 s"], ""),
        (["INFO The application is RUNNING; 9 s", "ERROR The job is RESTARTING: / by zero", "INFO It is RUNNING again.",
          "ERROR The job is RESTARTING: another"], "but since then: The job is RESTARTING: / by zero"),
    ],
    ids=["an older failure", "a restart loop"],
)  # fmt: skip
def test_a_running_application_whose_job_fails_is_told(
    events: list[str], printed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Logs:
        def get_log_events(self, **asked: Any) -> dict[str, Any]:
            said = [dict(zip(("messageType", "message"), event.split(" ", 1), strict=True)) for event in events]
            return {"events": [{"message": json.dumps({"logger": "managed-flink", **one})} for one in said]}

    monkeypatch.setattr("boto3.client", lambda service: Logs())
    monkeypatch.setattr(waiters, "log_names", lambda detail: ("/aws/g", "s"))
    application_status(Flink("RUNNING"), "student", until="RUNNING")
    told = capsys.readouterr().out
    assert printed in told
    assert ("since then" in told) == bool(printed)


def test_the_newest_error_of_the_log_stream_is_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    class Logs:
        def get_log_events(self, **asked: Any) -> dict[str, Any]:
            assert (asked["logGroupName"], asked["logStreamName"]) == ("/aws/g", "s")
            levels = [("ERROR", "an older one"), ("ERROR", "The stream 'x' does not exist"), ("INFO", "no ERROR here")]
            return {"events": [{"message": json.dumps({"messageType": a, "message": b})} for a, b in levels]}

    monkeypatch.setattr("boto3.client", lambda service: Logs())
    arn = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/g:log-stream:s"
    detail = {"CloudWatchLoggingOptionDescriptions": [{"LogStreamARN": arn}]}
    assert failure_cause(detail) == "The stream 'x' does not exist"
