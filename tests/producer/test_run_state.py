"""The lease on a stream's state, on a real S3: who holds it, who lost it, and what standing still costs."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from run_state import _MARGIN, AlreadyRunning, LeaseLost, RunState

from tests.producer.conftest import World

LASTS = 0.3  # seconds of a lease that are more than what its times are uncertain by; a third of it, and it is renewed


@pytest.fixture
def state_of(make_world: Callable[..., World]) -> Callable[[str], RunState]:
    """Make an owner's view of one stream's state."""
    world = make_world()
    s3 = world.client("s3")

    def make(owner: str) -> RunState:
        return RunState(s3, world.bucket, world.stream, owner, _MARGIN + LASTS)

    return make


def nothing(content: dict[str, Any]) -> dict[str, Any]:
    return {}


def test_who_stood_still_goes_on_when_nobody_took_the_lease(state_of: Callable[[str], RunState]) -> None:
    state = state_of("one")
    state.acquire(0.0, nothing)
    for _ in range(2):
        time.sleep(1.5 * LASTS)
        state.keep_lease()
    with pytest.raises(AlreadyRunning, match="Invocation one is filling"):
        state_of("two").acquire(0.0, nothing)  # it was renewed: it is as good as new
    state.save(run=7)
    state.release()
    other = state_of("two")
    other.acquire(0.0, lambda content: {"run": content["run"] + 1})
    assert other.content["run"] == 8


def test_lanes_that_find_it_run_out_together_renew_it_once(state_of: Callable[[str], RunState]) -> None:
    state = state_of("one")
    state.acquire(0.0, nothing)
    state._seconds, state._renew_at, before = 600.0, 0.0, state._writes
    with ThreadPoolExecutor(8) as lanes:
        answers = [lanes.submit(state.keep_lease) for _ in range(8)]
    assert [answer.result() for answer in answers] == [None] * 8
    assert state._writes == before + 1


@pytest.mark.slow  # about 5 s: the lease of one who does not come back runs out
def test_who_stood_still_stops_when_another_took_the_lease(state_of: Callable[[str], RunState]) -> None:
    state, other = state_of("one"), state_of("two")
    state.acquire(0.0, nothing)
    other.acquire(30.0, lambda content: {"run": 2})
    for _ in range(2):
        with pytest.raises(LeaseLost, match="another one began"):
            state.keep_lease()
    with pytest.raises(LeaseLost):
        state.save(run=1)
    other.keep_lease()
    other.release()
    assert other.content["run"] == 2


def test_a_released_lease_is_not_taken_again_by_a_lane_that_is_late(state_of: Callable[[str], RunState]) -> None:
    state = state_of("one")
    state.acquire(0.0, nothing)
    state.release()
    time.sleep(1.5 * LASTS)
    with pytest.raises(LeaseLost):
        state.keep_lease()
    state_of("two").acquire(0.0, nothing)
