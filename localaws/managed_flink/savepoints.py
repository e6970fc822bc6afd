"""Take savepoints of a job that may be restarting: wait until it runs, as long as it can come back."""

import time

from localaws.errors import ClusterFailed
from localaws.flink_cluster.offered_time import OfferedTime
from localaws.flink_cluster.rest import ENDED
from localaws.managed_flink.failures import explain, needs_slots
from localaws.managed_flink.running import START_LIMIT, Cancelled, RunningApplication

_FAILURES = 3  # failures of the job after which it is taken for one that restarts again and again
_POLL = 0.2


def take_savepoint(running: RunningApplication, stop: bool) -> str:
    """Take a savepoint (and stop the job with it) once the job is RUNNING; returns its path.

    Where the job fails meanwhile, it is tried again when the job is back. Raises ClusterFailed with the reason, or
    Cancelled where the application is stopped by force.
    """
    began = time.time()
    while True:
        _wait_running(running, began)
        tried = time.time()
        try:
            return running.cluster.rest.savepoint(running.job_id or "", f"file://{running.folder}/savepoints", stop)
        except ClusterFailed:
            if _runs(running) and not running.cluster.rest.failures(running.job_id or "", tried):
                raise  # the job goes on: it was the savepoint that failed


def _wait_running(running: RunningApplication, since: float) -> None:
    offered = OfferedTime(running.cluster.processes)
    while not _runs(running):
        if running.ended.is_set():
            raise ClusterFailed("The job has ended, so that it has no state to keep.")
        _check_failures(running, since)
        if offered.seconds() > START_LIMIT:
            raise ClusterFailed("The job is restarting and does not come back to RUNNING; its log says why.")
        time.sleep(_POLL)
    _check_failures(running, since)


def _runs(running: RunningApplication) -> bool:
    if running.stopping.is_set():
        raise Cancelled
    try:
        state = running.job_state()
    except ClusterFailed:
        return False  # its JobManager is being started again
    if state in ENDED:
        raise ClusterFailed(f"The job has ended as {state}, so that it has no state to keep.")
    return state == "RUNNING"


def _check_failures(running: RunningApplication, since: float) -> None:
    """Raise ClusterFailed where the job failed too often; to find no TaskManager yet is a part of coming back."""
    try:
        failures = [one for one in running.cluster.rest.failures(running.job_id or "", since) if not needs_slots(one)]
    except ClusterFailed:
        return
    if len(failures) >= _FAILURES:
        raise ClusterFailed(f"The job restarts again and again: {explain(failures[0])}")
