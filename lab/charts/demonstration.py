"""Send what a person may send while watching: a late review, a burst under a name of their own.

What is sent to be watched is kept apart from what 04 judges: the position that 03 notes at the start is noted anew
behind it (`count_from_here`).
"""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pandas as pd
from botocore.exceptions import ClientError

from lab.charts.event_time_state import WindowRules
from lab.charts.live_view import Watched, moments
from lab.core.errors import BadParameter, LabError
from lab.core.names import INPUT_STREAM, OUTPUT_STREAM
from lab.core.session import Session
from lab.deploy.invocation import invoke
from lab.deploy.paced_sending import PacedSending
from lab.flink.rest import Dashboard, DashboardSilent
from lab.streams.quiet_time import QuietTime
from lab.streams.reading import Position, read_stream, save_position, tip
from lab.streams.records import read_windows

NOBODY_WATCHES = "Left out: demo_seconds is 0, so nothing is sent to be watched."
BURST = 6
QUIET_SECONDS = 30.0  # Flink's metrics are up to ten seconds old, and a sparse result waits for the sink's buffer


def send_late_review(sending: PacedSending | None) -> str:
    """Send one review of the demonstration's first moment, whose windows have all closed, and say what Flink did.

    Raises LabError where nothing was sent yet or the stream refuses the record.
    """
    if sending is None:
        return NOBODY_WATCHES
    first = _last_answer(sending)["first_event_time"]
    before = late_rows()
    _put([review_of(f"late-{uuid.uuid4().hex[:8]}", "somebody late", first)])
    said = f"Sent one review that happened at {first}, when all of its windows had closed"
    if before is None:
        return f"{said}. Flink's dashboard does not answer a program here: look at numLateRecordsDropped in it."
    after = _until(lambda: now if (now := late_rows()) is not None and now > before else None)
    if after is None:
        return f"{said}; Flink has not counted it yet: look at numLateRecordsDropped in the dashboard."
    return f"{said}: Flink dropped it. Late rows: {before} before, {after} now."


def send_burst(sending: PacedSending | None, reviewer: str) -> pd.DataFrame | str:
    """Send a burst of reviews under this name, close its windows, and return what `suspicious_activity` says of it.

    Returns DataFrame[reviewer, movie_count, window_start, window_end], or a sentence where no window came.
    Raises BadParameter for an empty name, LabError where the stream refuses a record.
    """
    if sending is None:
        return NOBODY_WATCHES
    if not isinstance(reviewer, str) or not reviewer.strip():
        raise BadParameter("reviewer", reviewer, "give a name, such as your own")
    _last_answer(sending)
    since = tip(OUTPUT_STREAM)
    quick = {key: value for key, value in sending.event.items() if key not in ("pace", "limit")}
    # Some reviews before it, without the markers that would close its windows; then some after it, with them.
    opened = invoke(sending.lambda_, sending.name, {**quick, "limit": 20, "end_markers": False})
    at = opened["last_event_time"]
    _put([review_of(f"burst-{uuid.uuid4().hex[:8]}", reviewer, at, f"Film {number}") for number in range(BURST)])
    invoke(sending.lambda_, sending.name, {**quick, "limit": 20})

    def found() -> pd.DataFrame | None:
        table = read_windows(read_stream(OUTPUT_STREAM, since)).table
        mine = table[table["reviewer"] == reviewer]
        return mine.reset_index(drop=True) if len(mine) else None

    written = _until(found)
    if written is None:
        return f"{reviewer} is not in {OUTPUT_STREAM} yet: is the threshold below {BURST}, is the application RUNNING?"
    return written


def count_from_here(
    session: Session,
    sending: PacedSending | None,
    position: Position,
    window_seconds: int = 60,
    slide_seconds: int = 30,
    threshold: int = 1,
    watermark_delay_seconds: int = 5,
) -> str:
    """Note that 04 judges what comes from here on, once all sent before is closed and written."""
    if sending is None:
        return "04 judges everything since the application started."
    rules = WindowRules(window_seconds, slide_seconds, threshold, watermark_delay_seconds)
    for state in moments(Watched(position, rules), sending):
        watched = state.reviews
    save_position(session.flink_bucket, position.application, late_rows=late_rows() or 0)
    return f"04 judges what comes from here on: the {watched:,} reviews that were sent to be watched are left out."


def late_rows() -> int | None:
    """Ask Flink how many rows it dropped as late; None where its dashboard cannot be asked or no job runs."""
    try:
        return Dashboard.of_application().late_rows()
    except (DashboardSilent, ClientError):
        return None


def review_of(review_id: str, reviewer: str, event_time: str, movie: str = "A film of long ago") -> dict[str, Any]:
    """Return one event as the producer writes it: the nine fields of a review and its event time."""
    return {
        "review_id": review_id,
        "reviewer": reviewer,
        "movie": movie,
        "rating": "8",
        "review_summary": "Sent by hand",
        "review_date": "1 January 2026",
        "spoiler_tag": 0,
        "review_detail": "Sent from the notebook, to see what becomes of it.",
        "helpful": ["0", "0"],
        "event_time": event_time,
    }


def _last_answer(sending: PacedSending) -> dict[str, Any]:
    if sending.error is not None:
        raise sending.error
    if not sending.done or not sending.answers:
        raise LabError("The demonstration is still being sent: wait for the live view above, then run this cell again.")
    return sending.answers[-1]


def _put(events: list[dict[str, Any]]) -> None:
    records = [{"Data": json.dumps(event).encode(), "PartitionKey": event["review_id"]} for event in events]
    answer = boto3.client("kinesis").put_records(StreamName=INPUT_STREAM, Records=records)
    if answer["FailedRecordCount"]:
        raise LabError(f"The stream {INPUT_STREAM} refused a record: wait a second and run this cell again.")


def _until(ask: Callable[[], Any]) -> Any:
    """Return the first answer that is not None; None once nothing came for so long."""
    silence = QuietTime()
    while (found := ask()) is None and silence.seconds() < QUIET_SECONDS:
        time.sleep(0.5)
    return found
