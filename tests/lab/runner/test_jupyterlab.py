import asyncio
import json
import platform
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from traitlets.config import Configurable

from lab.core.paths import ROOT
from lab.runner.jupyterlab import SETTINGS, arguments
from lab.runner.notebook_files import NotebookFiles


def test_nobody_is_asked_about_news() -> None:
    assert f"--LabApp.app_settings_dir={SETTINGS}" in arguments({}, [])
    overrides = json.loads((SETTINGS / "overrides.json").read_text())
    assert overrides["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_root_may_start_it_and_others_need_no_leave() -> None:
    assert "--allow-root" in arguments({}, [], is_root=True)
    assert "--allow-root" not in arguments({}, [], is_root=False)
    assert arguments({}, ["--port=1"], is_root=True)[-1] == "--port=1"


def test_the_printed_address_opens_the_first_notebook_below_the_project() -> None:
    given = arguments({}, ["--no-browser"])
    assert "--LabApp.default_url=/lab/tree/notebooks/01_streams.ipynb" in given
    assert f"--ServerApp.root_dir={ROOT}" in given
    assert given[-1] == "--no-browser"


class Server(Configurable):
    """What the files ask of a Jupyter server."""

    kernel_spec_manager = KernelSpecManager()


@pytest.mark.parametrize(("kernel", "is_filled"), [("python3", True), ("scala", False), (None, False)])
def test_a_notebook_is_read_as_it_will_be_saved(kernel: str | None, is_filled: bool, tmp_path: Path) -> None:
    metadata = {"kernelspec": {"name": kernel, "display_name": "As committed"}} if kernel else {}
    text = json.dumps({"cells": [], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})
    (tmp_path / "one.ipynb").write_text(text)
    files = NotebookFiles(root_dir=str(tmp_path), parent=Server())
    read = asyncio.run(files.get("one.ipynb"))["content"]["metadata"]
    if is_filled:
        spec = Server.kernel_spec_manager.get_kernel_spec("python3")
        assert read["kernelspec"]["display_name"] == spec.display_name
        assert read["language_info"]["version"] == platform.python_version()
    else:
        assert read == metadata
    assert (tmp_path / "one.ipynb").read_text() == text
    assert asyncio.run(files.get("one.ipynb", content=False))["content"] is None
    assert asyncio.run(files.get(""))["type"] == "directory"
