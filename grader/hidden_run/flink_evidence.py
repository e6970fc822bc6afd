"""What Flink itself says that it ran: the windows of the job's plan, and how many records its sinks took."""

from lab.flink.rest import Dashboard

# A window table function, and the older GROUP BY HOP(...), in the plan's own words.
_SLIDING = ("HOP(", "SlidingGroupWindow(")


def counts_in_sliding_windows(dashboard: Dashboard, job_id: str) -> bool:
    """Whether an operator of the job is a sliding window of SQL and gave records on. Raises DashboardSilent."""
    plan = dashboard.get(f"/jobs/{job_id}/plan")["plan"]["nodes"]
    windows = {node["id"] for node in plan if any(word in node["description"] for word in _SLIDING)}
    return any(_sum(dashboard, job_id, vertex, "WindowAggregate", "numRecordsOut") > 0 for vertex in windows)


def records_written(dashboard: Dashboard, job_id: str) -> int:
    """How many records the writers of the job's sinks took. Raises DashboardSilent."""
    vertices = [vertex["id"] for vertex in dashboard.vertices(job_id)]
    return int(sum(_sum(dashboard, job_id, vertex, "Writer", "numRecordsIn") for vertex in vertices))


def _sum(dashboard: Dashboard, job_id: str, vertex: str, operator: str, metric: str) -> float:
    """The sum of a metric over the subtasks of a vertex and those of its chained operators that a word names."""
    path = f"/jobs/{job_id}/vertices/{vertex}/subtasks/metrics"
    known = [one["id"] for one in dashboard.get(path)]
    wanted = [name for name in known if name.rpartition(".")[2] == metric and operator in name.rpartition(".")[0]]
    if not wanted:
        return 0.0
    return sum(one["sum"] for one in dashboard.get(f"{path}?get={','.join(wanted)}&agg=sum"))
