"""The chart of the producer's log: the newest run, its invocations one behind the other."""

import json
from typing import Any

from lab.chart_producer import sending_per_second


def event(message: Any) -> dict[str, Any]:
    return {"timestamp": 0, "message": message if isinstance(message, str) else json.dumps(message)}


def end(run: int, series: list[list[int]]) -> dict[str, Any]:
    return event({"event": "end", "stream": "reviews", "run": run, "series": series})


def test_the_newest_run_over_its_invocations() -> None:
    events = [
        event("START RequestId: 1"),
        event("[1, 2]"),
        end(1, [[0, 7, 0]]),
        event({"event": "batch", "stream": "reviews", "run": 2, "sent": 5}),
        end(2, [[0, 500, 20], [2, 300, 0]]),
        end(2, [[0, 200, 1]]),
    ]
    picture = sending_per_second(events)
    assert picture.table.to_numpy().tolist() == [[0, 500, 20], [2, 300, 0], [3, 200, 1]]
    assert "1,000 written, 21 sent again, in 3 seconds with any; most in one second: 500" in picture.alt
    assert picture.png.startswith(b"\x89PNG")


def test_a_log_without_a_finished_invocation_says_so() -> None:
    picture = sending_per_second([event("START")])
    assert picture.table.empty
    assert "run this cell again" in picture.figure.axes[1].get_xlabel()
    assert picture.alt in picture.html
