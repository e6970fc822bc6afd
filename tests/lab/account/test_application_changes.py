"""Whether what runs, or would be started, is what stands in the folder and in the notebook."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from lab.account import application_changes
from lab.account.application_changes import Outdated, bring_up_to_date, may_configure, may_start
from lab.core.errors import BadParameter
from lab.deploy.flink_zip import build_flink_zip

GROUPS = [{"PropertyGroupId": "window.config.0", "PropertyMap": {"threshold": "1", "window.size.seconds": "60"}}]
OTHER = [{"PropertyGroupId": "window.config.0", "PropertyMap": {"threshold": "3", "window.size.seconds": "60"}}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "SlidingWindows"
    folder.mkdir()
    (folder / "sliding-windows.py").write_text("print(1)\n")
    return folder


@pytest.fixture
def package(folder: Path, tmp_path: Path) -> Path:
    return build_flink_zip(tmp_path / "a.zip", folder)


def detail(package: Path, status: str = "READY", groups: Any = GROUPS) -> dict[str, Any]:
    """An application with this zip, parallelism 4 and these properties."""
    digest = hashlib.md5(package.read_bytes(), usedforsecurity=False).hexdigest()
    configuration = {
        "ApplicationCodeConfigurationDescription": {"CodeContentDescription": {"CodeMD5": digest}},
        "FlinkApplicationConfigurationDescription": {"ParallelismConfigurationDescription": {"Parallelism": 4}},
        "EnvironmentPropertyDescriptions": {"PropertyGroupDescriptions": groups},
    }
    return {
        "ApplicationName": "student", "ApplicationStatus": status, "ApplicationConfigurationDescription": configuration,
    }  # fmt: skip


def test_an_application_that_is_up_to_date_may_start_when_it_is_ready(folder: Path, package: Path) -> None:
    assert may_start(detail(package), package, 4, GROUPS, folder)
    assert not may_start(detail(package, "RUNNING"), package, 4, GROUPS, folder)


@pytest.mark.parametrize(("status", "now"), [("READY", "waits to be started"), ("RUNNING", "runs")])
def test_what_is_older_is_said_whether_it_runs_or_not(folder: Path, package: Path, status: str, now: str) -> None:
    known = detail(package, status)
    with pytest.raises(Outdated) as raised:
        may_start(known, package, 1, GROUPS, folder)
    assert str(raised.value) == (
        f"The application {now} with parallelism 4, and this notebook says 1: run the cells of 'Create the "
        "application' again, then this cell."
    )
    with pytest.raises(Outdated) as raised:
        may_start(known, package, 4, OTHER, folder)
    assert str(raised.value) == (
        f"The application {now} with window.config.0 / threshold = '1', and this notebook says '3': run the cells of "
        "'Create the application' and 'Configure it' again, then this cell."
    )
    (folder / "sliding-windows.py").write_text("print(2)\n")
    with pytest.raises(Outdated) as raised:
        may_start(known, package, 4, GROUPS, folder)
    assert str(raised.value) == (
        f"The zip is older than the file SlidingWindows/sliding-windows.py, and the application {now} with the zip: "
        "run the cells of 'Package and upload' and 'Create the application' again, then this cell."
    )
    again = build_flink_zip(package, folder)
    with pytest.raises(
        Outdated, match=rf"^The application {now} with another zip than a\.zip: run the cells of 'Package"
    ):
        may_start(known, again, 4, GROUPS, folder)


def test_other_properties_are_set_and_what_runs_with_others_is_stopped_first(
    package: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped: list[str] = []
    monkeypatch.setattr(application_changes, "stop", lambda flink, found: stopped.append(found["ApplicationName"]))
    monkeypatch.setattr("boto3.client", lambda name: None)
    assert not may_configure(detail(package, "RUNNING"), GROUPS)
    assert may_configure(detail(package, groups=[]), GROUPS)
    assert (stopped, capsys.readouterr().out) == ([], "")
    assert may_configure(detail(package, "RUNNING"), OTHER)
    assert stopped == ["student"]
    said = "student has window.config.0 / threshold = '1', and this notebook says '3', so it is stopped first.\n"
    assert capsys.readouterr().out == said


@pytest.mark.parametrize("parallelism", ["4", 0, 2.0, True, None])
def test_a_parallelism_that_is_no_whole_number_is_refused_before_anything_is_done(
    package: Path, parallelism: Any
) -> None:
    with pytest.raises(
        BadParameter, match=r"^parallelism = .* cannot work: give a whole number of at least 1, without"
    ):
        bring_up_to_date(None, "student", package, parallelism)  # without a client nothing can have been called
