"""Draw the window player: sixty made-up events, with sliders for delay, window, slide and arrival.

Every position of the sliders is computed here (`lab.charts.window_steps`); the script looks it up and draws.
"""

import random
from itertools import product
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lab.charts.style import (
    CLOSED_WINDOW,
    GROUND,
    LATE,
    OPEN_WINDOW,
    REVIEW,
    SMALL,
    SOFT,
    WATERMARK,
    bar,
    colors,
    plain,
)
from lab.charts.window_steps import NEVER, Event, Steps, steps
from lab.core.cell_outputs import Moving
from lab.core.errors import BadParameter
from lab.core.picture import WIDTH, Picture

EVENTS, SECONDS_BETWEEN = 60, 2.0
DELAYS, SIZES, SLIDES = tuple(range(21)), (20, 30, 40, 60), (10, 20, 30, 60)
ON_THE_WAY = ((0.62, 0.2, 2.5), (0.88, 2.5, 7.0), (1.0, 8.0, 24.0))  # share up to, seconds from, seconds to


def example_events(seed: int = 6) -> list[Event]:
    """Make sixty events, one every two seconds, in the order of arrival.

    Most arrive soon, a few after many seconds.
    """
    chance, made = random.Random(seed), []
    for number in range(EVENTS):
        happened, drawn = number * SECONDS_BETWEEN + chance.random(), chance.random()
        least, most = next((least, most) for share, least, most in ON_THE_WAY if drawn <= share)
        made.append((round((happened + chance.uniform(least, most)) * 1000), round(happened * 1000)))
    return [Event(event_time, arrival) for arrival, event_time in sorted(made)]


def window_player(
    watermark_delay_seconds: int = 5, window_seconds: int = 60, slide_seconds: int = 30, arrival_seconds: float = 80
) -> Picture:
    """Draw what a watermark delay costs and saves.

    Drag the sliders and see windows open and close, and events turn late.

    The arguments are where the sliders begin. Raises BadParameter for a length that the sliders do not have.
    """
    begin = {"delay": watermark_delay_seconds, "size": window_seconds, "slide": slide_seconds}
    lists = {"delay": DELAYS, "size": SIZES, "slide": SLIDES}
    for name, value in begin.items():
        if value not in lists[name]:
            raise BadParameter(name, value, f"the player has {', '.join(map(str, lists[name]))} seconds")
    events = example_events()
    now = round(arrival_seconds * 1000)
    shown = steps(events, window_seconds * 1000, slide_seconds * 1000, watermark_delay_seconds * 1000)
    figure = still(events, shown, (window_seconds, slide_seconds, watermark_delay_seconds), now)
    labels = (("delay", "watermark delay"), ("size", "window size"), ("slide", "slide"))
    choices = [{"name": name, "label": label, "values": [f"{value} s" for value in lists[name]],
                "at": lists[name].index(begin[name])} for name, label in labels]  # fmt: skip
    data = {
        "from": -2_000,
        "sets": {"one": [[event.event_time, event.arrival] for event in events]},
        "up": "arrival: when it came",
        "to": EVENTS * SECONDS_BETWEEN * 1000 + 4_000,
        "until": events[-1].arrival,
        "now": now,
        "ideal": True,
        "lines": {"one": newest_lines(events, {0: "watermark"})},
        "choices": choices,
        "scenes": scenes(events),
        "colors": colors(),
    }
    table = cost_table(events, window_seconds, slide_seconds)
    alt = (
        f"{len(events)} events, event time across and arrival up, the watermark {watermark_delay_seconds} s behind the "
        f"newest event as a line of steps; below it the windows of {window_seconds} s every {slide_seconds} s as "
        f"bars, closed where the watermark has passed their end. {sum(one > 0 for one in shown.late)} events come too "
        f"late, for {shown.late_pairs} (event, window) pairs."
    )
    caption = f"What a delay costs: windows of {window_seconds} s every {slide_seconds} s"
    return Picture(figure, alt, table, caption, rows=len(DELAYS), moving=Moving("windows", data))


def cost_table(events: list[Event], window_seconds: int, slide_seconds: int) -> pd.DataFrame:
    """Count late pairs and the wait for a result at some delays: DataFrame[delay, late events, late pairs, wait]."""
    rows = []
    for delay in (0, 1, 2, 3, 5, 8, 10, 15, 20):
        found = steps(events, window_seconds * 1000, slide_seconds * 1000, delay * 1000)
        rows.append((delay, sum(one > 0 for one in found.late), found.late_pairs, mean_wait(events, found)))
    columns = ["delay in s", "late events", "late (event, window) pairs", "a result waits, s"]
    return pd.DataFrame(rows, columns=columns)


def mean_wait(events: list[Event], found: Steps) -> float:
    """Average the seconds from a window's end to the arrival that closes it; NaN while none is closed."""
    waits = [events[one.closed_by].arrival - one.end for one in found.windows if one.closed_by is not None]
    return sum(waits) / len(waits) / 1000 if waits else float("nan")


def scenes(events: list[Event]) -> dict[str, dict[str, Any]]:
    """Return what each position of the sliders shows, by their values joined with "|"."""
    made: dict[str, dict[str, Any]] = {}
    for delay, size, slide in product(DELAYS, SIZES, SLIDES):
        try:
            made[f"{delay} s|{size} s|{slide} s"] = scene(
                events, steps(events, size * 1000, slide * 1000, delay * 1000), (size, slide, delay), "one"
            )
        except BadParameter:
            error = f"Flink refuses this: a window of {size} s is no whole multiple of a slide of {slide} s."
            made[f"{delay} s|{size} s|{slide} s"] = {"error": error}
    return made


def scene(events: list[Event], found: Steps, seconds: tuple[int, int, int], name: str) -> dict[str, Any]:
    """Return one scene for the script: each window's start, when it closed (null: never), and the late reviews.

    `seconds` are size, slide and delay; `name` is that of the events and lines it shows.
    """
    size, slide, delay = (value * 1000 for value in seconds)
    reviews = [pairs for event, pairs in zip(events, found.late, strict=True) if not event.marker]
    return {
        "size": size,
        "slide": slide,
        "delay": delay,
        "lines": name,
        "set": name,
        "windows": [
            [one.start, None if one.closed_by is None else events[one.closed_by].arrival] for one in found.windows
        ],
        "late": [[number, pairs] for number, pairs in enumerate(reviews) if pairs],
    }


def newest_lines(events: list[Event], names: dict[int, str]) -> list[dict[str, Any]]:
    """Return the newest event time of each subtask over arrival, only where it grows.

    Less the delay it is the watermark.
    """
    newest: dict[int, int] = dict.fromkeys(names, NEVER)
    points: dict[int, list[list[int]]] = {subtask: [] for subtask in names}
    for event in events:
        if event.event_time > newest[event.subtask]:
            newest[event.subtask] = event.event_time
            points[event.subtask].append([event.arrival, event.event_time])
    return [{"name": name, "points": points[subtask]} for subtask, name in names.items()]


def still(events: list[Event], found: Steps, seconds: tuple[int, int, int], now: int) -> Figure:
    """Return the picture at one moment of arrival, for where nothing moves; `seconds` are size, slide and delay."""
    size, slide, delay = seconds
    rows = size // slide
    figure = Figure(figsize=(WIDTH, 4.4 + 0.3 * rows), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3.6, 0.3 * rows + 0.3])
    seen = [(event, late) for event, late in zip(events, found.late, strict=True) if event.arrival <= now]
    for wanted, look, name in ((False, REVIEW, "review"), (True, LATE, "late review")):
        points = [event for event, late in seen if bool(late) == wanted]
        above.plot([event.event_time / 1000 for event in points], [event.arrival / 1000 for event in points],
                   look.marker, color=look.color, markersize=5, mew=1.8, label=name)  # fmt: skip
    line = [(value / 1000, event.arrival / 1000) for event, value in zip(events, found.watermark, strict=True)
            if event.arrival <= now and value != NEVER]  # fmt: skip
    above.plot(*zip(*line, strict=True), drawstyle="steps-pre", color=WATERMARK.color, lw=2.2, label="watermark")
    ends = [0, events[-1].event_time / 1000]
    above.plot(ends, ends, ":", color=SOFT, lw=1, label="no event on its way")
    above.set_ylabel("arrival, s")
    above.set_title(f"Watermark {delay} s behind the newest event, {now / 1000:g} s after the start", loc="left",
                    pad=26)  # fmt: skip
    above.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, frameon=False, fontsize=SMALL)
    plain(above, "both")
    _bars(below, events, found, slide * 1000, rows, now)
    return figure


def _bars(axes: Axes, events: list[Event], found: Steps, slide: int, rows: int, now: int) -> None:
    for window in found.windows:
        begun = any(event.arrival <= now and window.start <= event.event_time < window.end for event in events)
        if not begun:
            continue
        closed = window.closed_by is not None and events[window.closed_by].arrival <= now
        place, length = window.start // slide % rows, (window.end - window.start) / 1000
        axes.barh(place, length, left=window.start / 1000, height=0.7, **bar(CLOSED_WINDOW if closed else OPEN_WINDOW))
        middle = (max(window.start / 1000, -2) + window.end / 1000) / 2
        axes.text(middle, place, "closed" if closed else "open", ha="center", va="center", fontsize=SMALL, clip_on=True,
                  bbox={"facecolor": GROUND, "edgecolor": "none", "pad": 1})  # fmt: skip
    axes.set_ylim(rows - 0.4, -0.6)
    axes.set_xlim(-2, events[-1].event_time / 1000 + 4)
    axes.set_yticks([])
    axes.set_ylabel("windows")
    axes.set_xlabel("event time, s")
    plain(axes)
