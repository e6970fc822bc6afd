"""Silence on a quiet machine, and beside programs that queue for the processors."""

import os

import pytest

from lab.streams import quiet_time
from lab.streams.quiet_time import QuietTime


def test_a_second_counts_as_the_share_of_a_processor_that_one_program_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    now, queue = 100.0, 0.0
    monkeypatch.setattr(quiet_time.time, "monotonic", lambda: now)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(quiet_time, "_queue", lambda: queue)
    silence = QuietTime()
    now += 5
    assert silence.seconds() == 5  # nobody else
    queue, now = 2, now + 5
    assert silence.seconds() == 10  # a processor for each
    queue, now = 8, now + 20
    assert silence.seconds() == pytest.approx(15)  # four for each processor
    queue, now = 5000, now + 60
    assert silence.seconds() == pytest.approx(25)  # a wait has its end
    silence.news()
    now += 6
    assert silence.seconds() == pytest.approx(1)


def test_the_queue_is_of_this_moment_and_elsewhere_of_the_last_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (7.5, 0.0, 0.0))
    monkeypatch.setattr(quiet_time.Path, "read_text", lambda _: "0.10 0.20 0.30 3/415 12345\n")
    assert quiet_time._queue() == 3
    monkeypatch.setattr(quiet_time.Path, "read_text", lambda _: "nothing")
    assert quiet_time._queue() == 7.5
