"""Start JupyterLab on the project, with the first notebook open (`make jupyter`).

Everything else is JupyterLab's own; what is given on the command line goes to it unchanged and wins.
"""

import os
import sys
from collections.abc import Mapping
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

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
    chosen.append("--ServerApp.contents_manager_class=lab.runner.jupyterlab.NotebookFiles")
    if is_root:  # as in a container; JupyterLab refuses to start without it
        chosen.append("--allow-root")
    if address := codespaces_address(PORT, environ):
        # The browser comes by this very address, which JupyterLab, asked at localhost, would take for another site.
        chosen += ["--no-browser", f"--port={PORT}", "--ServerApp.port_retries=0"]
        chosen.append(f"--ServerApp.allow_origin={address.removesuffix('/')}")
    return [*chosen, *more]


class NotebookFiles(AsyncLargeFileManager):
    """Hand notebooks to JupyterLab as it will save them, so that opening one does not mark it as changed.

    On opening, JupyterLab writes the kernel's display name and the version of its Python into the notebook's metadata,
    and marks the notebook as unsaved where they were others. The committed notebooks cannot hold them: they differ from
    machine to machine. So they are filled in where a notebook is read; the file stays as it is until a person saves it.
    """

    async def get(self, path: str, *args: Any, **options: Any) -> dict[str, Any]:
        """Read a file or folder; see the base class."""
        model: dict[str, Any] = await super().get(path, *args, **options)
        if model["type"] == "notebook" and model["content"] is not None:
            metadata = model["content"]["metadata"]
            if metadata.get("kernelspec", {}).get("name") == NATIVE_KERNEL_NAME:  # runs the Python of this process
                server: Any = self.parent  # the ServerApp
                spec = server.kernel_spec_manager.get_kernel_spec(NATIVE_KERNEL_NAME)
                metadata["kernelspec"] |= {"display_name": spec.display_name, "language": spec.language}
                metadata["language_info"] = IPythonKernel.language_info
        return model


def main() -> None:
    command = [sys.executable, "-m", "jupyterlab", *arguments(os.environ, sys.argv[1:], os.geteuid() == 0)]
    os.execv(sys.executable, command)  # noqa: S606


if __name__ == "__main__":
    main()
