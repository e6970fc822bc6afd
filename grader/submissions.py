"""What is handed in: found, unpacked within bounds, and reduced to what is graded."""

import hashlib
import os
import shutil
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.sandbox.limits import Limits
from lab.core.errors import LabError

# What is taken of a submission, by the path in the project; anything else in it (a `lab` of its own, results) is not.
TAKEN = ("notebooks", "flink_app/SlidingWindows", "producer")
_ENDINGS = {"notebooks": (".ipynb",)}
_IGNORED = {"__pycache__", ".ipynb_checkpoints", "__MACOSX", ".git", ".venv"}


class BadSubmission(LabError):
    """A submission that cannot be taken: the sentence says why."""


@dataclass(frozen=True)
class Submission:
    """One submission, staged: its name, its folder, and which of TAKEN were handed in."""

    name: str
    folder: Path
    parts: tuple[str, ...]
    fingerprint: str  # SHA-256 of what is graded


def find(folder: Path) -> list[Path]:
    """The submissions in a folder: its folders and zips, by name. Raises LabError where there are none."""
    if not folder.is_dir():
        raise LabError(f"There is no folder {folder}: name the one that holds the submissions.")
    found = [
        path
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".") and (path.is_dir() or path.suffix.lower() == ".zip")
    ]
    if not found:
        raise LabError(f"{folder} holds no submission: it must hold a folder or a zip for each.")
    return found


def name_of(path: Path) -> str:
    """The name of a submission: its file's, without the ending of a zip."""
    return path.stem if path.suffix.lower() == ".zip" and not path.is_dir() else path.name


def stage(path: Path, target: Path, limits: Limits, base: Path | None = None) -> Submission:
    """Copy what is graded of a submission into `target`. Raises BadSubmission.

    Files that `base` (the student edition) has and the submission has not are taken from there.
    """
    raw = target / "raw"
    raw.mkdir(parents=True)
    try:
        if path.is_dir() and not path.is_symlink():
            _copy(path, raw, limits)
        else:
            _unpack(path, raw, limits)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise BadSubmission(f"{path.name} is no zip that can be read ({error}): hand in another.") from error
    except OSError as error:
        raise BadSubmission(f"{path.name} cannot be unpacked ({error.strerror or error}): hand in another.") from error
    root = _project_root(raw)
    taken = target / "taken"
    for part in TAKEN:
        if (root / part).is_dir():
            (taken / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(root / part, taken / part, ignore=_not_taken(part))
    shutil.rmtree(raw)
    parts = tuple(part for part in TAKEN if (taken / part).is_dir())
    if not parts:
        raise BadSubmission(
            f"{path.name} holds none of {', '.join(TAKEN)}: hand in the folder of the project, or a zip of it."
        )
    if base is not None:
        _fill_up(base, taken)
    for each in (target, *taken.rglob("*"), taken):
        each.chmod(0o755 if each.is_dir() else 0o644)
    return Submission(name_of(path), taken, parts, fingerprint(taken))


def fingerprint(folder: Path) -> str:
    """SHA-256 of the names and contents of a folder's files."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def safe_name(name: str) -> PurePosixPath:
    """The path of a zip's member. Raises BadSubmission where it leads out of the folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name or (path.parts and ":" in path.parts[0]):
        raise BadSubmission(f"The zip holds {name!r}, which leads out of its folder: pack the project's folder again.")
    return path


def _unpack(path: Path, target: Path, limits: Limits) -> None:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > limits.files * 20:
            raise BadSubmission(f"The zip holds {len(members):,} members: leave out what is not your work.")
        left, count = limits.unpacked, 0
        for member in members:
            where = safe_name(member.filename)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise BadSubmission(f"The zip holds the link {member.filename!r}: hand in the file itself.")
            if member.is_dir() or _IGNORED & set(where.parts) or not _wanted(where):
                continue
            count += 1
            if count > limits.files:
                raise BadSubmission(f"It holds more than {limits.files} files: leave out what is not your work.")
            out = target.joinpath(*where.parts)
            out.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, out.open("xb") as sink:
                left = _pump(source, sink, left)


def _pump(source: object, sink: object, left: int) -> int:
    """Copy, counting what is really unpacked: what a zip says of its sizes proves nothing."""
    while chunk := source.read(1 << 16):  # type: ignore[attr-defined]
        left -= len(chunk)
        if left < 0:
            raise BadSubmission("Unpacked it is too large: leave out what is not your work.")
        sink.write(chunk)  # type: ignore[attr-defined]
    return left


def _copy(folder: Path, target: Path, limits: Limits) -> None:
    left, count = limits.unpacked, 0
    for path in _files(folder):
        where = PurePosixPath(path.relative_to(folder).as_posix())
        if not _wanted(where):
            continue
        count += 1
        if count > limits.files:
            raise BadSubmission(f"It holds more than {limits.files} files: leave out what is not your work.")
        out = target / where
        out.parent.mkdir(parents=True, exist_ok=True)
        # O_NOFOLLOW: a file that became a link since it was listed is not followed either.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as source, out.open("xb") as sink:
            left = _pump(source, sink, left)


def _files(folder: Path) -> Iterator[Path]:
    for path, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in _IGNORED)
        for name in sorted(names):
            one = Path(path, name)
            if one.is_symlink():
                raise BadSubmission(f"It holds the link {one.relative_to(folder)}: hand in the file itself.")
            if one.is_file():
                yield one


def _wanted(where: PurePosixPath) -> bool:
    """Whether a file can be part of what is graded, in the project's folder or in one folder around it."""
    parts = where.parts
    return any(part.split("/")[0] in parts[:3] for part in TAKEN) or where.suffix == ".ipynb"


def _project_root(raw: Path) -> Path:
    """The folder that holds the parts: `raw` itself, or the one folder around them that packing it adds."""
    candidates = [raw, *sorted(path for path in raw.glob("*") if path.is_dir())]
    candidates += sorted(path for path in raw.glob("*/*") if path.is_dir())
    for folder in candidates:
        if any((folder / part).is_dir() for part in TAKEN):
            return folder
    if list(raw.rglob("0[1-5]_*.ipynb")):  # the notebooks alone, without their folder
        notebooks = raw / "notebooks"
        notebooks.mkdir(exist_ok=True)
        for path in sorted(raw.rglob("0[1-5]_*.ipynb")):
            if path.parent != notebooks and not (notebooks / path.name).exists():
                path.replace(notebooks / path.name)
    return raw


def _fill_up(base: Path, taken: Path) -> None:
    for path in base.rglob("*"):
        target = taken / path.relative_to(base)
        if path.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def _not_taken(part: str) -> object:
    endings = _ENDINGS.get(part)

    def leave_out(folder: str, names: list[str]) -> set[str]:
        wrong = {name for name in names if name in _IGNORED}
        if endings:
            wrong |= {name for name in names if not name.endswith(endings)}
        return wrong

    return leave_out
