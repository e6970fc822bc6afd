"""One started application: from its zip to a RUNNING job on its own cluster, and on through the loss of processes."""

import json
import threading
import time
from pathlib import Path
from typing import Any

from localaws.errors import ApplicationFailed, ClusterFailed
from localaws.managed_flink.application import Application
from localaws.managed_flink.cluster import FlinkCluster
from localaws.managed_flink.driver import Task
from localaws.managed_flink.existing_cluster import ExistingCluster
from localaws.managed_flink.failures import explain, explain_driver
from localaws.managed_flink.logs import LogShipper
from localaws.managed_flink.package import unpack
from localaws.managed_flink.sources import SourceTracker

START_TIMEOUT = 180.0  # seconds from StartApplication to RUNNING before the start counts as failed
FAILURE_FILE = "failure.txt"  # the last failed start's sentence and cause, for ``python -m localaws logs``
_SOURCE_GRACE = 3.0  # seconds a job that names no input stream may take to ask for its shards
_POLL = 0.1
_CACHE = 4.0  # seconds; Flink's web.refresh-interval is 3 s where nobody has set it
_LOOK = 0.5  # seconds between two looks for a failure while the tasks start


class Cancelled(Exception):
    """The application was stopped while it was starting."""


class RunningApplication:
    """Starts one application and keeps its job alive until ``stop``.

    ``streams`` answers two questions about the account's Kinesis: ``exists(name)`` and ``open_shards(name)``.
    """

    def __init__(
        self,
        application: Application,
        folder: Path,
        cluster: FlinkCluster | ExistingCluster,
        tracker: SourceTracker,
        streams: Any,
        logs: LogShipper | None,
        environment: dict[str, str],
    ) -> None:
        self.application = application
        self.cluster = cluster
        self.folder = folder
        self.job_id: str | None = None
        self.started_in: dict[str, float] = {}
        self._tracker = tracker
        self._streams = streams
        self._logs = logs
        self._environment = environment
        self.stopping = threading.Event()

    # -- start --------------------------------------------------------------------------------------------------

    def start(self, package: Path, restore_from: str | None) -> None:
        """Run the application up to RUNNING; raises ApplicationFailed with the first failure, or Cancelled."""
        (self.folder / FAILURE_FILE).unlink(missing_ok=True)
        began = time.monotonic()
        deadline = began + START_TIMEOUT
        self._tracker.begin(self.cluster.caller, self.application.arn, fresh=restore_from is None)
        if self._logs:
            for process, path in self.cluster.log_files().items():
                self._logs.follow(process, path)
        self.cluster.with_slots(self.application.slots)
        unpack(package, self.folder / "code")
        self._mark("unpacked", began)
        self._submit(restore_from, deadline)
        self._mark("job submitted", began)
        self._wait_running(deadline)
        self._mark("tasks running", began)
        self._wait_positioned(deadline)
        self._mark("sources positioned", began)
        self._first_checkpoint()
        self._mark("first checkpoint", began)

    def _mark(self, step: str, began: float) -> None:
        self.started_in[step] = round(time.monotonic() - began, 2)

    def _submit(self, restore_from: str | None, deadline: float) -> None:
        application, code = self.application, self.folder / "code"
        options = application.run_options
        properties = self.folder / "application_properties.json"
        properties.write_text(json.dumps(application.runtime_properties))
        configuration = application.job_configuration(str(self.folder)) | self.cluster.job_options()
        if restore_from:
            configuration["execution.state-recovery.path"] = restore_from
            configuration["execution.state-recovery.ignore-unclaimed-state"] = str(
                application.allow_non_restored_state
            ).lower()
        python_files = [str(code / path) for path in options.python_files]
        if python_files:
            configuration["python.files"] = ",".join(python_files)
        if options.python_archives:
            configuration["python.archives"] = ",".join(str(code / path) for path in options.python_archives)
        jars = [str(code / options.jarfile)] if options.jarfile else []
        if jars:
            configuration["pipeline.jars"] = ";".join(Path(jar).as_uri() for jar in jars)
        driver = self.cluster.driver
        if driver is None:
            raise ClusterFailed(f"The cluster {self.cluster.id} has no driver.")
        driver.run(
            Task(
                main=str(code / options.python),
                properties_file=str(properties),
                folder=str(code),
                jars=jars,
                python_files=python_files,
                python_archives=list(options.python_archives),
                configuration=configuration,
                environment=self._environment,
            )
        )
        known = {job["jid"] for job in self._jobs()}
        while self.job_id is None:
            self._check_time(deadline, "no job was submitted by the application's main file")
            outcome = driver.outcome()
            fresh = [job for job in self._jobs() if job["jid"] not in known]
            if fresh:
                self.job_id = fresh[-1]["jid"]
            elif outcome is not None:
                self._raise_driver(outcome)
            driver.wait_change(_POLL)

    def _jobs(self) -> list[dict[str, Any]]:
        try:
            return self.cluster.jobs()
        except ClusterFailed:
            return []  # the JobManager is still starting; the deadline bounds the wait

    def _raise_driver(self, outcome: dict[str, Any]) -> None:
        main = self.application.run_options.python
        if outcome["event"] == "failed":
            raise ApplicationFailed(explain_driver(outcome, main), outcome["trace"])
        if outcome["event"] == "finished":
            raise ApplicationFailed(
                f"{main} ended without starting a job; call execute() or execute_sql() with an INSERT in it, and "
                "check that its main part runs (if __name__ == '__main__').",
                self.cluster.driver.output() if self.cluster.driver else "",
            )
        raise ApplicationFailed(
            f"The Python process of {main} died with code {outcome.get('code')}.",
            self.cluster.driver.output() if self.cluster.driver else "",
        )

    def _check_time(self, deadline: float, waiting: str) -> None:
        if self.stopping.is_set():
            raise Cancelled
        if time.monotonic() > deadline:
            raise ApplicationFailed(f"The application did not reach RUNNING in {START_TIMEOUT:.0f} seconds: {waiting}.")

    def _wait_running(self, deadline: float) -> None:
        """Every task RUNNING; the first exception before that is a failed start, not something to retry."""
        look = 0.0
        while True:
            # The overview is of this moment; Flink answers what is asked of one job from a cache of a second.
            job = next(one for one in self.cluster.rest.jobs() if one["jid"] == self.job_id)
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
            self._check_time(deadline, f"{tasks['running']} of its {tasks['total']} tasks are running")
            time.sleep(_POLL / 2)

    def _check_slots(self) -> bool:
        """A job needs as many slots as its widest operator has subtasks; the cluster may have more than are allotted.

        False while Flink does not say yet which operators the job has.
        """
        vertices = self.cluster.rest.job(self.job_id or "")["vertices"]
        widest, slots = max((vertex["parallelism"] for vertex in vertices), default=0), self.application.slots
        if widest > slots:
            needed = f"The widest operator of the job has {widest} subtasks, the application has {slots} slots."
            raise ApplicationFailed(explain(f"NoResourceAvailableException: {needed}"), needed)
        return bool(vertices)

    def _raise_end(self, state: str) -> None:
        """Why the job ended, once Flink says it: what is asked of one job is answered from a cache."""
        until = time.monotonic() + _CACHE
        while time.monotonic() < until:
            self._raise_failure()
            time.sleep(_POLL)
        raise ApplicationFailed(f"The job ended as {state} before it was running.")

    def _raise_failure(self) -> None:
        trace = self.first_failure()
        if trace:
            raise ApplicationFailed(explain(trace), trace)

    def _wait_positioned(self, deadline: float) -> None:
        caller = self.cluster.caller
        expected = self._input_streams()
        reads_kinesis = "kinesis" in (self.application.run_options.jarfile or "")
        grace = time.monotonic() + (_SOURCE_GRACE if reads_kinesis else 0.0)
        while True:
            waiting = self._tracker.waiting_for(caller, expected, self._streams.open_shards)
            if not waiting and (self._tracker.sources(caller) or time.monotonic() > grace):
                return
            self._raise_failure()
            self._check_time(deadline, f"nothing reads {', '.join(waiting[:3])} yet")
            time.sleep(_POLL / 2)

    def _input_streams(self) -> set[str]:
        """Streams the runtime properties name as input, by the convention of AWS's examples (a key with 'input')."""
        named = set()
        for group in self.application.property_groups:
            for key, value in group.get("PropertyMap", {}).items():
                if "input" in key.lower():
                    name = value.rpartition("stream/")[2]
                    if self._streams.exists(name):
                        named.add(name)
        return named

    def _first_checkpoint(self) -> None:
        """A checkpoint before RUNNING is said: from then on a failure resumes here and not at a later LATEST."""
        if not self.application.checkpointing or self.job_id is None:
            return
        try:
            self.cluster.rest.checkpoint(self.job_id)
            self.cluster.check_checkpoint(self.folder, self.job_id)
        except ClusterFailed as error:
            if self.cluster.rest.job(self.job_id)["state"] == "FINISHED":
                return  # a job with an end of its own has nothing to resume
            if self.stopping.is_set():
                raise Cancelled from error
            self._raise_failure()
            raise ApplicationFailed(explain(str(error)), str(error)) from error

    # -- while it runs ------------------------------------------------------------------------------------------

    def resubmit(self, restore_from: str | None) -> None:
        """Run the application again on its cluster, whose JobManager was started anew, from a checkpoint's path."""
        deadline = time.monotonic() + START_TIMEOUT
        self.cluster.wait_ready()
        self.cluster.renew_driver()
        self.job_id = None
        self._submit(restore_from, deadline)
        self._wait_running(deadline)

    def job_state(self) -> str:
        """The job's state at this moment; RUNNING only while all its tasks are. ClusterFailed where it is not known."""
        job = next((one for one in self.cluster.rest.jobs() if one["jid"] == self.job_id), None)
        if job is None:
            raise ClusterFailed(f"The JobManager at {self.cluster.rest.url} knows no job {self.job_id}.")
        tasks = job["tasks"]
        return job["state"] if job["state"] != "RUNNING" or tasks["running"] == tasks["total"] else "RESTARTING"

    def first_failure(self, since: float = 0.0) -> str | None:
        """The stack trace of the job's oldest failure after ``since`` (epoch seconds), or None."""
        return self.cluster.rest.first_exception(self.job_id, since) if self.job_id else None

    def snapshot(self, name: str, stop: bool = False) -> str:
        """Take a savepoint; returns its path."""
        if self.job_id is None:
            raise ClusterFailed("The application has no job to take a snapshot of.")
        return self.cluster.rest.savepoint(self.job_id, f"file://{self.folder}/savepoints", stop)

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
