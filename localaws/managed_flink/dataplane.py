"""Carry out the calls of the control plane of ``kinesisanalyticsv2`` on local Flink clusters: the data plane."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localaws.account import client_environment
from localaws.errors import ApplicationFailed, ApplicationRefused, ClusterFailed, FlinkNotUsable, LocalAwsError
from localaws.flink_cluster.cluster import FlinkCluster
from localaws.flink_cluster.existing_cluster import ExistingCluster, cancel_left_behind, check_flink
from localaws.flink_cluster.s3_plugin import names_s3, s3_plugins
from localaws.job_description import ApplicationKey, JobDescription, Services
from localaws.machine.account_folder import FAILURE_FILE
from localaws.machine.processes import ChildRegister
from localaws.managed_flink.logs import LogShipper, LogSink
from localaws.managed_flink.package import check_package, check_run_options
from localaws.managed_flink.recovery import JobWatch
from localaws.managed_flink.running import Cancelled, RunningApplication
from localaws.managed_flink.savepoints import take_savepoint
from localaws.managed_flink.sources import SourceTracker


class DataPlane:
    """Run each application on a cluster of its own, and keep one started for the next StartApplication.

    With ``flink_rest`` it is that cluster for all of them, one at a time: which of its tasks reads Kinesis cannot be
    told, so nobody could say when a second application's sources have their places.
    """

    def __init__(
        self,
        home: Path,
        endpoint: str,
        account: str,
        region: str,
        services: Services,
        sink_of: Callable[[str, str], LogSink],
        flink_rest: str = "",
        keep_warm: bool = True,
    ) -> None:
        """Hold a warm cluster in ``account`` and ``region``; ``sink_of`` gives the logs of any two.

        ``flink_rest`` is the address of a cluster to use that somebody else started. Without ``keep_warm`` a cluster
        is started for an application only.
        """
        self._home = home
        self._endpoint = endpoint
        self._account = account
        self._region = region
        self._services = services
        self._sink_of = sink_of
        self.tracker = SourceTracker()
        self.children = ChildRegister(home / "children.json")
        self._lock = threading.RLock()
        self._running: dict[ApplicationKey, RunningApplication] = {}
        self._key_locks: dict[ApplicationKey, threading.Lock] = {}
        self._spare: FlinkCluster | ExistingCluster | None = None
        self._closed = False
        self._flink_rest = flink_rest
        self._keep_warm = keep_warm
        self._plugins: Path | None = None  # once an application has needed S3 as a file system
        cancel_left_behind(home / "existing_jobs.json")

    # -- what the control plane calls ---------------------------------------------------------------------------

    def start(self, job: JobDescription, savepoint: str | None, on_status: Callable[..., None]) -> None:
        """Start an application in the background; ``on_status`` is told RUNNING, or READY with the reason."""
        threading.Thread(
            target=self._start, args=(job, savepoint, on_status), name=f"start-{job.key}", daemon=True
        ).start()

    def snapshot(self, key: ApplicationKey, name: str, stop: bool = False) -> str | None:
        """Take a savepoint and stop the job with it; None (the log stream says why) where it failed."""
        with self._lock:
            running = self._running.get(key)
        if running is None:
            return None
        try:
            return take_savepoint(running, stop)
        except Cancelled:
            return None
        except LocalAwsError as error:
            running.log("ERROR", f"The snapshot {name} failed.", str(error))
            return None

    def stop(self, key: ApplicationKey) -> None:
        """Stop an application without a savepoint; see ``snapshot``."""
        with self._lock:
            running = self._running.pop(key, None)
        if running is not None:
            running.log("INFO", "The application was stopped.")
            running.stop()
        self._warm_again()

    def delete(self, key: ApplicationKey) -> None:
        """Stop an application and remove everything kept for it."""
        self.stop(key)
        with self._key_lock(key):
            shutil.rmtree(self._folder(key), ignore_errors=True)

    # -- more the account asks ----------------------------------------------------------------------------------

    def check(self, job: JobDescription) -> None:
        """Refuse an application that cannot run, before anything starts; raises ApplicationRefused."""
        if self._flink_rest:
            self._check_existing(job.key)
        if not job.object_key:
            raise ApplicationRefused("The application has no code: give it an S3 bucket and the zip's key.")
        check_run_options(job.property_groups)
        data = self._services.fetch_object(job.key, job.bucket, job.object_key, job.object_version)
        if data is None:
            raise ApplicationRefused(f"There is no s3://{job.bucket}/{job.object_key}; upload the zip and start again.")
        package = self._package(job.key)
        package.write_bytes(data)
        check_package(package, job.run_options)
        if not self._flink_rest and names_s3(package, job.property_groups):
            try:
                self._plugins = s3_plugins(self._home / "clusters" / "plugins")
            except ClusterFailed as error:
                raise ApplicationRefused(str(error)) from error

    def _check_existing(self, key: ApplicationKey) -> None:
        try:
            check_flink(self._flink_rest)
        except FlinkNotUsable as error:
            raise ApplicationRefused(str(error)) from error
        self._require_alone(key)

    def _require_alone(self, key: ApplicationKey) -> None:
        """Refuse a second application on an existing cluster; raises ApplicationRefused."""
        with self._lock:
            first = next(iter(self._running), key)
        if self._flink_rest and first != key:
            raise ApplicationRefused(
                f"The application {first.name} runs on the Flink cluster at {self._flink_rest}, which takes one "
                "application of the account at a time: stop it first."
            )

    def dashboard(self, key: ApplicationKey) -> str | None:
        """Return the address of the Flink dashboard of an application that has a cluster."""
        with self._lock:
            running = self._running.get(key)
        return running.cluster.rest.url if running else None

    def status(self) -> dict[str, Any]:
        """Return the part of ``python -m localaws status`` that is about applications and clusters."""
        with self._lock:
            return {
                "starting": {key.name: app.waiting_for for key, app in self._running.items() if app.waiting_for},
                "restarts": {
                    key.name: {"count": app.restarts, "first_cause": app.first_cause}
                    for key, app in self._running.items()
                    if app.restarts
                },
                "failing_sinks": {
                    key.name: app.failing_sinks for key, app in self._running.items() if app.failing_sinks
                },
                "warnings": {key.name: app.warning for key, app in self._running.items() if app.warning},
                "dashboards": {key.name: app.cluster.rest.url for key, app in self._running.items()},
                "jobs": {key.name: app.job_id for key, app in self._running.items()},
                "started_in": {key.name: app.started_in for key, app in self._running.items()},
                "warm_cluster": self._spare is not None,
                "flink_rest": self._flink_rest,
            }

    def warm(self) -> None:
        """Start the spare cluster where one is wanted and there is none; returns at once."""
        with self._lock:
            if self._keep_warm and self._spare is None and not self._closed:
                self._spare = self._new_cluster(self._account, self._region)
                self._spare.start()

    def close(self) -> None:
        """End every process of ours."""
        with self._lock:
            self._closed = True
            spare, self._spare = self._spare, None
            taken = list(self._running.values())
            self._running.clear()
        if spare is not None:
            spare.stop()
        for running in taken:
            running.stop()

    # -- inside -------------------------------------------------------------------------------------------------

    def _start(self, job: JobDescription, savepoint: str | None, on_status: Callable[..., None]) -> None:
        key = job.key
        with self._key_lock(key):
            logs = None
            if job.log_group and job.log_stream:
                sink = self._sink_of(key.account, key.region)
                logs = LogShipper(sink, job.log_group, job.log_stream, job.arn, job.version)
            folder = self._folder(key)
            running = RunningApplication(
                job,
                folder,
                self._take_cluster(key, names_s3(self._package(key), job.property_groups)),
                self.tracker,
                self._services.streams(key),
                logs,
                self._aws_environment(key.account, key.region),
            )
            with self._lock:
                self._running[key] = running
            if running.warning:
                running.log("WARN", running.warning)
            try:
                self._require_alone(key)
                running.start(self._package(key), savepoint)
            except Cancelled:
                return
            except (LocalAwsError, OSError) as error:
                self._failed(running, error, on_status)
                return
            running.log("INFO", f"The application is RUNNING; seconds since StartApplication: {running.started_in}")
            on_status("RUNNING")
            JobWatch(running, savepoint, on_status)

    def _failed(self, running: RunningApplication, error: Exception, on_status: Callable[..., None]) -> None:
        cause = error.cause if isinstance(error, ApplicationFailed) else repr(error)
        sentence = str(error)
        (running.folder / FAILURE_FILE).write_text(f"{sentence}\n\n{cause}\n")
        running.log("ERROR", sentence, cause)
        with self._lock:
            if self._running.get(running.job.key) is running:
                del self._running[running.job.key]
        running.stop()
        on_status("READY", sentence)
        self._warm_again()

    def _take_cluster(self, key: ApplicationKey, needs_s3: bool) -> FlinkCluster | ExistingCluster:
        with self._lock:
            spare = self._spare
            if spare is not None and (key.account, key.region) == (self._account, self._region):
                self._spare = None
                if spare.has_s3 or not needs_s3:
                    return spare
                spare.stop()  # it was started before an application needed S3 as a file system
        cluster = self._new_cluster(key.account, key.region)
        cluster.start()
        return cluster

    def _warm_again(self) -> None:
        """Start a spare cluster once no application runs: two idle clusters would waste memory."""
        with self._lock:
            if not self._running:
                self.warm()

    def _new_cluster(self, account: str, region: str) -> FlinkCluster | ExistingCluster:
        clusters, environment = self._home / "clusters", self._aws_environment(account, region)
        if self._flink_rest:
            register = self._home / "existing_jobs.json"
            return ExistingCluster(self._flink_rest, clusters, register, self.children, environment)
        return FlinkCluster(clusters, self.children, environment, self._plugins)

    def _aws_environment(self, account: str, region: str) -> dict[str, str]:
        """Return what the tasks and the driver see of AWS."""
        return {**client_environment(self._endpoint, account, region), "AWS_EC2_METADATA_DISABLED": "true"}

    def _folder(self, key: ApplicationKey) -> Path:
        folder = self._home / "applications" / str(key)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def _package(self, key: ApplicationKey) -> Path:
        return self._folder(key) / "code.zip"

    def _key_lock(self, key: ApplicationKey) -> threading.Lock:
        with self._lock:
            return self._key_locks.setdefault(key, threading.Lock())
