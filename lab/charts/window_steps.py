"""Follow event time step by step: from events in the order of arrival to watermark, closed windows and late events.

The rules are those of `lab.validation.reference`: a window covers [k * slide, k * slide + size) of event time; a
subtask's watermark is its largest event time so far less the delay; the overall one is the smallest of the subtasks;
a window closes when that reaches its end less 1 ms; an event is late for each of its windows that closed before it
came. All times are whole milliseconds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lab.core.errors import BadParameter

NEVER = -(2**62)  # a watermark before any event time


@dataclass(frozen=True)
class Event:
    """Describe one record: when it happened, when it arrived, which subtask read it.

    A marker moves the watermark only.
    """

    event_time: int
    arrival: int
    subtask: int = 0
    marker: bool = False


@dataclass(frozen=True)
class Window:
    """Describe a window that holds an event.

    `closed_by` is the number of the event whose watermark closed it, None if open.
    """

    start: int
    end: int
    closed_by: int | None
    reviews: int  # that came in time, each as often as it came


@dataclass(frozen=True)
class Steps:
    """Hold what each event did.

    `watermark[i]` is the overall one after event i (NEVER: none yet), `late[i]` says for how many of its windows event
    i was late. `windows` are in the order of their start.
    """

    watermark: list[int]
    late: list[int]
    windows: list[Window]

    @property
    def late_pairs(self) -> int:
        """Return late (event, window) pairs in all: the unit of the reference."""
        return sum(self.late)


def window_starts(event_time: int, size: int, slide: int) -> range:
    """Return the starts of the windows that cover this moment, earliest first."""
    last = event_time // slide * slide
    return range(last - size + slide, last + 1, slide)


def watermarks(events: Iterable[Event], delay: int, subtasks: int) -> list[int]:
    """Compute the overall watermark after each event: the smallest of the subtasks', NEVER while one read nothing."""
    newest = [NEVER] * subtasks
    found = []
    for event in events:
        newest[event.subtask] = max(newest[event.subtask], event.event_time)
        found.append(NEVER if min(newest) == NEVER else min(newest) - delay)
    return found


def steps(events: Sequence[Event], size: int, slide: int, delay: int, subtasks: int = 1) -> Steps:
    """Follow events, given in the order of arrival, through HOP windows.

    Raises BadParameter when a length is not positive, the delay negative or the size no multiple of the slide.
    """
    if slide <= 0 or size <= 0 or size % slide:
        raise BadParameter("slide", slide, f"HOP wants a size ({size}) that is a whole multiple of the slide")
    if delay < 0:
        raise BadParameter("delay", delay, "a watermark is never ahead of the events: 0 or more")
    watermark = np.array(watermarks(events, delay, subtasks), dtype="int64")
    before = np.concatenate([[NEVER], watermark[:-1]]) if len(watermark) else watermark
    late: list[Any] = []
    reviews: dict[Any, Any] = {}
    for number, event in enumerate(events):
        starts = [] if event.marker else window_starts(event.event_time, size, slide)
        in_time = [start for start in starts if start + size - 1 > before[number]]
        late.append(len(starts) - len(in_time))
        for start in starts:
            reviews[start] = reviews.get(start, 0) + (start in in_time)
    ends = np.array(sorted(reviews), dtype="int64") + size
    closed_by = np.searchsorted(watermark, ends - 1)  # a watermark never falls
    windows = [
        Window(int(end) - size, int(end), int(at) if at < len(watermark) else None, reviews[int(end) - size])
        for end, at in zip(ends, closed_by, strict=True)
    ]
    return Steps(watermark.tolist(), late, windows)
