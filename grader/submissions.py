"""Find what is handed in by name, unpack it, and bring it into the layout of the project."""

import hashlib
import json
import os
import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from grader import archives
from grader.archives import IGNORED, BadSubmission, Budget, archive_ending
from grader.sandbox.limits import Limits
from lab.core.errors import LabError

# What is taken of a submission, by the path in the project; anything else in it (a `lab` of its own, results) is not.
TAKEN = ("notebooks", "flink_app/SlidingWindows", "producer")
NOTEBOOKS = ("01_streams", "02_producer", "03_flink_job", "04_validate")
# Code files that are known where their folder was not handed in with them.
_LOOSE = {"sliding-windows.py": TAKEN[1], "put_batch.py": TAKEN[2], "lambda_function.py": TAKEN[2]}
_DEEPEST = 3  # archives in one another
# Lists that a learning platform or a teacher puts beside the submissions.
_NO_SUBMISSION = {".csv", ".txt", ".yml", ".yaml", ".json", ".html", ".md", ".log", ".xlsx", ".ini", ".db"}
# Moodle: Ada Lovelace_1234_assignsubmission_file_ (a folder) or ..._file_project.zip, and with it, where the teacher
# asked for a text as well, ..._onlinetext_.
_MOODLE = re.compile(r"(.+?_\d+)_assignsubmission_(file|onlinetext)")
_RESERVED = {"grades.csv", "grades.html", "nbgrader.csv"}
_LONGEST_NAME = 200  # bytes; a file system takes 255
_MOST_LISTED = 5  # names in one sentence


@dataclass(frozen=True)
class Submission:
    """Describe one submission, staged: its name, its folder, and which of TAKEN were handed in."""

    name: str
    folder: Path
    parts: tuple[str, ...]
    fingerprint: str  # SHA-256 of what was handed in
    remarks: tuple[str, ...] = ()  # what was taken otherwise than it was named


def find(folder: Path, out: Path | None = None) -> dict[str, Path]:
    """Return the submissions in a folder, by name: whatever lies there but lists, and `out`, where the results are.

    Raises LabError where there are none.
    """
    if not folder.is_dir():
        raise LabError(f"There is no folder {folder}: name the one that holds the submissions.")
    paths = [
        path
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".")
        and path.name not in IGNORED
        and (path.is_dir() or path.suffix.lower() not in _NO_SUBMISSION)
        and not (out and path.absolute() == out.absolute())
    ]
    with_files = {name_of(path) for path in paths if _moodle_part(path) == "file"}
    paths = [path for path in paths if _moodle_part(path) != "onlinetext" or name_of(path) not in with_files]
    if not paths:
        raise LabError(f"{folder} holds no submission: it must hold a folder or a zip for each.")
    count = Counter(_same(name_of(path)) for path in paths)
    found: dict[str, Path] = {}
    for path in paths:
        name = name_of(path)
        if count[_same(name)] > 1 or name.casefold() in _RESERVED:
            name = f"submission {escaped(path.name)}"
        name = name.encode()[:_LONGEST_NAME].decode(errors="ignore")
        others = {_same(one) for one in found}
        numbered = (f"{name} ({number})" for number in range(2, len(paths) + 2))
        found[next(one for one in (name, *numbered) if _same(one) not in others)] = path
    return found


def _same(name: str) -> str:
    """Return what two names have in common that some file system takes for one."""
    return unicodedata.normalize("NFC", name).casefold()


def _moodle_part(path: Path) -> str:
    """Return which part of a Moodle submission this is, "file" or "onlinetext"; empty for what is of none."""
    moodle = _MOODLE.match(path.name)
    return moodle[2] if moodle else ""


def name_of(path: Path) -> str:
    """Return the name of a submission: its file's or folder's, without an archive's ending and what Moodle adds."""
    if moodle := _MOODLE.match(path.name):
        return escaped(moodle[1])
    ending = "" if path.is_dir() else archive_ending(path.name)
    return escaped(path.name[: len(path.name) - len(ending)] or path.name)


def escaped(text: str) -> str:
    """Return the text with bytes and characters that cannot be printed written as \\x and \\u."""
    decoded = text.encode("utf-8", "surrogateescape" if _from_bytes(text) else "backslashreplace")
    shown = decoded.decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in shown)


def _from_bytes(text: str) -> bool:
    """Say whether every surrogate stands for a byte of a file's name (PEP 383)."""
    return all("\udc80" <= one <= "\udcff" for one in text if "\ud800" <= one <= "\udfff")


def stage(path: Path, target: Path, limits: Limits, base: Path | None = None) -> Submission:
    """Copy what is graded of a submission into `target`, in the project's layout. Raises BadSubmission.

    Files that `base` (the student edition) has and the submission has not are taken from there.
    """
    budget, source, taken = Budget(limits), path, target / "taken"
    taken.mkdir(parents=True)
    for number in range(_DEEPEST):
        names = archives.names(source, limits)
        plan, remarks = arrangement(names)
        inner = [name for name in names if archive_ending(name.name)]
        if plan or not inner:
            lacks = [part for part in TAKEN if not any(new.is_relative_to(part) for new in plan.values())]
            if inner and lacks:
                remarks.append(f"{_listed(inner)} was not opened: hand in one archive, or no file in an archive.")
            break
        if len(inner) > 1:
            raise BadSubmission(f"It holds {len(inner)} archives ({_listed(inner)}): hand in one.")
        packed = target / f"inner-{number}{archive_ending(inner[0].name)}"
        archives.extract(source, {inner[0]: PurePosixPath(packed.name)}, target, budget)
        source = packed
    archives.extract(source, plan, taken, budget)
    parts = tuple(part for part in TAKEN if (taken / part).is_dir())
    if not parts:
        raise BadSubmission(f"It holds none of {', '.join(TAKEN)}: hand in the folder of the project, or a zip of it.")
    digest = fingerprint(taken)
    for notebook in sorted(taken.glob("notebooks/*.ipynb")):
        mend(notebook)
    if base is not None:
        _fill_up(base, taken)
    for each in (target, *taken.rglob("*"), taken):
        each.chmod(0o755 if each.is_dir() else 0o644)
    return Submission(path.name, taken, parts, digest, tuple(remarks))


def arrangement(names: Iterable[PurePosixPath]) -> tuple[dict[PurePosixPath, PurePosixPath], list[str]]:
    """Say where in the project each file that counts belongs, by its name, with remarks for the student.

    A folder of code is found however deep it is, the shallowest of its name; a notebook by its name anywhere.
    """
    files = sorted(set(names), key=lambda name: (len(name.parts), name))
    plan: dict[PurePosixPath, PurePosixPath] = {}
    remarks: list[str] = []
    for part in TAKEN[1:]:
        folder = part.rpartition("/")[2]
        holders = [name.parts[: name.parts.index(folder) + 1] for name in files if folder in name.parts[:-1]]
        if holders:
            root, *others = sorted({one for one in holders if len(one) == min(map(len, holders))})
            if others:
                same = _listed([PurePosixPath(*one) for one in (root, *others)])
                remarks.append(f"{same} may each be {part}: the first was graded, hand in one.")
            inside = [name for name in files if name.parts[: len(root)] == root]
            # Bytes that are no UTF-8 have no place in a zip, which the application becomes.
            new = {name: PurePosixPath(part, *map(escaped, name.parts[len(root) :])) for name in inside}
            plan |= {name: where for name, where in new.items() if name.suffix != ".pyc"}
        else:
            for name in reversed(files):  # the shallowest comes last and stays
                if _LOOSE.get(name.name) == part:
                    plan = {old: new for old, new in plan.items() if new != PurePosixPath(part, name.name)}
                    plan[name] = PurePosixPath(part, name.name)
    notebooks = [name for name in files if name.suffix.lower() == ".ipynb"]
    for stem in NOTEBOOKS:
        best = _candidates(stem, notebooks)
        if not best:
            continue
        plan[best[0]] = PurePosixPath("notebooks", f"{stem}.ipynb")
        if len(best) > 1:
            remarks.append(f"{_listed(best)} may each be {stem}.ipynb: the first was graded, hand in one.")
        elif best[0].stem != stem:
            remarks.append(f"{escaped(str(best[0]))} was taken for {stem}.ipynb: give it that name.")
    return plan, remarks


def _candidates(stem: str, notebooks: list[PurePosixPath]) -> list[PurePosixPath]:
    """List the notebooks that fit a name best: of exactly that name, else of one that contains it."""

    def rank(name: PurePosixPath) -> tuple[int, bool, int]:
        fit = 0 if name.stem == stem else 1 if stem in name.stem else 2 if name.stem.startswith(stem[:2]) else 3
        return fit, name.parent.name != "notebooks", len(name.parts)

    ranked = [(rank(name), name) for name in notebooks]
    best = min((how for how, _ in ranked), default=(3, True, 0))
    return [name for how, name in ranked if how == best and how[0] < 3]


def _listed(names: list[PurePosixPath]) -> str:
    more = [f"{len(names) - _MOST_LISTED:,} more"] if len(names) > _MOST_LISTED else []
    return ", ".join([escaped(str(name)) for name in names[:_MOST_LISTED]] + more)


def fingerprint(folder: Path) -> str:
    """Return SHA-256 of the names and contents of a folder's files."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            digest.update(os.fsencode(path.relative_to(folder)) + f"\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def mend(path: Path) -> None:
    """Rewrite a notebook as the runner can read it: UTF-8, nothing among its cells that is none, no old outputs.

    One that is no JSON stays as it is; the runner says so.
    """
    try:
        notebook = json.loads(path.read_bytes())
        cells: list[Any] = [cell for cell in notebook["cells"] if isinstance(cell, dict)]
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    mended = [_mended(cell, number) for number, cell in enumerate(cells)]
    path.write_text(json.dumps({"cells": mended, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")


def _mended(cell: dict[str, Any], number: int) -> dict[str, Any]:
    """Make a cell anew of the parts that a run needs: kind, source and tags. The run makes outputs of its own."""
    source, metadata, kind = cell.get("source", ""), cell.get("metadata"), cell.get("cell_type", "code")
    lines = [line for line in (source if isinstance(source, list) else [source]) if isinstance(line, str)]
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    kept = {"tags": [tag for tag in tags if isinstance(tag, str)]} if isinstance(tags, list) else {}
    made = {"cell_type": "raw", "id": f"cell-{number}", "metadata": kept, "source": "".join(lines)}
    if kind == "code":
        return made | {"cell_type": "code", "outputs": [], "execution_count": None}
    return made | {"cell_type": "markdown"} if kind == "markdown" else made


def _fill_up(base: Path, taken: Path) -> None:
    for path in base.rglob("*"):
        target = taken / path.relative_to(base)
        if path.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
