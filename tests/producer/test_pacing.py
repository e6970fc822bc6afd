"""A run in short invocations, as the live demonstration makes it: it goes on, and it can be ended at any point."""

from collections.abc import Callable

from review_event import ms_of

from tests.producer.conftest import World
from tests.support.reviews import as_array, reviews

MakeWorld = Callable[..., World]


def test_stops_after_some_seconds_and_goes_on(make_world: MakeWorld) -> None:
    world = make_world(as_array(reviews(120)))
    first = world.invoke(clock="now", pace=100, stop_after_seconds=0.4)
    assert not first["done"] and 0 < first["sent"] < 120
    assert (first["markers"], first["cursor"]["read"]) == (0, first["sent"])
    second = world.invoke(clock="now", pace=100)  # pace and stop_after_seconds may change from one to the next
    assert (second["done"], second["run"], second["sent"]) == (True, first["run"], 120)
    assert [one["review_id"] for one in world.sent()] == [one["review_id"] for one in reviews(120)]


def test_finish_ends_the_unfinished_run_with_its_markers(make_world: MakeWorld) -> None:
    world = make_world(as_array(reviews(120)), shards=2)
    first = world.invoke(clock="now", pace=100, stop_after_seconds=0.3)
    last = world.invoke(clock="now", finish=True)
    assert (last["done"], last["run"], last["invocation"]["sent"]) == (True, first["run"], 0)
    assert (last["read"], last["sent"], last["rejected"]) == (first["sent"], first["sent"], 0)
    assert last["input_error"] is None
    assert last["markers"] == 2
    assert ms_of(last["marker_event_time"]) > ms_of(last["last_event_time"]) + 65_000
    assert len(world.sent()) == first["sent"]
    assert world.state()["finished"] == {"runs": 1, "read": first["sent"], "sent": first["sent"]}
    replay = world.invoke(limit=5)  # the simulated clock goes on behind the wall clock's markers
    assert ms_of(replay["first_event_time"]) >= ms_of(last["marker_event_time"])
    assert world.state()["finished"] == {"runs": 2, "read": first["sent"] + 5, "sent": first["sent"] + 5}


def test_finish_without_an_unfinished_run_sends_nothing(make_world: MakeWorld) -> None:
    world = make_world(as_array(reviews(3)))
    answer = world.invoke(finish=True)
    assert (answer["done"], answer["read"], answer["markers"], answer["input_error"]) == (True, 0, 0, None)
    assert not any(world.records().values())
