"""Name sinks that write nothing: asynchronous sinks try again for ever, so no failure of their job is seen."""

import re
from pathlib import Path

from localaws.flink_cluster.rest import FlinkRest

_ERRORS, _SENT = "numRecordsSendErrors", "numRecordsSend"  # of each asynchronous sink; a repetition counts again

_RETRIES = re.compile(r"^\S+ WARN .* will retry .*\n((?:(?!\d{4}-\d\d-\d\dT).*\n)+)", re.M)
_TAIL = 1 << 20  # bytes of a log in which the newest refusal is looked for


def failing_sinks(rest: FlinkRest, job_id: str) -> list[str]:
    """Name each sink of a job most of whose records could not be sent, with how many; raises ClusterFailed."""
    failing = []
    for vertex in rest.job(job_id)["vertices"]:
        path = f"/jobs/{job_id}/vertices/{vertex['id']}/subtasks/metrics"
        names = [one["id"] for one in rest.get(path) if one["id"].rpartition(".")[2] in (_ERRORS, _SENT)]
        if not names:
            continue
        sums = {one["id"]: one["sum"] for one in rest.get(f"{path}?get={','.join(names)}&agg=sum")}
        for name, errors in sums.items():
            operator, _, metric = name.rpartition(".")
            sent = sums.get(f"{operator}.{_SENT}", 0.0)
            if metric == _ERRORS and errors * 2 > sent:
                failing.append(f"{operator.removesuffix('__Writer')} ({errors:,.0f} of {sent:,.0f} records failed)")
    return failing


def last_refusal(log: Path) -> str:
    """Return the stack trace of a sink's last retry in a TaskManager's log; "" without one."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL))
        found = _RETRIES.findall(file.read().decode(errors="replace"))
    return found[-1] if found else ""
