"""Copy the trusted files that a sandbox shows, once, so that any user can read them: no solutions among them."""

import compileall
import shutil
from pathlib import Path

from grader.submissions import TAKEN, Submission
from lab.core.paths import ROOT
from lab.deploy.connector import connector_jar
from lab.exercises.student_edition import student_files

_CONNECTOR = ("connector.toml", "connector.lock")
_INSIDE = Path(__file__).with_name("inside")


class TrustedFiles:
    """Copy the trusted files below one folder, which the grader makes and removes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        without = shutil.ignore_patterns("__pycache__", "*.pyc")
        for name in ("lab", "localaws", "grader", "producer"):
            shutil.copytree(ROOT / name, folder / name, ignore=without)
        shutil.copytree(_INSIDE, folder / "inside", ignore=without)
        jar = connector_jar()
        target = folder / jar.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(jar, target)
        (folder / "flink_app").mkdir()
        for name in _CONNECTOR:
            shutil.copyfile(ROOT / "flink_app" / name, folder / "flink_app" / name)
        self._student_edition(folder / "base")
        compileall.compile_dir(folder, quiet=2)
        open_to_all(folder)

    @property
    def base(self) -> Path:
        """Return the code files of the student edition, in place of those a submission leaves out."""
        return self.folder / "base"

    @staticmethod
    def _student_edition(target: Path) -> None:
        blanks = student_files()
        for part in ("producer", "flink_app/SlidingWindows"):
            for path in sorted((ROOT / part).glob("*.py")):
                name = f"{part}/{path.name}"
                (target / part).mkdir(parents=True, exist_ok=True)
                (target / name).write_text(blanks.get(name) or path.read_text(encoding="utf-8"), encoding="utf-8")

    def of_the_grader(self, submission: Submission, data: Path) -> dict[str, Path]:
        """Return the project of a sandbox of the grader's own: its programs, its producer and its data besides."""
        own = {"grader": self.folder / "grader", "trusted_producer": self.folder / "producer"}
        return {**self.shown(submission, data), **own}

    def of_an_account(self) -> dict[str, Path]:
        """List the project of a sandbox that holds an account alone: `lab` knows how the windows are computed."""
        return {"localaws": self.folder / "localaws"}

    def shown(self, submission: Submission, data: Path | None = None) -> dict[str, Path]:
        """List the project of a sandbox: trusted files, the submission's own, and reviews where it may have them."""
        trusted = {name: self.folder / name for name in ("lab", "localaws", "inside", ".cache")}
        connector = {f"flink_app/{name}": self.folder / "flink_app" / name for name in _CONNECTOR}
        own = {name: submission.folder / name for name in TAKEN if (submission.folder / name).is_dir()}
        return {**trusted, **connector, **own, **({"data": data} if data else {})}


def open_to_all(folder: Path) -> None:
    """Let any user read a folder and what is in it."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
