"""The live view without an account: when it looks, when it stops, and what an interrupt leaves."""

import dataclasses

import pandas as pd
import pytest

from lab.charts import live_view
from lab.charts.event_time_state import live_state
from lab.charts.live_view import moments
from lab.core.errors import LabError
from lab.streams.reading import Position
from tests.lab.charts.event_time import RULES, at, events, output

ROWS = [(0, 1, "ann"), (1, 2, "ann")]
FILLING = live_state(events(*ROWS), output(), at(-3), "Flink", 0, RULES)
CLOSED = live_state(events(*ROWS), output(30, 60), at(200), "Flink", 0, RULES)


class Scripted:
    """Gives one state after the other, the last for ever."""

    def __init__(self, *states):
        self.states, self.looks = list(states), 0

    def look(self):
        self.looks += 1
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]


class Sending:
    def __init__(self, looks, error=None):
        self.left, self.error, self.stopped, self.sentence = looks, error, False, "12 reviews."

    @property
    def done(self):
        return self.left <= 0

    def wait(self, seconds):
        self.left -= 1

    def stop(self):
        self.stopped, self.left = True, 0


def test_without_sending_it_waits_until_all_is_closed_and_written():
    assert list(moments(Scripted(FILLING, FILLING, CLOSED), every=0.01)) == [FILLING, FILLING, CLOSED]


def test_while_sending_it_looks_on_and_once_more_afterwards():
    watched = Scripted(CLOSED)
    assert len(list(moments(watched, Sending(2), every=0.01))) == 3


def test_what_does_not_come_is_not_waited_for():
    assert set(map(id, moments(Scripted(FILLING), every=0.01, quiet=0.05))) == {id(FILLING)}


@pytest.fixture
def shown(monkeypatch):
    """What live_view draws, with `watched` in place of the account."""
    drawn = []
    monkeypatch.setattr(live_view.Screen, "show", lambda self, state: drawn.append(state))
    monkeypatch.setattr(live_view, "SECONDS_BETWEEN_PICTURES", 0.01)
    return drawn


def watch(monkeypatch, watched, sending=None):
    monkeypatch.setattr(live_view, "Watched", lambda position, rules: watched)
    live_view.live_view(None, sending)


def test_without_sending_one_picture_is_drawn(shown, monkeypatch):
    watch(monkeypatch, Scripted(FILLING, CLOSED))
    assert shown == [CLOSED]


def test_an_interrupt_ends_the_sending_and_leaves_closed_windows(shown, monkeypatch, capsys):
    class Interrupted(Scripted):
        def look(self):
            if self.looks == 1:
                self.looks += 1
                raise KeyboardInterrupt
            return super().look()

    sending = Sending(50)
    watch(monkeypatch, Interrupted(FILLING, FILLING, CLOSED), sending)
    assert sending.stopped
    assert shown[0] is FILLING and shown[-1] is CLOSED
    assert "Interrupted: no further review is sent" in capsys.readouterr().out


def test_interrupted_again_it_lets_go(shown, monkeypatch, capsys):
    class Deaf(Scripted):
        def look(self):
            raise KeyboardInterrupt

    watch(monkeypatch, Deaf(FILLING), Sending(50))
    assert "Left alone" in capsys.readouterr().out


def test_what_ended_the_sending_is_raised(shown, monkeypatch):
    with pytest.raises(LabError, match="no such function"):
        watch(monkeypatch, Scripted(CLOSED), Sending(0, LabError("no such function")))


def test_a_silent_dashboard_leaves_the_watermark_to_the_stream(monkeypatch):
    class Silent(live_view.Watched):
        def __init__(self):
            self.rules = RULES

        def _read_events(self):
            return events((0, 40, "ann"), (1, 12, "bob"))

        def _read_output(self):
            return output()

        def _metrics(self):
            return pd.NaT, None

    state = Silent().look()
    assert (state.source, state.watermark, state.late) == ("the stream", at(7), None)
    assert dataclasses.is_dataclass(state)


def test_each_look_reads_what_came_since_the_last(make_stream, put, monkeypatch):
    stream, written = make_stream(2), make_stream(1)
    monkeypatch.setattr(live_view.Watched, "_metrics", lambda self: (at(200), 0))
    position = Position("student", pd.Timestamp("2026-01-01", tz="UTC"), stream, {}, written)
    watched = live_view.Watched(position, RULES)
    assert (watched.look().reviews, len(watched.look().windows)) == (0, 0)
    for total in (10, 20, 20):
        new = range(total - 10, total) if watched.look().reviews < total else ()
        put(stream, [{"review_id": f"rw{n}", "reviewer": "ann", "event_time": at(n).isoformat()} for n in new])
        assert watched.look().reviews == total
    row = {"reviewer": "ann", "movie_count": 20, "event_time": str(at(60)), "window_start": str(at(0))}
    put(written, [row])
    state = watched.look()
    assert (state.reviews, state.windows["written"].sum(), len(state.points)) == (20, 1, 20)
