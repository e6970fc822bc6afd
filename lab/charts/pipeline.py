"""Draw the pipeline: a box a part, with its state in the account."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from lab.charts.style import CLOSED_WINDOW, GROUND, INK, SMALL, SOFT
from lab.core.account import Account
from lab.core.errors import StepMissing
from lab.core.names import APPLICATION, FUNCTION, INPUT_STREAM, OUTPUT_STREAM, REVIEWS_FILE
from lab.core.picture import WIDTH, Picture
from lab.core.session import Session
from lab.streams.reading import stream_batches

_ARROWS = ("read", "one event\na review", "events", "suspicious\nreviewers")
_WIDE, _GAP, _HIGH, _ABOVE = 1.28, 0.36, 1.75, 0.42  # about inches; above the boxes stands what passes between them
_LONGEST = 15  # characters of a line in a box
ABSENT, THERE, WORKING = "not there yet", "there", "at work"
MOST_COUNTED = 200_000  # records of a stream; counting means reading them


@dataclass(frozen=True)
class Part:
    """Describe one part: its name, ABSENT, THERE or WORKING, and lines about it."""

    name: str
    title: str
    state: str
    facts: tuple[str, ...]


Seen = tuple[str, tuple[str, ...]]  # THERE or WORKING, and lines about it


def pipeline_parts(session: Session) -> list[Part]:
    """Describe the five parts in the order in which a review passes them.

    Raises LabError where the account is out of reach.
    """
    account = Account(session)
    return [
        _part("S3", "landing zone", lambda: _landing_zone(account)),
        _part("Lambda", FUNCTION, lambda: _function(account)),
        _part("Kinesis", INPUT_STREAM, lambda: _stream(account, INPUT_STREAM)),
        _part("Managed Flink", APPLICATION, lambda: _application(account)),
        _part("Kinesis", OUTPUT_STREAM, lambda: _stream(account, OUTPUT_STREAM)),
    ]


def _part(name: str, title: str, look: Callable[[], Seen]) -> Part:
    try:
        return Part(name, title, *look())
    except StepMissing as missing:
        return Part(name, title, ABSENT, (f"run {missing.notebook}",))


def _landing_zone(account: Account) -> Seen:
    return THERE, (f"{REVIEWS_FILE}, {account.reviews_size() / 1e6:,.1f} MB",)


def _function(account: Account) -> Seen:
    found = account.function()
    settings = f"{found['Runtime']}, {found['MemorySize']} MB, {found['Timeout']} s"
    return THERE, (found.get("State", "Active"), settings)


def _stream(account: Account, name: str) -> Seen:
    summary = account.stream(name)
    records, whole = _records(name)
    shards = summary["OpenShardCount"]
    facts = (
        summary["StreamStatus"],
        f"{shards} open shard{'s' * (shards != 1)}",
        f"{'' if whole else 'over '}{records:,} record{'s' * (records != 1)}",
    )
    return WORKING if records else THERE, facts


def _records(name: str) -> tuple[int, bool]:
    """Return records the stream holds, and whether all were counted."""
    count = 0
    for batch in stream_batches(name):
        count += len(batch)
        if count > MOST_COUNTED:
            return MOST_COUNTED, False
    return count, True


def _application(account: Account) -> Seen:
    detail = account.application()
    settings = detail["ApplicationConfigurationDescription"].get("FlinkApplicationConfigurationDescription", {})
    parallelism = settings.get("ParallelismConfigurationDescription", {}).get("Parallelism")
    facts: tuple[str, ...] = (
        detail["ApplicationStatus"],
        f"{detail['RuntimeEnvironment']}, version {detail['ApplicationVersionId']}",
    )
    if parallelism:
        facts += (f"parallelism {parallelism}",)
    return WORKING if detail["ApplicationStatus"] == "RUNNING" else THERE, facts


def draw_pipeline(session: Session) -> Picture:
    """Draw the pipeline as the account has it at this moment. Raises LabError where the account is out of reach."""
    return pipeline_picture(pipeline_parts(session))


def pipeline_picture(parts: list[Part]) -> Picture:
    """Draw a box a part: dashed is not there yet, a thin line is there, a thick one works. Words say it too."""
    figure = Figure(figsize=(WIDTH, 2.4), layout="constrained")
    axes = figure.subplots()
    for place, part in enumerate(parts):
        left = place * (_WIDE + _GAP)
        _box(axes, left, part)
        if place:
            _arrow(axes, left, _ARROWS[place - 1], ABSENT in (part.state, parts[place - 1].state))
    axes.set_xlim(-0.03, len(parts) * (_WIDE + _GAP) - _GAP + 0.03)
    axes.set_ylim(-0.03, _HIGH + _ABOVE)
    axes.set_axis_off()
    table = pd.DataFrame(
        [(f"{part.name}: {part.title}", part.state, "; ".join(part.facts)) for part in parts],
        columns=["part", "state", "what the account says"],
    )
    said = [f"{row[1]} is {row[2]} ({row[3]})" for row in table.itertuples()]
    alt = f"The pipeline from left to right, a box a part: {', '.join(said)}."
    return Picture(figure, alt, table, "The pipeline as it is now", folded=True)


def _box(axes: Axes, left: float, part: Part) -> None:
    absent, working = part.state == ABSENT, part.state == WORKING
    axes.add_patch(
        FancyBboxPatch(
            (left, 0), _WIDE, _HIGH, boxstyle="round,pad=0,rounding_size=0.12",
            facecolor="#e6f2ee" if working else GROUND,
            edgecolor=SOFT if absent else CLOSED_WINDOW.color if working else INK, linestyle="--" if absent else "-",
            linewidth=3.2 if working else 1.2,
        )
    )  # fmt: skip
    middle, color = left + _WIDE / 2, SOFT if absent else INK
    style: dict[str, Any] = {"ha": "center", "va": "top", "fontsize": SMALL, "color": color}
    axes.text(middle, _HIGH - 0.08, part.name, weight="bold", **style)
    lines = [part.title, "", part.state, *part.facts]
    axes.text(middle, _HIGH - 0.26, "\n".join(map(_broken, lines)), **style)


def _broken(line: str) -> str:
    """Write a long line as two: broken after a comma, at the last space or after an underscore."""
    if len(line) <= _LONGEST:
        return line
    if ", " in line:
        return line.replace(", ", ",\n", 1)
    return "\n".join(line.rsplit(" ", 1)) if " " in line else line.replace("_", "_\n", 1)


def _arrow(axes: Axes, left: float, text: str, absent: bool) -> None:
    style = {"arrowstyle": "-|>", "linestyle": "--" if absent else "-", "color": SOFT if absent else INK}
    high = _HIGH - 0.3
    axes.annotate("", (left - 0.02, high), (left - _GAP + 0.02, high), arrowprops=style)
    axes.text(left - _GAP / 2, _HIGH + 0.05, text, ha="center", va="bottom", fontsize=SMALL)
