"""Keep an application to its hours: the moment at which they are over is a tag of the application itself.

The kernel that started it stops it with a timer, and so does the kernel of every later notebook that looks. Where no
kernel is left nobody does: the README shows a schedule of AWS's own for that.
"""

import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lab.core.errors import BadParameter
from lab.core.tags import STOP_AFTER_KEY, as_map

_STOPPED = {"READY", "STOPPING", "FORCE_STOPPING", "DELETING"}
_timers: dict[str, threading.Timer] = {}


def stop_after(flink: Any, name: str, hours: float) -> str:
    """Give a running application ``hours`` from now (0: no end) and set this kernel's timer; returns a sentence.

    Raises BadParameter for hours that cannot be.
    """
    if not 0 <= hours <= 24 * 7:
        raise BadParameter("max_hours", hours, "it is 0 for no end, or up to 168 hours, such as 4")
    detail = flink.describe_application(ApplicationName=name)["ApplicationDetail"]
    arn = detail["ApplicationARN"]
    if not hours:
        flink.untag_resource(ResourceARN=arn, TagKeys=[STOP_AFTER_KEY])
        _forget(name)
        return f"{name} runs until somebody stops it: run 05_cleanup when you are done."
    end = (datetime.now(UTC) + timedelta(hours=hours)).replace(microsecond=0)
    flink.tag_resource(ResourceARN=arn, Tags=[{"Key": STOP_AFTER_KEY, "Value": end.strftime("%Y-%m-%dT%H:%M:%SZ")}])
    return keep_to_hours(flink, name)


def keep_to_hours(flink: Any, name: str) -> str:
    """Stop the application if its hours are over, or let this kernel do so then; returns a sentence."""
    end = hours_end(flink, name)
    if end is None:
        return f"{name} is not running, or has no hour at which it is stopped."
    left = (end - datetime.now(UTC)).total_seconds()
    if left <= 0:
        flink.stop_application(ApplicationName=name, Force=True)
        return f"{name} was to run until {end:%H:%M} UTC and is being stopped now."
    _forget(name)
    timer = threading.Timer(left, _stop_by_timer, (flink, name))
    timer.daemon = True  # a kernel that ends does not wait for it
    timer.start()
    _timers[name] = timer
    return f"{name} is stopped at {end:%H:%M} UTC, as long as this kernel, or that of a later notebook, runs."


def hours_end(flink: Any, name: str) -> datetime | None:
    """Return when the hours of a running application are over; None where it does not run or has no end."""
    try:
        detail = flink.describe_application(ApplicationName=name)["ApplicationDetail"]
    except flink.exceptions.ResourceNotFoundException:
        return None
    if detail["ApplicationStatus"] in _STOPPED:
        return None
    text = as_map(flink.list_tags_for_resource(ResourceARN=detail["ApplicationARN"])["Tags"]).get(STOP_AFTER_KEY, "")
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _stop_by_timer(flink: Any, name: str) -> None:
    """Look again before stopping: another notebook may have prolonged the hours."""
    try:
        said = keep_to_hours(flink, name)
    except (ClientError, BotoCoreError) as error:
        said = (
            f"{name} could not be stopped ({error}) and goes on costing money: stop it in the console or by 05_cleanup."
        )
    sys.stderr.write(said + "\n")


def _forget(name: str) -> None:
    timer = _timers.pop(name, None)
    if timer is not None:
        timer.cancel()
