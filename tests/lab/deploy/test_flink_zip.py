"""Whether what would be started is what stands in the folder."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from lab.deploy.flink_zip import StaleZip, build_flink_zip, may_start


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "SlidingWindows"
    folder.mkdir()
    (folder / "sliding-windows.py").write_text("print(1)\n")
    return folder


def detail(package: Path, status: str = "READY") -> dict[str, Any]:
    digest = hashlib.md5(package.read_bytes(), usedforsecurity=False).hexdigest()
    code = {"CodeContentDescription": {"CodeMD5": digest}}
    configuration = {"ApplicationCodeConfigurationDescription": code}
    return {"ApplicationStatus": status, "ApplicationConfigurationDescription": configuration}


def test_an_application_of_this_folder_may_start_when_it_is_ready(folder: Path, tmp_path: Path) -> None:
    package = build_flink_zip(tmp_path / "a.zip", folder)
    assert may_start(detail(package), package, folder)
    assert not may_start(detail(package, "RUNNING"), package, folder)


def test_a_file_edited_after_packaging_is_said_before_the_start(folder: Path, tmp_path: Path) -> None:
    package = build_flink_zip(tmp_path / "a.zip", folder)
    known = detail(package)
    (folder / "sliding-windows.py").write_text("print(2)\n")
    said = r"^The zip is older than the file SlidingWindows/sliding-windows\.py: run the cells of 'Package and upload'"
    with pytest.raises(StaleZip, match=said):
        may_start(known, package, folder)
    again = build_flink_zip(tmp_path / "a.zip", folder)
    with pytest.raises(StaleZip, match=r"^The application has another zip than a\.zip"):
        may_start(known, again, folder)
    assert may_start(detail(again), again, folder)
