"""Start JupyterLab on the project, with the first notebook open (`make jupyter`).

Everything else is JupyterLab's own; what is given on the command line goes to it unchanged and wins.
"""

import os
import sys
from collections.abc import Mapping

from lab.core.paths import ROOT
from lab.flink.dashboard_address import codespaces_address

PORT = 8888  # the one that .devcontainer/devcontainer.json forwards
FIRST = "notebooks/01_streams.ipynb"
SETTINGS = ROOT / "lab" / "runner" / "jupyterlab_settings"  # overrides.json: no question about news on the first start


def arguments(environ: Mapping[str, str], more: list[str], is_root: bool = False) -> list[str]:
    """Return the command line after ``jupyter lab``.

    The root is the project, not the notebook's folder, so that the two code files of the exercises can be opened.
    """
    chosen = [f"--LabApp.default_url=/lab/tree/{FIRST}", f"--ServerApp.root_dir={ROOT}"]
    chosen.append(f"--LabApp.app_settings_dir={SETTINGS}")
    chosen.append("--ServerApp.contents_manager_class=lab.runner.notebook_files.NotebookFiles")
    if is_root:  # as in a container; JupyterLab refuses to start without it
        chosen.append("--allow-root")
    if address := codespaces_address(PORT, environ):
        # The browser comes by this very address, which JupyterLab, asked at localhost, would take for another site.
        chosen += ["--no-browser", f"--port={PORT}", "--ServerApp.port_retries=0"]
        chosen.append(f"--ServerApp.allow_origin={address.removesuffix('/')}")
    return [*chosen, *more]


def main() -> None:
    command = [sys.executable, "-m", "jupyterlab", *arguments(os.environ, sys.argv[1:], os.geteuid() == 0)]
    os.execv(sys.executable, command)  # noqa: S606


if __name__ == "__main__":
    main()
