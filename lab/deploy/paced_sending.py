"""Run the producer in the background, in real time, so that the notebook can watch what it sends."""

import math
import threading
import time
from typing import Any

from lab.core.errors import BadParameter
from lab.deploy.invocation import invoke

SECONDS_AN_INVOCATION = 5.0  # a stop is heard between two invocations, and a killed kernel leaves no more than one


class PacedSending:
    """Invoke the producer again and again for some seconds, then end its run with its end markers.

    `answers` are the function's so far. `done` becomes True when the last one is there or `error` says why it is not.
    """

    def __init__(self, lambda_: Any, name: str, event: dict[str, Any], seconds: float) -> None:
        self.answers: list[dict[str, Any]] = []
        self.error: BaseException | None = None
        self.lambda_, self.name, self.event = lambda_, name, event
        self._until = time.monotonic() + seconds
        self._stop = threading.Event()
        # A daemon: a kernel that is shut down does not wait for it.
        self._thread = threading.Thread(target=self._run, name="paced-sending", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Return nothing is being sent any more."""
        return not self._thread.is_alive()

    @property
    def sentence(self) -> str:
        """Return what was sent, in one sentence."""
        if not self.answers:
            return "Nothing was sent yet."
        last = self.answers[-1]
        state = "closed with end markers" if last["done"] else "still under way"
        ahead = last["clock_offset_seconds"]
        clock = f"; event time is {ahead:,.0f} s ahead of the wall clock, where earlier runs ended" if ahead else ""
        return f"{last['sent']:,} reviews in {len(self.answers)} invocations, {state}{clock}."

    def stop(self) -> None:
        """Send no further review: the run ends with its markers, as it does when its seconds are over."""
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Wait until it is done, at most so long."""
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            while not (self.answers and self.answers[-1]["done"]):
                left = self._until - time.monotonic()
                over = left <= 0 or self._stop.is_set()
                more = {"finish": True} if over else {"stop_after_seconds": max(0.5, min(left, SECONDS_AN_INVOCATION))}
                self.answers.append(invoke(self.lambda_, self.name, {**self.event, **more}))
        except BaseException as error:
            self.error = error  # raised again by the one who watches


def send_paced(lambda_: Any, name: str, event: dict[str, Any], seconds: float) -> PacedSending | None:
    """Send reviews as the event says (`pace`, `clock`) for some seconds, in the background; None for 0 seconds.

    The run ends like any other, with a marker to every shard: no window stays open, and event time goes on behind it.
    Raises BadParameter for a negative time.
    """
    if seconds < 0:
        raise BadParameter("seconds", seconds, "0 sends nothing, 120 is two minutes")
    if not seconds:
        return None
    # A limit of its own: were the kernel killed now, the whole file's run would otherwise go on with this one's rest.
    limit = math.ceil(event["pace"] * seconds) if event.get("pace") else None
    return PacedSending(lambda_, name, {"limit": limit, **event}, seconds)
