"""Draw what the streams and Flink's metrics say, again and again while reviews arrive."""

import time
from collections.abc import Iterator
from typing import Any

import pandas as pd
from botocore.exceptions import ClientError
from IPython.display import display

from lab.charts.event_time import event_time_now
from lab.charts.event_time_state import LiveState, WindowRules, live_state, stream_watermark
from lab.deploy.paced_sending import PacedSending
from lab.flink.rest import Dashboard, DashboardSilent
from lab.streams.quiet_time import QuietTime
from lab.streams.reading import Position, read_stream
from lab.streams.records import Events, Output, joined, read_reviews, read_windows

SECONDS_BETWEEN_PICTURES = 2.0  # a shard gives five reads a second in all, and the application takes them
QUIET_SECONDS = 6.0  # with nothing new, what has not come does not come


class Watched:
    """Watch one application and its two streams; each `look` reads what came since the last."""

    def __init__(self, position: Position, rules: WindowRules, flink: Any = None) -> None:
        self.rules = rules
        self._flink = flink
        self._position = position
        self._ends = {name: dict(position.of(name)) for name in (position.stream, position.output_stream)}
        self._events: Events | None = None
        self._output: pd.DataFrame | None = None
        self._dashboard: Dashboard | None = None

    def look(self) -> LiveState:
        """Read what came since the last look; returns the state of this moment.

        Raises LabError where a stream is gone.
        """
        events = self._read_events()
        output = self._read_output()
        expected = stream_watermark(events, self.rules.watermark_delay_seconds)
        watermark, late = self._metrics()
        if late is None:  # on AWS the dashboard wants a browser
            return live_state(events, output, expected, "the stream", None, self.rules)
        return live_state(events, output, watermark, "Flink", late, self.rules)

    def _new(self, name: str) -> pd.DataFrame:
        raw = read_stream(name, self._ends[name])
        last = raw.drop_duplicates("shard", keep="last")
        self._ends[name].update(zip(last["shard"], last["sequence_number"], strict=True))
        return raw

    def _read_events(self) -> Events:
        new, old = read_reviews(self._new(self._position.stream)), self._events
        if old is None:
            self._events = new
        else:  # unreadable ones have no place on the axis
            table, markers = joined([old.table, new.table]), joined([old.markers, new.markers])
            self._events = Events(table, markers, new.unreadable, new.open_shards, new.closed_shards)
        return self._events

    def _read_output(self) -> Output:
        new = self._new(self._position.output_stream)
        self._output = new if self._output is None else joined([self._output, new])
        return read_windows(self._output)

    def _metrics(self) -> tuple[pd.Timestamp, int | None]:
        """Ask for Flink's watermark (NaT: none yet) and its late rows; None where the dashboard does not answer."""
        try:
            if self._dashboard is None:
                self._dashboard = Dashboard.of_application(self._position.application, self._flink)
            job = self._dashboard.running_job()
            if job is None:
                return pd.NaT, 0
            late = self._dashboard.late_rows_of(job["jid"])
            return self._dashboard.watermark(job["jid"]) or pd.NaT, late
        except (DashboardSilent, ClientError):
            self._dashboard = None
            return pd.NaT, None


def moments(
    watched: Watched,
    sending: PacedSending | None = None,
    every: float = SECONDS_BETWEEN_PICTURES,
    quiet: float = QUIET_SECONDS,
) -> Iterator[LiveState]:
    """Yield states until all reviews are closed and written, or nothing changed for `quiet` seconds."""
    seen, silence = None, QuietTime()
    while True:
        over = sending is None or sending.done  # before the look, so that the last one sees all that was sent
        state = watched.look()
        yield state
        now = (state.reviews, len(state.points), state.watermark, int(state.windows["written"].sum()))
        if now != seen:
            seen = now
            silence.news()
        if over and (state.settled or silence.seconds() > quiet):
            return
        if over or sending is None:
            time.sleep(min(every, 0.5))
        else:
            sending.wait(every)


def live_view(
    position: Position,
    sending: PacedSending | None = None,
    window_seconds: int = 60,
    slide_seconds: int = 30,
    threshold: int = 1,
    watermark_delay_seconds: int = 5,
) -> None:
    """Show events, watermark and windows, drawn anew about every two seconds while `sending` is at work.

    Without `sending` one picture is drawn, once all windows are closed and written. Interrupt the cell and the sending
    ends with its markers; the last picture stays. Raises what ended the sending, or LabError where a stream is gone.
    """
    rules = WindowRules(window_seconds, slide_seconds, threshold, watermark_delay_seconds)
    watched, screen = Watched(position, rules), Screen()
    if sending is None:
        for state in moments(watched):
            last = state
        if last.reviews:
            screen.show(last)
        else:
            print("Nothing has been sent to be watched: set demo_seconds in the parameters to 20.")  # noqa: T201
        return
    try:
        _follow(watched, sending, screen)
    except KeyboardInterrupt:
        sending.stop()
        print("Interrupted: no further review is sent, the windows are being closed.")  # noqa: T201
        try:
            _follow(watched, sending, screen)
        except KeyboardInterrupt:
            print("Left alone: the run ends by itself in some seconds.")  # noqa: T201
            return
    if sending.error is not None:
        raise sending.error
    print(sending.sentence)  # noqa: T201


class Screen:
    """Provide one place below the cell, where each picture takes the place of the one before."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, state: LiveState) -> None:
        """Draw the moment."""
        picture = event_time_now(state)
        if self._handle is None:
            self._handle = display(picture, display_id=True)
        else:
            self._handle.update(picture)


def _follow(watched: Watched, sending: PacedSending, screen: Screen) -> None:
    for state in moments(watched, sending):
        screen.show(state)
