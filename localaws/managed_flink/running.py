"""Run one started application: from its zip to a RUNNING job on its own cluster, through the loss of processes."""

import threading
import time
from pathlib import Path
from typing import Any

from localaws.errors import ApplicationFailed, ClusterFailed
from localaws.flink_cluster.cluster import FlinkCluster
from localaws.flink_cluster.distribution import FLINK_VERSION, RUNTIME
from localaws.flink_cluster.existing_cluster import ExistingCluster
from localaws.flink_cluster.offered_time import OfferedTime
from localaws.job_description import JobDescription, Streams
from localaws.machine.account_folder import FAILURE_FILE
from localaws.managed_flink.failures import explain, explain_driver, needs_slots
from localaws.managed_flink.logs import LogShipper
from localaws.managed_flink.package import brings_kinesis, unpack
from localaws.managed_flink.requirements import fetch_wheels, requirements_files
from localaws.managed_flink.sources import SourceTracker
from localaws.managed_flink.submission import make_task

START_LIMIT = 180.0  # seconds of processor time on offer (``offered_time``) in which a start reaches RUNNING
_SOURCE_GRACE = 3.0  # such seconds in which a source that reads Kinesis asks for the shards of its stream
_NAMED_GRACE = 15.0  # the same where the runtime properties name an input stream that nothing has asked for
_POLL = 0.1
_CACHE = 4.0  # seconds; Flink's web.refresh-interval is 3 s where nobody has set it
_LOOK = 0.5  # seconds between two looks for a failure while the tasks start


class Cancelled(Exception):
    """Say that the application was stopped while it was starting."""


class RunningApplication:
    """Start one application's job, take its savepoints, and end it with ``stop``."""

    def __init__(
        self,
        job: JobDescription,
        folder: Path,
        cluster: FlinkCluster | ExistingCluster,
        tracker: SourceTracker,
        streams: Streams,
        logs: LogShipper | None,
        environment: dict[str, str],
    ) -> None:
        self.job = job
        self.cluster = cluster
        self.folder = folder
        self.job_id: str | None = None
        self.started_in: dict[str, float] = {}
        self.waiting_for = ""  # what the start waits for at this moment
        self.restarts = 0  # failures since RUNNING after which Flink started the job again
        self.first_cause = ""
        self.failing_sinks: list[str] = []
        self.warning = ""
        if job.runtime != RUNTIME:
            self.warning = f"The application is for {job.runtime} and runs here on Flink {FLINK_VERSION}."
        self.stopping = threading.Event()
        self.ended = threading.Event()  # the job has ended and does not come back
        self._tracker = tracker
        self._streams = streams
        self._logs = logs
        self._environment = environment
        self._failures_since = 0.0  # epoch seconds; a failure before it did not end the start
        self._refused_with_slots = False  # the job was refused though its slots were there

    # -- start --------------------------------------------------------------------------------------------------

    def start(self, package: Path, restore_from: str | None) -> None:
        """Run the application up to RUNNING; raises ApplicationFailed with the first failure, or Cancelled."""
        (self.folder / FAILURE_FILE).unlink(missing_ok=True)
        began = time.monotonic()
        self._tracker.begin(self.cluster.caller, self.job.arn, fresh=restore_from is None)
        if self._logs:
            for process, path in self.cluster.log_files().items():
                self._logs.follow(process, path)
        self.cluster.request_slots(self.job.slots)
        code = self.folder / "code"
        unpack(package, code)
        if self.cluster.wheels is not None:
            self.waiting_for = "pip has not fetched the packages of its requirements yet"
            fetch_wheels(requirements_files(code), self.cluster.wheels, self.stopping)
        self._mark("unpacked", began)
        offered = self._start_job(restore_from, began)
        self._wait_positioned(offered)
        self._mark("sources positioned", began)
        self._first_checkpoint()
        self._mark("first checkpoint", began)
        self.waiting_for = ""

    def resubmit(self, restore_from: str | None) -> None:
        """Run the application again on its cluster, whose JobManager was started anew, from a checkpoint's path."""
        self.cluster.renew_driver()
        self.job_id = None
        self._start_job(restore_from, time.monotonic())
        self.waiting_for = ""

    def _start_job(self, restore_from: str | None, began: float) -> OfferedTime:
        """Submit the job and wait until all its tasks are RUNNING; returns the clock of the start's limit."""
        offered = OfferedTime(self.cluster.processes)
        self._wait_for_slots(offered)
        self._mark("slots registered", began)
        self._submit(restore_from, offered)
        self._mark("job submitted", began)
        self._wait_running(offered)
        self._mark("tasks running", began)
        return offered

    def _mark(self, step: str, began: float) -> None:
        self.started_in[step] = round(time.monotonic() - began, 2)

    def _check(self, offered: OfferedTime, waiting_for: str) -> None:
        """Say what the start waits for; raises Cancelled, or ApplicationFailed where its limit has passed."""
        self.waiting_for = waiting_for
        if self.stopping.is_set():
            raise Cancelled
        if offered.seconds() > START_LIMIT:
            raise ApplicationFailed(
                f"The application did not reach RUNNING in {START_LIMIT:.0f} seconds of free processor time: "
                f"{waiting_for}."
            )

    def _wait_for_slots(self, offered: OfferedTime) -> None:
        """Wait until the slots are registered: Flink may refuse a job at once whose slots come a moment later."""
        while missing := self.cluster.missing_slots():
            self._check(offered, missing)
            time.sleep(_POLL / 2)

    def _submit(self, restore_from: str | None, offered: OfferedTime) -> None:
        driver = self.cluster.driver
        assert driver is not None  # the cluster has one as soon as it was started
        task = make_task(self.job, self.folder, restore_from, self._environment, self.cluster.job_options())
        while not driver.is_ready():
            self._check(offered, "the Python driver is not ready yet")
            driver.wait_change(_POLL)
        known = {job["jid"] for job in self._jobs()}
        driver.run(task)
        while self.job_id is None:
            self._check(offered, "the application's main file has not submitted a job yet")
            outcome = driver.outcome()
            fresh = [job for job in self._jobs() if job["jid"] not in known]
            if fresh:
                self.job_id = fresh[-1]["jid"]
            elif outcome is not None:
                self._raise_driver(outcome)
            driver.wait_change(_POLL)

    def _jobs(self) -> list[dict[str, Any]]:
        """Return the application's jobs; none while the JobManager does not answer, which the start's limit bounds."""
        try:
            return self.cluster.jobs()
        except ClusterFailed:
            return []

    def _raise_driver(self, outcome: dict[str, Any]) -> None:
        main = self.job.run_options.python
        if outcome["event"] == "failed":
            raise ApplicationFailed(explain_driver(outcome, main), outcome["trace"])
        output = self.cluster.driver.output() if self.cluster.driver else ""
        if outcome["event"] == "finished":
            raise ApplicationFailed(
                f"{main} ended without starting a job; call execute() or execute_sql() with an INSERT in it, and "
                "check that its main part runs (if __name__ == '__main__').",
                output,
            )
        raise ApplicationFailed(f"The Python process of {main} died with code {outcome.get('code')}.", output)

    def _wait_running(self, offered: OfferedTime) -> None:
        """Wait until every task is RUNNING; the first exception before that is a failed start, not a retry."""
        look = 0.0
        while True:
            # The overview is of this moment; Flink answers what is asked of one job from a cache of a second.
            job = next((one for one in self.cluster.jobs() if one["jid"] == self.job_id), None)
            if job is None:
                raise ApplicationFailed("The JobManager was lost while the application was starting: start it again.")
            tasks, state = job["tasks"], job["state"]
            running = state == "RUNNING" and tasks["running"] == tasks["total"] > 0
            if (running or state == "FINISHED") and self._check_slots():
                return
            if time.monotonic() > look or state in ("FAILED", "CANCELED"):
                self._raise_failure()
                self._check_slots()
                look = time.monotonic() + _LOOK
            if state in ("FAILED", "CANCELED"):
                self._raise_end(state)
            self._check(offered, f"{tasks['running']} of its {tasks['total']} tasks are running")
            time.sleep(_POLL / 2)

    def _check_slots(self) -> bool:
        """Check that each subtask of the job's widest operator has a slot; the cluster may have more than are allotted.

        False while Flink does not say yet which operators the job has.
        """
        vertices = self.cluster.rest.job(self.job_id or "")["vertices"]
        widest, slots = max((vertex["parallelism"] for vertex in vertices), default=0), self.job.slots
        if widest > slots:
            needed = f"The widest operator of the job has {widest} subtasks, the application has {slots} slots."
            raise ApplicationFailed(explain(f"NoResourceAvailableException: {needed}"), needed)
        return bool(vertices)

    def _raise_end(self, state: str) -> None:
        """Raise the failure that ended the job, which Flink tells a moment later: it answers from a cache."""
        until = time.monotonic() + _CACHE
        while time.monotonic() < until:
            self._raise_failure()
            time.sleep(_POLL)
        raise ApplicationFailed(f"The job ended as {state} before it was running.")

    def _raise_failure(self) -> None:
        """Raise ApplicationFailed for the job's first failure, unless it only came before its slots were there."""
        trace = self.first_failure(self._failures_since)
        if trace is None:
            return
        if needs_slots(trace):
            missing = bool(self.cluster.missing_slots())
            if missing or not self._refused_with_slots:  # this refusal may be from before the slots were there
                self._refused_with_slots = not missing
                self._failures_since = time.time()  # Flink tries the job again
                return
        raise ApplicationFailed(explain(trace), trace)

    def _wait_positioned(self, offered: OfferedTime) -> None:
        """Wait until every source that reads Kinesis has its place on each open shard.

        A source is known to read Kinesis when it lists the shards of a stream. The job's graph says how many sources
        may still do so; those that have not after a while read something else.
        """
        caller, began = self.cluster.caller, offered.seconds()
        named, sources = self._input_streams(), self._count_sources()
        jar = self.job.run_options.jarfile
        reads_kinesis = jar is not None and brings_kinesis(self.folder / "code" / jar)
        while True:
            listed = self._tracker.sources(caller)
            unread, missing = self._tracker.unread_shards(caller, self._streams.open_shards), named - listed
            grace = _NAMED_GRACE if missing else _SOURCE_GRACE if reads_kinesis else 0.0
            if not unread and (len(listed) >= sources or offered.seconds() - began > grace):
                break
            self._raise_failure()
            self._check(offered, f"nothing reads {', '.join([*unread, *missing][:3]) or 'a stream'} yet")
            time.sleep(_POLL / 2)
        for name in sorted(missing):
            self.log("WARN", f"The runtime properties name the stream {name}, and the job does not read it.")

    def _count_sources(self) -> int:
        """Return how many operators of the job's graph take nothing from another one."""
        return sum("inputs" not in node for node in self.cluster.rest.job(self.job_id or "")["plan"]["nodes"])

    def _input_streams(self) -> set[str]:
        """Return streams that the runtime properties name as input, as AWS's examples do (a key with 'input')."""
        values = [
            value
            for pairs in self.job.property_groups.values()
            for key, value in pairs.items()
            if "input" in key.lower()
        ]
        return {name for value in values if self._streams.exists(name := value.rpartition("stream/")[2])}

    def _first_checkpoint(self) -> None:
        """Take a checkpoint before RUNNING is said: a failure then resumes here and not at a later LATEST."""
        if not self.job.checkpointing or self.job_id is None:
            return
        self.waiting_for = "its first checkpoint is not complete yet"
        try:
            self.cluster.rest.checkpoint(self.job_id)
            self.cluster.check_checkpoint(self.folder, self.job_id)
        except ClusterFailed as error:
            if self.stopping.is_set():
                raise Cancelled from error
            if self.cluster.rest.job(self.job_id)["state"] == "FINISHED":
                return  # a job with an end of its own has nothing to resume
            self._raise_failure()
            raise ApplicationFailed(explain(str(error)), str(error)) from error

    # -- while it runs ------------------------------------------------------------------------------------------

    def job_state(self) -> str:
        """Return the job's state: RUNNING only while all its tasks are. Raises ClusterFailed where it is not known."""
        job = next((one for one in self.cluster.rest.jobs() if one["jid"] == self.job_id), None)
        if job is None:
            raise ClusterFailed(f"The JobManager at {self.cluster.rest.url} knows no job {self.job_id}.")
        tasks = job["tasks"]
        return job["state"] if job["state"] != "RUNNING" or tasks["running"] == tasks["total"] else "RESTARTING"

    def first_failure(self, since: float = 0.0) -> str | None:
        """Return the stack trace of the job's oldest failure after ``since`` (epoch seconds), or None."""
        return next(iter(self.cluster.rest.failures(self.job_id, since)), None) if self.job_id else None

    def log(self, level: str, message: str, cause: str = "") -> None:
        if self._logs:
            self._logs.say(level, message, cause)

    def stop(self) -> None:
        """End the cluster and what follows its logs; the checkpoints stay."""
        self.stopping.set()
        self.cluster.stop()
        self._tracker.forget(self.cluster.caller)
        if self._logs:
            self._logs.close()
