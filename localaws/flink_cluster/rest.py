"""Call one cluster's REST API: just the calls Managed Flink needs."""

import http.client
import json
import time
import urllib.error
import urllib.request
from typing import Any

from localaws.errors import ClusterFailed
from localaws.machine.loopback import open_url

ENDED = ("FINISHED", "FAILED", "CANCELED")  # states of a job that does not run again


class FlinkRest:
    """Call ``http://HOST:PORT``; raises ClusterFailed where the JobManager does not answer as it should."""

    def __init__(self, url: str, timeout: float = 120.0) -> None:
        self.url = url
        self._timeout = timeout

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(self.url + path, method=method)  # noqa: S310
        data = None
        if body is not None:
            request.add_header("Content-Type", "application/json")
            data = json.dumps(body).encode()
        try:
            with open_url(request, data, timeout=self._timeout) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            detail = error.read().decode(errors="replace")
            raise ClusterFailed(f"The JobManager refused {method} {path}: {detail[:2000]}") from error
        except (OSError, http.client.HTTPException) as error:
            raise ClusterFailed(f"The JobManager at {self.url} does not answer ({error}).") from error
        try:
            return json.loads(text) if text else {}
        except ValueError as error:
            raise ClusterFailed(f"What answers at {self.url}{path} is not a JobManager.") from error

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def taskmanagers(self) -> list[dict[str, Any]]:
        return self.get("/taskmanagers")["taskmanagers"]

    def jobs(self) -> list[dict[str, Any]]:
        """Return the jobs of this cluster, oldest first, with jid, name, state and task counts."""
        return sorted(self.get("/jobs/overview")["jobs"], key=lambda job: job["start-time"])

    def job(self, job_id: str) -> dict[str, Any]:
        return self.get(f"/jobs/{job_id}")

    def failures(self, job_id: str, since: float = 0.0) -> list[str]:
        """Return the stack traces the JobManager keeps of failures after ``since`` (epoch seconds), oldest first."""
        entries = self.get(f"/jobs/{job_id}/exceptions?maxExceptions=50").get("exceptionHistory", {}).get("entries", [])
        later = [entry for entry in entries if entry["timestamp"] >= since * 1000]
        return [entry["stacktrace"] for entry in sorted(later, key=lambda entry: entry["timestamp"])]

    def cancel(self, job_id: str) -> None:
        self.call("PATCH", f"/jobs/{job_id}?mode=cancel")

    def checkpoint(self, job_id: str) -> None:
        """Take a checkpoint now; raises ClusterFailed with Flink's reason where it did not succeed."""
        started = self.call("POST", f"/jobs/{job_id}/checkpoints", {"checkpointType": "FULL"})
        self._completed(f"/jobs/{job_id}/checkpoints/{started['request-id']}")

    def savepoint(self, job_id: str, folder: str, stop: bool) -> str:
        """Take a savepoint (and stop the job with it); returns its path.

        Raises ClusterFailed with Flink's reason where the savepoint did not succeed.
        """
        if stop:
            started = self.call("POST", f"/jobs/{job_id}/stop", {"targetDirectory": folder, "drain": False})
        else:
            started = self.call("POST", f"/jobs/{job_id}/savepoints", {"target-directory": folder})
        return self._completed(f"/jobs/{job_id}/savepoints/{started['request-id']}")["location"]

    def _completed(self, path: str) -> dict[str, Any]:
        """Wait for the result of an asynchronous operation, which Flink itself fails after its own limit.

        Raises ClusterFailed with the stack trace of its failure.
        """
        while (answer := self.get(path))["status"]["id"] != "COMPLETED":
            time.sleep(0.05)
        if "failure-cause" in answer["operation"]:
            raise ClusterFailed(answer["operation"]["failure-cause"]["stack-trace"])
        return answer["operation"]
