"""Things to look at: source code, a zip's content, log lines, the dashboard and its jobs."""

import ast
import json
import time
import zipfile
from html import escape
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
from IPython.display import HTML, Code

from lab.dashboard_address import in_browser
from lab.flink import Dashboard
from lab.session import project_path
from lab.shards import after, list_shards, reading_client


def show_source(path: str, function: str = "") -> Code:
    """A file of the project, or one function of it, with highlighting."""
    source = project_path(path).read_text()
    if function:
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == function:
                source = ast.get_source_segment(source, node) or source
    return Code(source, language="python")


def list_zip(path: Path) -> pd.DataFrame:
    """The members of a zip with their sizes in kB."""
    with zipfile.ZipFile(path) as package:
        members = package.infolist()
    return pd.DataFrame(
        {
            "path": [member.filename for member in members],
            "kB": [round(member.file_size / 1e3, 1) for member in members],
        }
    )


def log_lines(group: str, last: int = 10) -> pd.DataFrame:
    """The newest lines of a log group, one JSON field a column where the lines are JSON objects."""
    logs = boto3.client("logs")
    events: list[dict[str, Any]] = []
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
        events = (events + page["events"])[-500:]
    rows = []
    for event in events:
        try:
            fields = json.loads(event["message"])
        except ValueError:
            continue
        if isinstance(fields, dict) and "_aws" not in fields:
            rows.append(fields)
    table = pd.DataFrame(rows[-last:])
    return table.dropna(axis="columns", how="all").fillna("")


def dashboard_link(url: str) -> HTML:
    """The dashboard as a link that opens beside the notebook: behind JupyterLab where that serves this notebook."""
    address = escape(in_browser(url))
    return HTML(f'<a href="{address}" target="_blank" rel="noopener">Open the Apache Flink dashboard</a>')


def jobs_table(url: str) -> pd.DataFrame:
    """The dashboard's jobs: name, state and tasks, as its page *Jobs* shows them."""
    jobs = Dashboard(url).jobs()
    return pd.DataFrame(
        {
            "job": [job["name"] for job in jobs],
            "state": [job["state"] for job in jobs],
            "tasks running": [job["tasks"]["running"] for job in jobs],
            "tasks": [job["tasks"]["total"] for job in jobs],
        }
    )


def late_rows_dropped(flink: Any, application: str) -> pd.DataFrame:
    """Flink's own count of late rows (numLateRecordsDropped) and the parallelism it was measured at."""
    url = flink.create_application_presigned_url(ApplicationName=application, UrlType="FLINK_DASHBOARD_URL")
    dashboard = Dashboard(url["AuthorizedUrl"])
    job = dashboard.running_job()
    if job is None:
        return pd.DataFrame(columns=["late rows dropped", "parallelism"])
    dropped = dashboard.metric_sum(job["jid"], "numLateRecordsDropped")
    parallelism = max(vertex["parallelism"] for vertex in dashboard.vertices(job["jid"]))
    return pd.DataFrame({"late rows dropped": [int(dropped)], "parallelism": [parallelism]}, index=[job["name"]])


def first_shard_with_records(stream: str, timeout: float = 15.0) -> str:
    """The first shard of a stream that holds a record, waited for; the first shard of all if none comes in time."""
    client = reading_client()
    deadline = time.monotonic() + timeout
    while True:
        shards = list_shards(client, stream)
        for shard in shards:
            start = client.get_shard_iterator(StreamName=stream, ShardId=shard.id, **after(None))["ShardIterator"]
            if client.get_records(ShardIterator=start, Limit=1)["Records"]:
                return shard.id
        if time.monotonic() > deadline:
            return shards[0].id
        time.sleep(0.5)
