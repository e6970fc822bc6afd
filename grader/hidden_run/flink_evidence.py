"""What Flink itself says that it ran: the windows of the job's plan, and how many records its sinks took."""

from lab.flink.rest import Dashboard

# A window table function, and the older GROUP BY HOP(...), in the plan's own words.
_SLIDING = ("HOP(", "SlidingGroupWindow(")


def counts_in_sliding_windows(dashboard: Dashboard, job_id: str, table: str) -> bool:
    """Whether a sliding window of SQL gave rows on, and they went into this sink table. Raises DashboardSilent."""
    plan = {node["id"]: node for node in dashboard.get(f"/jobs/{job_id}/plan")["plan"]["nodes"]}
    reached = {name for name, node in plan.items() if f"{table}[" in node["description"]}
    while more := {one["id"] for name in reached for one in plan[name].get("inputs") or []} - reached:
        reached |= more
    windows = {name for name in reached if any(word in plan[name]["description"] for word in _SLIDING)}
    counts = (dashboard.operators_sum(job_id, name, "numRecordsOut", ("WindowAggregate",)) for name in windows)
    return any((count or 0) > 0 for count in counts)
