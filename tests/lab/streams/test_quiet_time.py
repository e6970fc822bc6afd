"""Silence on a quiet machine, and beside programs that queue for the processors."""

import os

import pytest

from lab.streams import quiet_time
from lab.streams.quiet_time import QuietTime


def test_a_second_counts_as_the_share_of_a_processor_that_one_program_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    now, queue = 100.0, 0.0
    monkeypatch.setattr(quiet_time.time, "monotonic", lambda: now)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(os, "getloadavg", lambda: (queue, 0.0, 0.0))
    silence = QuietTime()
    now += 5
    assert silence.seconds() == 5  # nobody else
    queue, now = 2.0, now + 5
    assert silence.seconds() == 10  # a processor for each
    queue, now = 20.0, now + 50
    assert silence.seconds() == pytest.approx(15)  # ten for each processor
    silence.news()
    now += 1
    assert silence.seconds() == pytest.approx(0.1)
