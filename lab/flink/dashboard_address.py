"""Find the address at which the student's browser reaches a Flink dashboard on the lab's machine.

On one's own machine that address is good as it is. On Binder, on a JupyterHub and in Codespaces the browser is
elsewhere, and only JupyterLab's own address is open to it: there the dashboard is behind JupyterLab.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from jupyter_core.paths import jupyter_runtime_dir

from lab.core.session import local_status

PREFIX = "flink-dashboard"  # the name of the entry in pyproject.toml, which is the path below JupyterLab's address
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def in_browser(url: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the address to click.

    It is behind JupyterLab if this kernel runs in one, Codespaces' own address of a forwarded port, or ``url`` itself
    (also for any address that is not on this machine, such as AWS's).
    """
    where = urlsplit(url)
    if where.hostname not in _LOOPBACK:
        return url
    base = jupyter_base(environ)
    if base is not None:
        application = next((name for name, known in dashboards().items() if known == where.netloc), None)
        return f"{base}{PREFIX}/{application}/" if application else f"{base}{PREFIX}/"
    return codespaces_address(where.port, environ) or url


def jupyter_base(environ: Mapping[str, str]) -> str | None:
    """Return the path that the Jupyter server of this kernel is served under, with a slash at both ends.

    None in a kernel that no Jupyter server started (papermill, VS Code).

    A server says where it is in a file of its own. It is read here, because jupyter_server's function for that takes
    half a second to two seconds to import.
    """
    written = Path(jupyter_runtime_dir(), f"jpserver-{environ.get('JPY_PARENT_PID', '')}.json")
    try:
        return json.loads(written.read_text(encoding="utf-8"))["base_url"]
    except (FileNotFoundError, ValueError):  # none, or being written
        return None


def codespaces_address(port: int | None, environ: Mapping[str, str]) -> str | None:
    """Return the address of a port that Codespaces forwards; None elsewhere."""
    name, domain = environ.get("CODESPACE_NAME"), environ.get("GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN")
    return f"https://{name}-{port}.{domain}/" if name and domain and port else None


def dashboards() -> dict[str, str]:
    """Return the loopback address (host:port) of each application's dashboard, by the application's name."""
    listed = (local_status() or {}).get("dashboards")
    addresses = {name: urlsplit(url) for name, url in (listed if isinstance(listed, dict) else {}).items()}
    return {name: where.netloc for name, where in addresses.items() if where.hostname in _LOOPBACK}
