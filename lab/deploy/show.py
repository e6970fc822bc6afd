"""Show what is deployed: source code, the content of a zip, and the log lines it writes."""

import json
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
from IPython.display import Code

from lab.core.code_files import definition
from lab.core.paths import project_path
from lab.core.zips import open_zip


def show_source(path: str, function: str = "") -> Code:
    """Return a file of the project, or one function of it, with highlighting."""
    source = project_path(path).read_text()
    return Code(definition(source, function) if function else source, language="python")


def list_zip(path: Path) -> pd.DataFrame:
    """Return the members of a zip with their sizes in kB."""
    with open_zip(path, path.name) as package:
        members = package.infolist()
    return pd.DataFrame(
        {
            "path": [member.filename for member in members],
            "kB": [round(member.file_size / 1e3, 1) for member in members],
        }
    )


def log_lines(group: str, last: int = 10) -> pd.DataFrame:
    """Return the newest lines of a log group, one JSON field a column where the lines are JSON objects."""
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
