"""The disk fills up while the application runs, and is emptied again: every window must be right all the same.

A small file system of its own stands in for the disk, which takes the right to mount one.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.test_faults import all_tasks_running, send_in_background
from tests.support.pipeline import PATIENCE, Pipeline

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # about 80 s in all


class SmallDisk:
    """A file system of a few megabytes that can be filled to the last byte and emptied again."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder)]
        mounted = subprocess.run(command, capture_output=True, text=True)
        if mounted.returncode:
            pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")

    @property
    def ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> None:
        with self.ballast.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass  # that was the last byte
        status = os.statvfs(self.folder)
        assert status.f_bavail == 0

    def free(self) -> None:
        self.ballast.unlink()

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


@pytest.fixture
def small_disk() -> Iterator[Any]:
    disks: list[SmallDisk] = []

    def make(folder: Path, megabytes: int) -> SmallDisk:
        disks.append(SmallDisk(folder, megabytes))
        return disks[-1]

    yield make
    for disk in disks:
        disk.unmount()


def log_says(pipeline: Pipeline, words: str, timeout: float = PATIENCE) -> None:
    deadline = time.monotonic() + timeout
    while words not in (told := pipeline.account.command("logs", "student").stdout):
        assert time.monotonic() < deadline, told
        time.sleep(0.5)


def finish(pipeline: Pipeline, sending: Any, answers: list[dict[str, Any]]) -> None:
    sending.join()
    assert answers[0]["sent"] == 5000
    all_tasks_running(pipeline)
    pipeline.every_window_is_right()


def test_a_full_checkpoint_directory(
    small_disk: Any, make_account: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account()
    disk = small_disk(account.home / "applications" / "000000000000-us-east-1-student" / "checkpoints", 8)
    pipeline = Pipeline(account, tmp_path, monkeypatch, shards=2)
    pipeline.build()
    pipeline.start()
    sending, answers = send_in_background(pipeline, pace=500)
    disk.fill()
    log_says(pipeline, "The disk is full")
    disk.free()
    finish(pipeline, sending, answers)


def test_a_full_disk_under_the_home(
    small_disk: Any, make_account: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = small_disk(tmp_path / "home", 400)
    pipeline = Pipeline(make_account(), tmp_path, monkeypatch, shards=2)
    pipeline.build()
    pipeline.start()
    sending, answers = send_in_background(pipeline, pace=500)
    disk.fill()
    pipeline.flink.create_application_snapshot(ApplicationName="student", SnapshotName="full")
    deadline = time.monotonic() + PATIENCE
    while True:
        asked = {"ApplicationName": "student", "SnapshotName": "full"}
        status = pipeline.flink.describe_application_snapshot(**asked)["SnapshotDetails"]["SnapshotStatus"]
        if status != "CREATING":
            break
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert status == "FAILED"
    disk.free()
    finish(pipeline, sending, answers)
