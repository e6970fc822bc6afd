"""Write the student edition and the teacher's as one zip each, or the student edition as a folder.

A zip has no git in it, so the version that git's tags give stands in its PKG-INFO, where setuptools-scm looks next.
"""

import argparse
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.core.errors import LabError
from lab.core.paths import ROOT
from lab.core.zips import EPOCH, whole_zip
from lab.exercises.student_edition import student_files

NAME = "flink-anomaly-lab"
RELEASE = ROOT / "build" / "release"
NOT_FOR_STUDENTS = ("tests/", "benchmarks/", "book/", ".ci/", ".github/")


def make_release(target: Path = RELEASE, root: Path = ROOT) -> list[Path]:
    """Write a zip of each edition into `target`, in place of those of an earlier release; the student's first.

    Raises LabError where the project is no git clone, which says which files are its own.
    """
    version = version_of(root)
    for old in target.glob(f"{NAME}-*.zip"):
        old.unlink()
    zips = []
    for edition in ("student", "teacher"):
        folder = f"{NAME}-{version}-{edition}"
        zips.append(target / f"{folder}.zip")
        with whole_zip(zips[-1]) as out:
            for name, (content, mode) in edition_files(edition, version, root).items():
                entry = zipfile.ZipInfo(f"{folder}/{name}", EPOCH)
                entry.external_attr = (0o100000 | mode) << 16
                out.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return zips


def write_whole(target: Path, root: Path = ROOT) -> None:
    """Write a complete student edition into a folder: the project's files, with blanks in place of the solutions.

    Raises LabError where the folder is not empty, or the project is no git clone.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise LabError(f"{target} is not an empty folder: name one that is not there yet.")
    for name, (content, mode) in edition_files("student", version_of(root), root).items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)


def edition_files(edition: str, version: str, root: Path = ROOT) -> Mapping[str, tuple[bytes, int]]:
    """List the files of an edition, "student" or "teacher": path in the project -> content and mode."""
    found = {}
    for name in _own_files(root):
        if edition == "teacher" or not name.startswith(NOT_FOR_STUDENTS):
            found[name] = (root / name).read_bytes(), 0o755 if (root / name).stat().st_mode & 0o100 else 0o644
    if edition == "student":
        found |= {name: (text.encode(), found[name][1]) for name, text in student_files(root).items()}
    about = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {version}\n"
    return {**found, "PKG-INFO": (about.encode(), 0o644)}


def version_of(root: Path = ROOT) -> str:
    """Return the version of the project: the tag of this commit, or what comes after the last one."""
    from setuptools_scm import Configuration, get_version  # the command line imports this module, and it is slow

    return get_version(root, fallback_version=Configuration.from_file(root / "pyproject.toml").fallback_version)


def _own_files(root: Path) -> list[str]:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        raise LabError("The project's files are not known: run this in a git clone of it.") from error
    return [name for name in listed.split("\0") if name and (root / name).is_file()]


def add_parser(commands: Any) -> None:
    """Add `release` to the subcommands."""
    parser = commands.add_parser(
        "release",
        help="write the student edition and the teacher's as one zip each",
        description="Writes both zips into build/release/, or with --whole a complete student edition into a folder. "
        "In the student edition blanks are in place of the solutions.",
    )
    parser.set_defaults(command=_command)
    parser.add_argument("--whole", metavar="DIR", type=Path, help="write everything a student needs into this folder")


def _command(arguments: argparse.Namespace) -> int:
    try:
        if arguments.whole:
            write_whole(arguments.whole)
            print(f"The student edition is in {arguments.whole}.")  # noqa: T201
        else:
            print(*(path.relative_to(ROOT) for path in make_release()), sep="\n")  # noqa: T201
    except OSError as error:
        raise LabError(f"The release cannot be written ({error}): look at the folder and the disk.") from error
    return 0
