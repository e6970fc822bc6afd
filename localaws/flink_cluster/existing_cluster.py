"""Run applications as jobs on a Flink cluster that somebody else started, given by its REST address.

The account starts nothing there but the driver on its own side. The cluster belongs to somebody else: it may run other
jobs, its processes come back or not as its owner arranged it, and it stays when the account goes.
"""

import contextlib
import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from localaws.errors import ApplicationFailed, ClusterFailed, FlinkNotUsable
from localaws.flink_cluster.configuration import write_configuration
from localaws.flink_cluster.distribution import FLINK_VERSION
from localaws.flink_cluster.driver import Driver
from localaws.flink_cluster.rest import ENDED, FlinkRest
from localaws.machine.account_folder import write_atomically
from localaws.machine.processes import ChildRegister, clean_environment

EXISTING_CALLER = "a Flink cluster of its own"  # whose requests those of its tasks are; see ``sources``
_CANCEL_TIMEOUT = 30.0  # seconds
_APPEAR_TIMEOUT = 2.0  # seconds in which a submission that was cut off may still make a job
_POLL = 0.1


def rest_address(text: str) -> str:
    """Return ``http://HOST:PORT`` for that or for ``HOST:PORT``; raises FlinkNotUsable."""
    url = text.rstrip("/") if "://" in text else f"http://{text.rstrip('/')}"
    try:
        where = urlsplit(url)
        complete = where.hostname and where.port and url == f"http://{where.netloc}" and "@" not in url
    except ValueError:
        complete = False
    if not complete:
        raise FlinkNotUsable(
            f"{text!r} is not the REST address of a Flink cluster: give it as http://HOST:PORT, such as "
            "http://127.0.0.1:8081."
        )
    return url


def check_flink(url: str) -> dict[str, Any]:
    """Return GET /overview of a Flink 1.20 cluster; raises FlinkNotUsable where the address is something else."""
    try:
        overview = FlinkRest(url).get("/overview")
    except ClusterFailed as error:
        why = str(error).splitlines()[0][:200].rstrip(".")
        raise FlinkNotUsable(
            f"No Flink cluster answers at {url} ({why}): start it, or correct --flink-rest (LOCALAWS_FLINK_REST)."
        ) from error
    version = overview.get("flink-version") if isinstance(overview, dict) else None
    if version is None:
        raise FlinkNotUsable(f"What answers at {url} is not Flink: give the address of the JobManager's REST API.")
    if version.split(".")[:2] != FLINK_VERSION.split("."):
        raise FlinkNotUsable(
            f"The Flink cluster at {url} is {version}, and applications of FLINK-1_20 need {FLINK_VERSION}: start one "
            "of that version."
        )
    return overview


class ExistingCluster:
    """Provide one application's use of a cluster that the account did not start.

    It has the methods of ``FlinkCluster``.

    ``register`` is the file where the account keeps which jobs it has there.
    """

    def __init__(
        self, url: str, clusters: Path, register: Path, children: ChildRegister, aws_environment: dict[str, str]
    ) -> None:
        self.id = uuid.uuid4().hex[:8]
        self.folder = clusters / self.id
        self.folder.mkdir(mode=0o700, parents=True)
        self.rest = FlinkRest(url)
        self.caller = EXISTING_CALLER
        self.has_s3 = True  # as far as the account can know: its plugins are its owner's
        self.wheels: Path | None = None  # its TaskManagers' pip fetches packages as their owner arranged it
        self.driver: Driver | None = None
        self.on_process_lost: Callable[[str], None] | None = None
        self._register = register
        self._children = children
        self._environment = clean_environment(**aws_environment, FLINK_CONF_DIR=str(self.folder / "conf"))
        self._job_ids: list[str] = []
        self._slots = 0
        self._lock = threading.RLock()

    # -- as the cluster of an application -----------------------------------------------------------------------

    def start(self) -> None:
        """Start the driver; returns at once."""
        where = urlsplit(self.rest.url)
        write_configuration(
            self.folder,
            {
                "rest.address": str(where.hostname),
                "rest.port": str(where.port),
                "io.tmp.dirs": str(self.folder / "tmp"),
                "python.client.executable": sys.executable,
            },
        )
        self.renew_driver()

    def renew_driver(self) -> None:
        """Start a driver; one that was used before is ended first."""
        with self._lock:
            self._end_driver()
            self.driver = Driver(self.folder, self._children, self._environment)
            self.driver.start()

    def request_slots(self, slots: int) -> None:
        """Set how many slots the application needs."""
        self._slots = slots

    def missing_slots(self) -> str:
        """Say what the requested slots still need, or "" once they are free.

        Raises ApplicationFailed where the cluster does not have them or other jobs hold them, and FlinkNotUsable.
        """
        overview = check_flink(self.rest.url)
        free, slots = overview["slots-available"], self._slots
        if free >= slots:
            return ""
        if overview["slots-total"] < slots or overview["jobs-running"]:
            raise ApplicationFailed(
                f"The application needs {slots} slots, and the Flink cluster at {self.rest.url} has {free} free of "
                f"{overview['slots-total']}: add TaskManagers, or set a smaller Parallelism."
            )
        return f"{slots - free} slots of a job that has just ended are not free yet"

    def job_options(self) -> dict[str, str]:
        """Choose the id of the next job, so that it is known among all others and cancelled whatever happens."""
        with self._lock:
            self._job_ids.append(uuid.uuid4().hex)
            remember(self._register, self.rest.url, self._job_ids)
            return {"$internal.pipeline.job-id": self._job_ids[-1]}

    def jobs(self) -> list[dict[str, Any]]:
        """Return the jobs of this application."""
        return [job for job in self.rest.jobs() if job["jid"] in self._job_ids]

    def check_checkpoint(self, folder: Path, job_id: str) -> None:
        """Check that this process sees a completed checkpoint in ``folder``; raises ApplicationFailed."""
        if not any((folder / "checkpoints" / job_id).glob("chk-*/_metadata")):
            raise ApplicationFailed(
                f"The cluster wrote a checkpoint to {folder} and it is not there on this machine: set LOCALAWS_HOME "
                "to a folder that is the same on the cluster's machines and on this one."
            )

    def has_lost(self, job_id: str) -> bool:
        """Return whether the cluster answers and does not know the job: its JobManager was started again."""
        try:
            return not any(job["jid"] == job_id for job in self.rest.jobs())
        except ClusterFailed:
            return False

    def processes(self) -> list[subprocess.Popen[bytes]]:
        """Return the processes of this machine that work for the application: the driver's."""
        with self._lock:
            return self.driver.processes() if self.driver else []

    def log_files(self) -> dict[str, Path]:
        """Return the file with what the application printed; the cluster's own logs are on its dashboard."""
        return {"driver": self.folder / "log" / "driver.out"}

    def stop(self) -> None:
        """End the driver, and the application's jobs on the cluster, which stays; safe to call twice."""
        with self._lock:
            self._end_driver()
            job_ids = list(self._job_ids)
        if job_ids and cancel_jobs(self.rest, job_ids):
            remember(self._register, self.rest.url, [])

    def _end_driver(self) -> None:
        if self.driver is not None:
            self._children.kill(self.driver.processes())


# -- jobs that must not outlive the account -------------------------------------------------------------------------


def remember(register: Path, url: str, job_ids: list[str]) -> None:
    """Keep on disk which jobs the account has on a cluster, for the next account if this one is killed."""
    write_atomically(register, json.dumps({"url": url, "jobs": job_ids}))


def cancel_left_behind(register: Path) -> None:
    """Cancel the jobs that a killed account has left; a cluster that does not answer has none of them."""
    try:
        left = json.loads(register.read_text())
    except (FileNotFoundError, ValueError):
        return
    cancel_jobs(FlinkRest(left["url"]), left["jobs"], appear=0.0)
    register.unlink()


def cancel_jobs(rest: FlinkRest, job_ids: list[str], appear: float = _APPEAR_TIMEOUT) -> bool:
    """Cancel jobs and wait until they have ended; returns whether the cluster says that they have.

    ``appear`` are the seconds to wait for one that the cluster does not know (yet).
    """
    began = time.monotonic()
    asked: set[str] = set()
    while job_ids and time.monotonic() < began + _CANCEL_TIMEOUT:
        try:
            states = {job["jid"]: job["state"] for job in rest.jobs()}
            unknown = [one for one in job_ids if one not in states]
            alive = [one for one in job_ids if states.get(one, "FINISHED") not in ENDED]
            if not alive and (not unknown or time.monotonic() > began + appear):
                return True
        except ClusterFailed:
            return False  # a cluster that does not answer cannot be told
        for one in alive:
            if one not in asked:
                asked.add(one)
                with contextlib.suppress(ClusterFailed):  # it ended just now, which the next look shows
                    rest.cancel(one)
        time.sleep(_POLL)
    return not job_ids
