"""Hand notebooks to JupyterLab as it will save them, so that opening one does not mark it as changed.

On opening, JupyterLab writes the kernel's display name and the version of its Python into the notebook's metadata, and
marks the notebook as unsaved where they were others. The committed notebooks cannot hold them: they differ from machine
to machine. So they are filled in where the file is read; the file itself stays as it is until a person saves it.
"""

from typing import Any

from ipykernel.ipkernel import IPythonKernel
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager


class NotebookFiles(AsyncLargeFileManager):
    """Read and write files as Jupyter does; a notebook read carries what its kernel says about itself."""

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
