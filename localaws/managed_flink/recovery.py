"""Watch an application's job: log its failures, and submit it again after its JobManager was lost.

Flink itself restarts a job whose TaskManager died. When the JobManager dies, the job dies with it: it is submitted
again from its newest checkpoint on disk, as a highly available JobManager of Managed Flink would do.
"""

import re
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from localaws.errors import LocalAwsError
from localaws.flink_cluster.rest import ENDED
from localaws.managed_flink.failures import explain
from localaws.managed_flink.running import Cancelled, RunningApplication
from localaws.managed_flink.sinks import failing_sinks, last_refusal

_PERIOD = 1.0  # seconds between two looks at the job
_SINK_PERIOD = 15.0  # seconds between two looks at what the sinks could not send
_ATTEMPTS = 3
_CHECKPOINT_BYTES = 1 << 20


def latest_checkpoint(folder: Path, job_ids: list[str]) -> str | None:
    """Return the path of the newest complete checkpoint of a job or of those it continued (newest last), or None."""
    for job_id in reversed(job_ids):
        complete = (folder / "checkpoints" / job_id).glob("chk-*/_metadata")
        numbered = [(int(re.sub(r"\D", "", path.parent.name)), path.parent) for path in complete]
        if numbered:
            return f"file://{max(numbered)[1]}"
    return None


def _is_full(folder: Path) -> bool:
    """Return whether less is free than a checkpoint needs; Flink's failure names the checkpoint, not its cause."""
    return folder.exists() and shutil.disk_usage(folder).free < _CHECKPOINT_BYTES


class JobWatch:
    """Watch one application's job until it is stopped; tell ``on_status`` READY when the job has ended for good."""

    def __init__(self, running: RunningApplication, restored_from: str | None, on_status: Callable[..., None]) -> None:
        self._running = running
        self._restored_from = restored_from
        self._on_status = on_status
        self._jobmanager_lost = threading.Event()
        self._job_ids = [running.job_id or ""]
        self._began = time.time()
        running.cluster.on_process_lost = self._process_lost
        threading.Thread(target=self._watch, name=f"watch-{running.job.key}", daemon=True).start()

    def _process_lost(self, name: str) -> None:
        self._running.log("WARN", f"The {name} of the application was lost and is started again.")
        if name == "jobmanager":
            self._jobmanager_lost.set()

    def _watch(self) -> None:
        last, since, look_at_sinks = "RUNNING", 0.0, time.monotonic() + _SINK_PERIOD
        while not self._running.stopping.wait(_PERIOD):
            if self._jobmanager_lost.is_set():
                self._jobmanager_lost.clear()
                if not self._recover():
                    self._running.ended.set()
                    return
                last, since = "RUNNING", time.time()
                continue
            looked = time.time()
            try:
                state = self._running.job_state()
            except LocalAwsError:
                if self._running.cluster.has_lost(self._running.job_id or ""):
                    self._process_lost("jobmanager")
                continue  # the JobManager is being restarted
            if state != "RUNNING" or last != "RUNNING":
                self._count_failures()
            if state != last:
                self._tell(state, since)
                if state in ENDED:
                    self._running.ended.set()
                    self._on_status("READY", f"The job ended as {state}.")
                    return
            if state == "RUNNING" and time.monotonic() > look_at_sinks:
                self._look_at_sinks()
                look_at_sinks = time.monotonic() + _SINK_PERIOD
            if state == last == "RUNNING":
                since = looked  # what fails from now on is told when the job is seen restarting
            last = state

    def _count_failures(self) -> None:
        """Note how often the job has failed since it was RUNNING, and why first; Flink keeps the last 16 failures."""
        try:
            failures = self._running.cluster.rest.failures(self._running.job_id or "", self._began)
        except LocalAwsError:
            return  # the JobManager is being restarted
        self._running.restarts = max(self._running.restarts, len(failures))
        if failures and not self._running.first_cause:
            self._running.first_cause = explain(failures[0])

    def _look_at_sinks(self) -> None:
        """Note which sinks fail, and log the first time that one does."""
        try:
            failing = failing_sinks(self._running.cluster.rest, self._running.job_id or "")
        except LocalAwsError:
            return  # the JobManager is being restarted
        if failing and not self._running.failing_sinks:
            taskmanager = self._running.cluster.log_files().get("taskmanager")
            trace = last_refusal(taskmanager) if taskmanager else ""
            why = f" {explain(trace)}" if trace else ""
            self._running.log("ERROR", f"The job runs and its sink {failing[0]} does not write.{why}", trace)
        self._running.failing_sinks = failing

    def _tell(self, state: str, since: float) -> None:
        if state == "RUNNING":
            self._running.log("INFO", "The job is RUNNING again.")
            return
        try:
            trace = self._running.first_failure(since)
        except LocalAwsError:
            trace = None
        level = "INFO" if state == "FINISHED" else "ERROR"
        if trace and "checkpoint tolerable failure" in trace and _is_full(self._running.folder / "checkpoints"):
            trace = f"{trace}\nNo space left on device: {self._running.folder / 'checkpoints'}"
        sentence = explain(trace) if trace else "no failure is recorded."
        self._running.log(level, f"The job is {state}: {sentence}", trace or "")

    def _recover(self) -> bool:
        """Submit the job again from its newest checkpoint; False where no attempt worked or the application stopped."""
        for attempt in range(1, _ATTEMPTS + 1):
            checkpoint = latest_checkpoint(self._running.folder, self._job_ids) or self._restored_from
            began = time.monotonic()
            try:
                self._running.resubmit(checkpoint)
            except Cancelled:
                return False
            except (LocalAwsError, OSError) as error:
                self._running.log("ERROR", f"Bringing the job back failed (attempt {attempt}): {error}", repr(error))
                continue
            self._job_ids.append(self._running.job_id or "")
            took = time.monotonic() - began
            self._running.log("INFO", f"The job is back from {checkpoint or 'its beginning'} after {took:.1f} seconds.")
            return True
        self._on_status("READY", "The job could not be brought back after its JobManager was lost.")
        return False
