"""What a start in the hidden run waits for: an application that answers what the test says, on the test's own clock."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from grader.hidden_run import application_start
from lab.flink import waiters
from lab.flink.waiters import NotYet, WaitedInVain
from lab.streams import quiet_time

TIMEOUT = 12.0  # seconds without progress


def wait(monkeypatch: pytest.MonkeyPatch, status: Callable[[int], str], tasks: Callable[[], Any]) -> list[str]:
    """Wait for an application whose n-th answer is ``status(n)``; returns the steps that were told."""
    steps: list[str] = []
    asked, now = [0], [0.0]

    def describe(ApplicationName: str) -> dict[str, Any]:
        asked[0] += 1
        return {"ApplicationDetail": {"ApplicationStatus": status(asked[0]), "ApplicationName": ApplicationName}}

    def sleep(seconds: float) -> None:
        now[0] += seconds

    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=sleep)
    for module in (waiters, quiet_time):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(quiet_time, "_queue", lambda: 1)
    monkeypatch.setattr(waiters, "mark_timing", lambda *_: None)
    monkeypatch.setattr(application_start, "_tasks", tasks)
    account: Any = SimpleNamespace(task=SimpleNamespace(timeout=TIMEOUT), step=steps.append)
    application_start._until_running(account, SimpleNamespace(describe_application=describe))
    return steps


def test_whenever_an_application_is_running_its_start_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two looks too, when what the first one said is out of date."""
    for answers in range(1, 60):
        told = wait(monkeypatch, lambda n, most=answers: "STARTING" if n <= most else "RUNNING", lambda: "")
        assert told[-1] == "RUNNING"


def test_a_start_may_last_as_long_as_it_makes_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    progress = iter(range(1000))
    told = wait(monkeypatch, lambda n: "STARTING" if n < 1000 else "RUNNING", lambda: next(progress))
    assert len(told) > 100 / TIMEOUT and told[-1] == "RUNNING"


def test_a_failed_start_is_told_from_one_without_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotYet, match="still STARTING, with no progress for 12 s"):
        wait(monkeypatch, lambda n: "STARTING", lambda: "")
    for answers in (1, 26, 27, 28):
        with pytest.raises(WaitedInVain, match="student did not start") as failed:
            wait(monkeypatch, lambda n, most=answers: "STARTING" if n <= most else "READY", lambda: "")
        assert not isinstance(failed.value, NotYet)
