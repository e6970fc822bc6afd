"""Keep the account's home folder, for its owner only: state file, logs and applications."""

import contextlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from localaws.job_description import ApplicationKey

DEFAULT_PORT = 4566
FAILURE_FILE = "failure.txt"  # in an application's folder: sentence and cause of its last failed start
# What holds the package: the root of a project that has it in place, site-packages where it was installed.
PACKAGE_FOLDER = Path(__file__).resolve().parents[2]


def default_port() -> int:
    """Return the port of ``LOCALAWS_PORT``, or 4566."""
    return int(os.environ.get("LOCALAWS_PORT", DEFAULT_PORT))


def default_home() -> Path:
    """Return the folder of ``LOCALAWS_HOME``, or ``.localaws`` in the project or in the user's home folder."""
    if "LOCALAWS_HOME" in os.environ:
        return Path(os.environ["LOCALAWS_HOME"]).resolve()
    in_place = (PACKAGE_FOLDER / "localaws" / "pyproject.toml").exists()  # the wheel has none
    return (PACKAGE_FOLDER if in_place else Path.home()) / ".localaws"


@dataclass(frozen=True)
class AccountState:
    """Hold what ``up`` leaves for ``down``, ``status`` and ``logs``: which process is the account.

    ``created`` is the process's start time (seconds since the epoch): with the pid it names one process for good,
    so that a recycled pid is never taken for ours.
    """

    pid: int
    created: float
    port: int


class AccountFolder:
    """Provide paths below one home folder, made on first use with mode 0700."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o700)

    @property
    def state_file(self) -> Path:
        return self.root / "account.json"

    @property
    def children_file(self) -> Path:
        """Return the file with the pids of Flink's processes, for ``down`` after the account itself was killed."""
        return self.root / "children.json"

    @property
    def log_file(self) -> Path:
        return self.root / "account.log"

    def folder(self, *parts: str) -> Path:
        """Return a private folder below the home, made where it does not exist."""
        path = self.root.joinpath(*parts)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def last_failure(self, application: str) -> str | None:
        """Return sentence and cause of an application's last failed start, "" where its last start did not fail.

        None where none of that name was ever started.
        """
        key = ApplicationKey.of_name(application)
        folders = [path for path in sorted((self.root / "applications").glob("*")) if key.fullmatch(path.name)]
        if not folders:
            return None
        failure = folders[-1] / FAILURE_FILE
        return failure.read_text() if failure.exists() else ""

    def clear_scratch(self) -> None:
        """Remove what only a running account has a use for: its temporary files, and the folders of its clusters."""
        for name in ("tmp", "clusters"):
            shutil.rmtree(self.root / name, ignore_errors=True)

    def read_state(self) -> AccountState | None:
        """Read the state file; None where it does not exist or cannot be understood."""
        try:
            return AccountState(**json.loads(self.state_file.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write_state(self, state: AccountState) -> None:
        write_atomically(self.state_file, json.dumps(asdict(state)))


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old content or the new, also after a failure."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w") as out:
            out.write(text)
        Path(name).replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
