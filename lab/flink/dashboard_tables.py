"""Show the Flink dashboard: a link to it, its jobs, and the late rows that Flink counted."""

from html import escape
from typing import Any

import pandas as pd
from IPython.display import HTML

from lab.flink.dashboard_address import in_browser
from lab.flink.rest import Dashboard, DashboardSilent


def dashboard_link(url: str) -> HTML:
    """Make a link to the dashboard that opens beside the notebook, through JupyterLab where that serves it."""
    address = escape(in_browser(url))
    return HTML(f'<a href="{address}" target="_blank" rel="noopener">Open the Apache Flink dashboard</a>')


def jobs_table(url: str) -> pd.DataFrame:
    """List the dashboard's jobs: name, state and tasks, as its page *Jobs* shows them.

    Raises DashboardSilent, such as for a URL of an earlier start.
    """
    try:
        jobs = Dashboard(url).jobs()
    except DashboardSilent as error:
        hint = (
            "run the cell that creates the URL again, because the address is another after each start "
            "(on AWS only a browser gets an answer)"
        )
        raise DashboardSilent(url, error.why, hint) from error
    return pd.DataFrame(
        {
            "job": [job["name"] for job in jobs],
            "state": [job["state"] for job in jobs],
            "tasks running": [job["tasks"]["running"] for job in jobs],
            "tasks": [job["tasks"]["total"] for job in jobs],
        }
    )


def late_rows_dropped(flink: Any, application: str, before: int = 0) -> pd.DataFrame:
    """Count the late rows Flink dropped (numLateRecordsDropped), with the parallelism they were counted at.

    `before` of them were there when what is judged began.
    """
    dashboard = Dashboard.of_application(application, flink)
    job = dashboard.running_job()
    if job is None:
        return pd.DataFrame(columns=["late rows dropped", "parallelism"])
    dropped = dashboard.late_rows(before) or 0
    parallelism = max(vertex["parallelism"] for vertex in dashboard.vertices(job["jid"]))
    return pd.DataFrame({"late rows dropped": [dropped], "parallelism": [parallelism]}, index=[job["name"]])
