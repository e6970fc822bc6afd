"""Sending in the background: in short invocations, ended with markers, whatever stops it."""

import io
import json
import threading
from types import SimpleNamespace

import pytest

from lab.core.errors import BadParameter
from lab.deploy.invocation import ProducerFailed
from lab.deploy.paced_sending import send_paced


class Function:
    """A Lambda client whose function sends ten reviews an invocation, of `count` in all."""

    meta = SimpleNamespace(endpoint_url="http://127.0.0.1:1")

    def __init__(self, count=100, fails=False):
        self.events, self.sent, self.count, self.fails = [], 0, count, fails
        self.go_on = threading.Event()

    def invoke(self, FunctionName, Payload):
        event = json.loads(Payload)
        self.events.append(event)
        if self.fails:
            said = {"errorMessage": "Another invocation is filling the stream."}
            return {"Payload": io.BytesIO(json.dumps(said).encode()), "FunctionError": "Unhandled"}
        assert self.go_on.wait(60)
        finish = event.get("finish", False)
        self.sent = self.sent if finish else min(self.sent + 10, self.count)
        answer = {"sent": self.sent, "done": finish or self.sent == self.count, "clock_offset_seconds": 12.0}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


def finished(sending):
    sending.wait(60)
    assert sending.done
    return sending


def test_one_run_in_short_invocations_until_the_file_ends():
    function = Function(30)
    function.go_on.set()
    sending = finished(send_paced(function, "reviewProducer", {"pace": 5, "clock": "now"}, 120))
    assert [event["stop_after_seconds"] for event in function.events] == [5, 5, 5]
    assert all((event["pace"], event["clock"]) == (5, "now") for event in function.events)
    assert sending.sentence == (
        "30 reviews in 3 invocations, closed with end markers; event time is 12 s ahead of the wall clock, where "
        "earlier runs ended."
    )


def test_stop_lets_the_invocation_end_and_closes_the_run():
    function = Function()
    sending = send_paced(function, "reviewProducer", {"pace": 5}, 120)
    assert not sending.done and sending.sentence == "Nothing was sent yet."
    sending.stop()
    function.go_on.set()
    finished(sending)
    assert [event.get("finish") for event in function.events][-1] is True
    assert len(function.events) <= 2 and sending.answers[-1]["done"]


def test_when_its_seconds_are_over_the_run_is_closed():
    function = Function()
    function.go_on.set()
    sending = finished(send_paced(function, "reviewProducer", {"pace": 5}, 0.000001))
    assert function.events == [{"limit": 1, "pace": 5, "finish": True}]
    assert sending.error is None


def test_what_goes_wrong_is_kept_for_the_one_who_watches():
    sending = finished(send_paced(Function(fails=True), "reviewProducer", {}, 120))
    assert isinstance(sending.error, ProducerFailed)
    assert "Another invocation is filling the stream." in str(sending.error)


def test_no_seconds_send_nothing_and_negative_ones_are_refused():
    assert send_paced(None, "reviewProducer", {}, 0) is None
    with pytest.raises(BadParameter, match="120 is two minutes"):
        send_paced(None, "reviewProducer", {}, -1)
