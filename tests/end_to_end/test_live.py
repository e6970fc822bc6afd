"""The live view on a real Flink, and that what it sends leaves every window right; about 55 s."""

from pathlib import Path
from typing import Any

import pytest

from lab.charts.event_time_state import CLOSED, OPEN, LiveState, WindowRules
from lab.charts.live_view import Watched, moments
from lab.deploy.paced_sending import send_paced
from lab.streams.reading import load_position, read_stream
from lab.streams.records import read_reviews
from lab.validation.comparison import compare_windows
from lab.validation.completion import wait_for_windows
from lab.validation.reference import windows
from tests.support.pipeline import BUCKET, Pipeline

pytestmark = pytest.mark.slow

# Short windows, so that many open and close in a few seconds of real time.
RULES = WindowRules(window_seconds=4, slide_seconds=2, threshold=1, watermark_delay_seconds=1)
LENGTHS = {"window_seconds": 4, "watermark_delay_seconds": 1}
PACED = {"clock": "now", "pace": 200, **LENGTHS}


def every_window_is_right() -> int:
    """What notebook 04 does; returns how many windows there are."""
    position = load_position(BUCKET)
    reference = windows(read_reviews(read_stream("reviews", position)), 4, 2, 1, 1)
    comparison = compare_windows(reference, wait_for_windows(reference, position))
    print(comparison.sentence)
    assert comparison.equal, comparison.sentence
    assert reference.open_windows.empty and reference.late_pairs.empty
    return comparison.expected


def assert_windows_open_and_close(states: list[LiveState]) -> None:
    states = [state for state in states if state.source == "Flink"]  # a busy dashboard may have been silent once
    known = [state.watermark for state in states if state.watermark is not None and state.watermark == state.watermark]
    assert known == sorted(known)
    seen: dict[Any, list[str]] = {}
    for state in states:
        for row in state.windows.itertuples():
            seen.setdefault(row.window_end, []).append(row.state)
    assert all(found == sorted(found, key=[OPEN, CLOSED].index) for found in seen.values())  # none opens again
    assert sum({OPEN, CLOSED} <= set(found) for found in seen.values()) >= 2  # watched from open to closed
    assert any(set(state.windows["state"]) == {OPEN, CLOSED} for state in states)
    assert states[-1].settled and states[-1].late == 0


def test_demonstrations_before_between_and_after_replays(
    make_account: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline(make_account(), tmp_path, monkeypatch, shards=2)
    pipeline.build()
    window = {"window.size.seconds": "4", "window.slide.seconds": "2", "watermark.delay.seconds": "1"}
    groups = pipeline.property_groups(**window)
    pipeline.update(EnvironmentPropertyUpdates={"PropertyGroups": groups})
    pipeline.start()
    position = load_position(BUCKET)

    sending = send_paced(pipeline.lambda_, "reviewProducer", PACED, 9)
    states = list(moments(Watched(position, RULES, pipeline.flink), sending, every=0.5))
    assert sending.error is None and len(sending.answers) >= 2
    assert 0 < sending.answers[-1]["sent"] <= 1800  # never more than 200 a second
    assert_windows_open_and_close(states)
    first = every_window_is_right()

    pipeline.send(limit=1500, rate=100, **LENGTHS)
    second = every_window_is_right()

    sending = send_paced(pipeline.lambda_, "reviewProducer", PACED, 300)
    watched = Watched(position, RULES, pipeline.flink)
    states = []
    for state in moments(watched, sending, every=0.5):
        states.append(state)
        if sending.answers:
            sending.stop()  # what an interrupt does
    assert sending.error is None and sending.answers[-1]["done"] and sending.answers[-1]["sent"] < 5000
    assert states[-1].settled
    third = every_window_is_right()

    pipeline.send(limit=1500, rate=100, **LENGTHS)
    fourth = every_window_is_right()
    assert first < second < third < fourth
    assert fourth - third == second - first  # the same replay gives the same windows, wherever the clock stands
