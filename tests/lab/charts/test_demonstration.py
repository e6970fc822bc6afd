"""What is sent to be watched, and that nothing is sent where nobody watches."""

import json

import pytest

from lab.charts import demonstration
from lab.charts.demonstration import NOBODY_WATCHES, count_from_here, review_of, send_burst, send_late_review
from lab.core.errors import BadParameter, LabError


class Sent:
    """A demonstration that is over."""

    error, done, lambda_, name = None, True, None, "reviewProducer"
    event = {"clock": "replay", "pace": 50.0, "limit": 1000, "window_seconds": 60}  # noqa: RUF012
    answers = [{"first_event_time": "2026-01-01T00:01:00.000", "done": True}]  # noqa: RUF012


class Kinesis:
    def __init__(self):
        self.records, self.refused = [], 0

    def put_records(self, StreamName, Records):  # noqa: N803
        assert StreamName == "reviews"
        self.records += [(record["PartitionKey"], json.loads(record["Data"])) for record in Records]
        return {"FailedRecordCount": self.refused}


@pytest.fixture
def kinesis(monkeypatch):
    made = Kinesis()
    monkeypatch.setattr(demonstration.boto3, "client", lambda name: made)
    monkeypatch.setattr(demonstration, "QUIET_SECONDS", 0.1)
    return made


def test_where_nobody_watches_nothing_is_sent(kinesis):
    assert send_late_review(None) == send_burst(None, "Ann") == NOBODY_WATCHES
    assert count_from_here(None, None, None) == "04 judges everything since the application started."
    assert kinesis.records == []


def test_a_late_review_is_of_the_first_moment(kinesis, monkeypatch):
    counts = iter([3, 3, 4])
    monkeypatch.setattr(demonstration, "late_rows", lambda: next(counts))
    said = send_late_review(Sent())
    assert said.endswith("Flink dropped it. Late rows: 3 before, 4 now.")
    ((key, event),) = kinesis.records
    assert event["event_time"] == "2026-01-01T00:01:00.000" and event["review_id"] == key
    assert len(event) == 10


def test_without_a_dashboard_it_says_where_to_look(kinesis, monkeypatch):
    monkeypatch.setattr(demonstration, "late_rows", lambda: None)
    assert "look at numLateRecordsDropped" in send_late_review(Sent())


def test_a_record_that_is_refused(kinesis, monkeypatch):
    monkeypatch.setattr(demonstration, "late_rows", lambda: 0)
    kinesis.refused = 1
    with pytest.raises(LabError, match="refused a record"):
        send_late_review(Sent())


def test_while_it_is_being_sent_one_waits(kinesis):
    class Sending(Sent):
        done = False

    with pytest.raises(LabError, match="wait for the live view"):
        send_late_review(Sending())


def test_a_burst_lies_between_two_short_runs(kinesis, monkeypatch):
    asked = []

    def invoke(lambda_, name, event):
        asked.append((dict(event), len(kinesis.records)))
        return {"last_event_time": "2026-01-01T00:05:00.000"}

    monkeypatch.setattr(demonstration, "invoke", invoke)
    monkeypatch.setattr(demonstration, "tip", lambda stream: {})
    monkeypatch.setattr(demonstration, "read_stream", lambda stream, since: None)
    rows = demonstration.pd.DataFrame({"reviewer": ["Ann", "Bob"], "movie_count": [6, 2]})
    monkeypatch.setattr(demonstration, "read_windows", lambda raw: type("Output", (), {"table": rows}))
    found = send_burst(Sent(), "Ann")
    assert found["movie_count"].tolist() == [6]
    assert [(event.get("end_markers"), sent) for event, sent in asked] == [(False, 0), (None, 6)]  # it lies between
    assert all("pace" not in event and event["limit"] == 20 for event, _ in asked)
    assert {(event["reviewer"], event["event_time"]) for _, event in kinesis.records} == {
        ("Ann", "2026-01-01T00:05:00.000")
    }
    assert len({key for key, _ in kinesis.records}) == 6
    assert "not in suspicious_activity yet" in send_burst(Sent(), "Cy")
    for name in ("", "  ", None):
        with pytest.raises(BadParameter, match="your own"):
            send_burst(Sent(), name)


def test_an_event_is_one_the_producer_could_have_sent():
    from producer.review_reader import KEYS, RULES

    event = review_of("r1", "Ann", "2026-01-01T00:00:00.000")
    assert list(event) == [*KEYS, "event_time"]
    assert all(rule(event[key]) for key, rule in RULES.items() if callable(rule))
