"""Waiting for the second output: until Flink has closed the windows and what its sink took is in the stream."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from lab.flink.rest import DashboardSilent
from lab.validation import completion
from lab.validation.completion import wait_for_groups
from lab.validation.reference import Reference

CLOSED, OPEN = pd.Timestamp("2026-01-01 00:11:55"), pd.Timestamp("2026-01-01 00:11:00")
STARTED = pd.Timestamp("2026-11-01 12:00", tz="UTC")
TIMES = b'"window_start": "2026-01-01 00:05:30.000", "event_time": "2026-01-01 00:06:30.000"'
ROW = b'{"movie": "m%d", "reviewers": 5, ' + TIMES + b"}"
REFERENCE = Reference(*[pd.DataFrame()] * 4, CLOSED, (), 1)


def stream_of(count: int, before: int = 0) -> pd.DataFrame:
    """So many groups in the stream; `before` of them from an earlier job."""
    rows = [("s", str(n), STARTED + pd.Timedelta(seconds=1 if n >= before else -1), ROW % n) for n in range(count)]
    return pd.DataFrame(rows, columns=["shard", "sequence_number", "arrival", "data"])


class Flink:
    """A dashboard whose job has come further with each look: (watermark, records its second sink took)."""

    def __init__(self, looks: list[tuple[pd.Timestamp, int | None]]) -> None:
        self._looks, self.asked = looks, 0

    def running_job(self) -> dict[str, Any]:
        return {"jid": "j", "start-time": STARTED.timestamp() * 1000}

    def vertices(self, job_id: str) -> list[dict[str, Any]]:
        return []

    def watermark(self, job_id: str) -> pd.Timestamp:
        return self._now()[0]

    def records_taken(self, job_id: str, table: str) -> int | None:
        assert table == "suspicious_groups"
        taken = self._now()[1]
        self.asked += 1
        return taken

    def _now(self) -> tuple[pd.Timestamp, int | None]:
        return self._looks[min(self.asked, len(self._looks) - 1)]


def watched(monkeypatch: pytest.MonkeyPatch, flink: Flink | None, reads: list[pd.DataFrame]) -> None:
    left: Iterator[pd.DataFrame] = iter(reads)

    def dashboard(application: str = "student") -> Flink:
        if flink is None:
            raise DashboardSilent("https://flink", "it wants a browser")
        return flink

    monkeypatch.setattr(completion.Dashboard, "of_application", dashboard)
    monkeypatch.setattr(completion, "read_stream", lambda stream: next(left))
    monkeypatch.setattr(completion, "_POLL", 0)


def test_it_waits_for_the_watermark_and_then_for_what_the_sink_took(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [(OPEN, 1), (CLOSED, 3), (CLOSED, 3)]
    watched(monkeypatch, Flink(looks), [stream_of(1), stream_of(2), stream_of(3)])
    assert wait_for_groups(REFERENCE).table["movie"].tolist() == ["m0", "m1", "m2"]


def test_the_groups_of_an_earlier_job_are_not_taken_for_those_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    watched(monkeypatch, Flink([(CLOSED, 2)]), [stream_of(3, before=2), stream_of(4, before=2)])
    assert len(wait_for_groups(REFERENCE).table) == 4


def test_a_job_without_a_second_sink_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    watched(monkeypatch, Flink([(OPEN, None)]), [stream_of(0)])
    assert wait_for_groups(REFERENCE).sentence == "0 groups of 0 movies, 0 records unreadable."


def test_without_a_dashboard_it_ends_when_no_record_comes_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    watched(monkeypatch, None, [stream_of(1), stream_of(2), *[stream_of(2)] * 100_000])
    assert len(wait_for_groups(REFERENCE, quiet=0.05).table) == 2
