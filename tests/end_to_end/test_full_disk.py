"""The disk fills up while the application runs, and is emptied again: every window must be right all the same.

A small file system of its own stands in for the disk, which takes the right to mount one.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.account import running_account
from tests.support.pipeline import Pipeline

pytestmark = pytest.mark.slow  # about 40 s in all


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


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, SmallDisk]]:
    """One under the account's home, and in it one for the application's checkpoints."""
    home = tmp_path_factory.mktemp("full") / "home"
    checkpoints = home / "applications" / "000000000000-us-east-1-student" / "checkpoints"
    with ExitStack() as mounted:
        made = {}
        for name, folder, megabytes in (("home", home, 400), ("checkpoints", checkpoints, 8)):
            made[name] = SmallDisk(folder, megabytes)
            mounted.callback(made[name].unmount)
        yield made


@pytest.fixture(scope="module")
def running(disks: dict[str, SmallDisk], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The pipeline on these disks, its application RUNNING."""
    with running_account(disks["home"].folder) as account, pytest.MonkeyPatch.context() as patch:
        pipeline = Pipeline(account, tmp_path_factory.mktemp("pipeline"), patch, shards=2)
        pipeline.build()
        pipeline.start()
        yield pipeline


def test_a_full_checkpoint_directory(running: Pipeline, disks: dict[str, SmallDisk]) -> None:
    sending, answers = running.send_in_background(pace=300, limit=1500)
    disks["checkpoints"].fill()
    while "The disk is full" not in running.account.command("logs", "student").stdout:
        time.sleep(0.5)
    disks["checkpoints"].free()
    running.all_is_right_after_a_restore(sending, answers)


def test_a_full_disk_under_the_home(running: Pipeline, disks: dict[str, SmallDisk]) -> None:
    sending, answers = running.send_in_background(pace=300, limit=1500)
    disks["home"].fill()
    disks["checkpoints"].fill()
    asked = {"ApplicationName": "student", "SnapshotName": "full"}
    running.flink.create_application_snapshot(**asked)

    def status() -> str:
        return running.flink.describe_application_snapshot(**asked)["SnapshotDetails"]["SnapshotStatus"]

    while status() == "CREATING":
        time.sleep(0.2)
    assert status() == "FAILED"
    for disk in disks.values():
        disk.free()
    running.all_is_right_after_a_restore(sending, answers)
