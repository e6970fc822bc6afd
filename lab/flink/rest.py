"""Ask the Flink dashboard's REST API about the lab's job."""

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import boto3
import pandas as pd

from lab.core.errors import LabError
from lab.core.names import APPLICATION

_TIMEOUT = 60.0  # seconds, as boto3 waits: on a busy machine a JobManager is slow, not gone


class DashboardSilent(LabError):
    """Say that the dashboard's address does not answer as a Flink REST API."""

    def __init__(self, url: str, why: str, hint: str = "open it in the browser, or create a new URL") -> None:
        self.url, self.why = url, why
        super().__init__(
            f"The Flink dashboard at {_without_token(url)} does not answer as Flink's REST API ({why}): {hint}."
        )


class Dashboard:
    """Ask for the jobs behind a dashboard's address, as ``create_application_presigned_url`` returns it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._base = _without_token(url).rstrip("/")

    @classmethod
    def of_application(cls, name: str = APPLICATION, flink: Any = None) -> "Dashboard":
        """Create a presigned URL of a RUNNING application and take the dashboard behind it; raises ClientError."""
        flink = flink or boto3.client("kinesisanalyticsv2")
        answer = flink.create_application_presigned_url(ApplicationName=name, UrlType="FLINK_DASHBOARD_URL")
        return cls(answer["AuthorizedUrl"])

    def get(self, path: str) -> Any:
        """Read one path of the REST API; raises DashboardSilent."""
        try:
            with urllib.request.urlopen(self._base + path, timeout=_TIMEOUT) as answer:  # noqa: S310
                return json.load(answer)
        except (OSError, ValueError) as error:
            why = error.reason if type(error) is urllib.error.URLError else error  # "<urlopen error ...>" says less
            raise DashboardSilent(self.url, str(why)) from error

    def jobs(self) -> list[dict[str, Any]]:
        """List each job with name, state, start time and task counts, newest first."""
        jobs = self.get("/jobs/overview")["jobs"]
        return sorted(jobs, key=lambda job: -job["start-time"])

    def running_job(self) -> dict[str, Any] | None:
        """Return the newest job that is RUNNING with all its tasks, or None."""
        for job in self.jobs():
            if job["state"] == "RUNNING" and job["tasks"]["running"] == job["tasks"]["total"]:
                return job
        return None

    def late_rows(self, before: int = 0) -> int | None:
        """Count the rows the running job dropped as late (numLateRecordsDropped); None where no job runs.

        `before` of them were there when what is judged began.
        """
        job = self.running_job()
        return None if job is None else max(0, self.late_rows_of(job["jid"]) - before)

    def late_rows_of(self, job_id: str) -> int:
        """Count the rows a job dropped as late: the most that one of its window operators dropped.

        Each statement has a window operator of its own, and each of them drops a late row once more.
        """
        counts = (self.operators_sum(job_id, vertex["id"], "numLateRecordsDropped") for vertex in self.vertices(job_id))
        return int(max((count or 0 for count in counts), default=0))

    def records_taken(self, job_id: str, table: str, metric: str = "numRecordsIn") -> int | None:
        """Count the records that the writer of a sink table took so far; None where no sink has it.

        Other metrics of a writer are numRecordsSend and numRecordsSendErrors.
        """
        counts = [
            self.operators_sum(job_id, vertex["id"], metric, (f"{table}[", "Writer"))
            for vertex in self.vertices(job_id)
        ]
        known = [int(count) for count in counts if count is not None]
        return sum(known) if known else None

    def vertices(self, job_id: str) -> list[dict[str, Any]]:
        """List the operators (chained) of a job with their parallelism, status and record counts."""
        return self.get(f"/jobs/{job_id}")["vertices"]

    def operators_sum(self, job_id: str, vertex: str, metric: str, operator: tuple[str, ...] = ()) -> float | None:
        """Sum a metric over the subtasks of a vertex and its chained operators whose names hold all these words.

        None where no operator of the vertex has it.
        """
        path = f"/jobs/{job_id}/vertices/{vertex}/subtasks/metrics"
        names = [one["id"] for one in self.get(path)]
        wanted = [
            name
            for name in names
            if name.rpartition(".")[2] == metric and all(word in name.rpartition(".")[0] for word in operator)
        ]
        if not wanted:
            return None
        return sum(one["sum"] for one in self.get(f"{path}?get={','.join(wanted)}&agg=sum"))

    def watermark(self, job_id: str) -> pd.Timestamp | None:
        """Return the smallest watermark that came into any operator fed by another; None where none did."""
        found = [
            int(entry["value"])
            for vertex in self.vertices(job_id)
            for entry in self.get(f"/jobs/{job_id}/vertices/{vertex['id']}/watermarks")
        ]
        reached = [value for value in found if value > -(2**62)]
        return pd.Timestamp(min(reached), unit="ms") if reached and len(reached) == len(found) else None


def _without_token(url: str) -> str:
    scheme, host, path, _, _ = urlsplit(url)
    return urlunsplit((scheme, host, path, "", ""))
