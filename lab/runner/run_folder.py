"""Make the folder of a run under `runs/`, and the link `runs/latest` to it."""

import contextlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lab.core.errors import LabError

LATEST = "latest"


class RunFolderUnusable(LabError):
    """Say that the folder for the run's files cannot be made or written."""


@dataclass(frozen=True)
class Run:
    """Describe one run: its id and its folder."""

    run_id: str
    folder: Path

    @property
    def results(self) -> Path:
        return self.folder / "results.json"

    @property
    def junit(self) -> Path:
        return self.folder / "junit.xml"

    @property
    def report(self) -> Path:
        return self.folder / "report.html"

    @property
    def log(self) -> Path:
        return self.folder / "runner.log"

    @property
    def kernel_log(self) -> Path:
        return self.folder / "kernels.log"


def new_run_id(now: datetime | None = None) -> str:
    """Make an id such as 20261123-232131-3fa9: UTC to the second, and four random hex digits."""
    return f"{now or datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def create(out: Path) -> Run:
    """Make the folder of a new run under `out`. Raises RunFolderUnusable where that cannot be done."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        while True:
            run_id = new_run_id()
            with contextlib.suppress(FileExistsError):
                (out / run_id).mkdir()
                return Run(run_id, out / run_id)
    except OSError as error:
        raise RunFolderUnusable(
            f"The folder {out} for the run cannot be written ({error.strerror}): free space or choose another --out."
        ) from error


def point_latest(run: Run) -> None:
    """Let `latest`, beside the run's folder, be a link to it; readers always find one."""
    link = run.folder.parent / LATEST
    fresh = run.folder.parent / f".{LATEST}-{run.run_id}"
    try:
        fresh.symlink_to(run.folder.name)
        fresh.replace(link)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise RunFolderUnusable(
            f"{link} cannot be made a link to the run ({error.strerror}): move what is there away and run again."
        ) from error
