"""A client of one cluster's REST API: just the calls Managed Flink needs."""

import http.client
import json
import time
import urllib.error
import urllib.request
from typing import Any

from localaws.errors import ClusterFailed


class FlinkRest:
    """Calls ``http://HOST:PORT``; raises ClusterFailed where the JobManager does not answer as it should."""

    def __init__(self, url: str, timeout: float = 30.0) -> None:
        self.url = url
        self._timeout = timeout

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(self.url + path, method=method)  # noqa: S310
        data = None
        if body is not None:
            request.add_header("Content-Type", "application/json")
            data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, timeout=self._timeout) as answer:  # noqa: S310
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

    def get(self, path: str) -> dict[str, Any]:
        return self.call("GET", path)

    def taskmanagers(self) -> list[dict[str, Any]]:
        return self.get("/taskmanagers")["taskmanagers"]

    def jobs(self) -> list[dict[str, Any]]:
        """Jobs of this cluster, oldest first, with jid, name, state and task counts."""
        return sorted(self.get("/jobs/overview")["jobs"], key=lambda job: job["start-time"])

    def job(self, job_id: str) -> dict[str, Any]:
        return self.get(f"/jobs/{job_id}")

    def first_exception(self, job_id: str, since: float = 0.0) -> str | None:
        """The stack trace of the oldest failure the JobManager remembers after ``since`` (epoch seconds), or None."""
        entries = self.get(f"/jobs/{job_id}/exceptions?maxExceptions=50").get("exceptionHistory", {}).get("entries", [])
        later = [entry for entry in entries if entry["timestamp"] >= since * 1000]
        return min(later, key=lambda entry: entry["timestamp"])["stacktrace"] if later else None

    def cancel(self, job_id: str) -> None:
        self.call("PATCH", f"/jobs/{job_id}?mode=cancel")

    def checkpoint(self, job_id: str, timeout: float = 60.0) -> None:
        """Take a checkpoint now; raises ClusterFailed with Flink's reason where it did not succeed in time."""
        started = self.call("POST", f"/jobs/{job_id}/checkpoints", {"checkpointType": "FULL"})
        self._completed(f"/jobs/{job_id}/checkpoints/{started['request-id']}", f"checkpoint of job {job_id}", timeout)

    def savepoint(self, job_id: str, folder: str, stop: bool, timeout: float = 120.0) -> str:
        """Take a savepoint (and stop the job with it); returns its path.

        Raises ClusterFailed with Flink's reason where the savepoint did not succeed within ``timeout`` seconds.
        """
        if stop:
            started = self.call("POST", f"/jobs/{job_id}/stop", {"targetDirectory": folder, "drain": False})
        else:
            started = self.call("POST", f"/jobs/{job_id}/savepoints", {"target-directory": folder})
        path = f"/jobs/{job_id}/savepoints/{started['request-id']}"
        return self._completed(path, f"savepoint of job {job_id}", timeout)["location"]

    def _completed(self, path: str, what: str, timeout: float) -> dict[str, Any]:
        """What an asynchronous operation came to; raises ClusterFailed with its failure's stack trace."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            answer = self.get(path)
            if answer["status"]["id"] == "COMPLETED":
                operation = answer["operation"]
                if "failure-cause" in operation:
                    raise ClusterFailed(operation["failure-cause"]["stack-trace"])
                return operation
            time.sleep(0.05)
        raise ClusterFailed(f"The {what} did not complete within {timeout:.0f} seconds.")
