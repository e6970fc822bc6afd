"""Describe the launcher card *Apache Flink dashboard* to jupyter-server-proxy."""

import sys
from pathlib import Path
from typing import Any


def dashboard_server() -> dict[str, Any]:
    """Return the process behind the card, started at the first click."""
    return {
        "command": [sys.executable, "-m", "lab.flink.dashboard_server", "{unix_socket}"],
        "unix_socket": True,  # in a folder of its own that only its owner can open: nothing more listens on a port
        "timeout": 30.0,
        "update_last_activity": False,  # the dashboard asks every second; a forgotten tab must not keep a server up
        "launcher_entry": {
            "title": "Apache Flink dashboard",
            "icon_path": str(Path(__file__).with_name("flink-dashboard.svg")),
        },
    }
