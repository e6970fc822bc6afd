"""Which sinks of a job do not write: by Flink's own metrics, and by what the TaskManager's log says."""

from pathlib import Path
from typing import Any

import pytest

from localaws.flink_cluster.rest import FlinkRest
from localaws.managed_flink.sinks import failing_sinks, last_refusal

LOG = """\
2026-11-27T15:00:00,001 WARN  org.apache.flink.connector.kinesis.sink.KinesisStreamsSinkWriter [t] KDS Sink failed to \
write and will retry 5 entries to KDS first request was PutRecordsRequestEntry(..)
java.util.concurrent.CompletionException: SdkClientException
\tat java.base/java.util.concurrent.CompletableFuture.encodeRelay(CompletableFuture.java:368)
Caused by: java.lang.SecurityException: Nothing of an application leaves this machine, and elsewhere is not on it.
2026-11-27T15:00:01,001 INFO  org.apache.flink.Something [t] all is well
"""


class Rest(FlinkRest):
    """Answers the paths of one job with a source and a sink whose records were sent and failed."""

    def __init__(self, sent: float, errors: float) -> None:
        self.values = {"even[10]__Writer.numRecordsSend": sent, "even[10]__Writer.numRecordsSendErrors": errors}

    def get(self, path: str) -> Any:
        if path.endswith("/j"):
            return {"vertices": [{"id": "source"}, {"id": "sink"}]}
        names = {"numRecordsIn": 5.0} | (self.values if "/sink/" in path else {})
        if "?get=" not in path:
            return [{"id": name} for name in names]
        return [{"id": name, "sum": names[name]} for name in path.split("?get=")[1].split("&")[0].split(",")]


@pytest.mark.parametrize(
    ("sent", "errors", "named"),
    [
        (0.0, 0.0, []),
        (5.0, 0.0, []),
        (1000.0, 3.0, []),  # throttled, and written the second time
        (15.0, 10.0, ["even[10] (10 of 15 records failed)"]),
    ],
)
def test_a_sink_most_of_whose_records_fail_is_named(sent: float, errors: float, named: list[str]) -> None:
    assert failing_sinks(Rest(sent, errors), "j") == named


def test_the_log_says_why_a_sink_retries(tmp_path: Path) -> None:
    log = tmp_path / "taskmanager.log"
    log.write_text(LOG)
    assert last_refusal(log).splitlines()[-1].startswith("Caused by: java.lang.SecurityException: Nothing of an")
    log.write_text(LOG.splitlines()[-1] + "\n")
    assert last_refusal(log) == ""
