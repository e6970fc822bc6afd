"""Check the application's zip before anything is started, then unpack it."""

import ast
import difflib
import re
import shutil
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from localaws.errors import ApplicationRefused
from localaws.job_description import RUN_OPTIONS, RunOptions
from localaws.machine.zips import ZipRefused, open_zip

_RUN_OPTIONS = {name.lower(): name for name in ("python", "jarfile", "pyFiles", "pyArchives")}
_OF_FLINK_ALONE = ("pyModule", "pyExecutable", "pyRequirements")  # which Managed Flink does not support
OLDEST_CONNECTOR = (1, 15, 2)  # Managed Flink rejects Kinesis connectors before it


def check_run_options(groups: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse property groups that name no main file or misspell how; raises ApplicationRefused."""
    given = groups.get(RUN_OPTIONS)
    if given is None:
        near = difflib.get_close_matches(RUN_OPTIONS, groups, 1)
        hint = f"; {near[0]!r} is another name" if near else ""
        raise ApplicationRefused(
            f"The application has no property group {RUN_OPTIONS!r}{hint}: add it, with the key 'python' for the main "
            "file's path in the zip."
        )
    for key in given:
        if key in _OF_FLINK_ALONE:
            raise ApplicationRefused(
                f"Managed Flink does not support the run option {key!r}: name the main file in 'python', and bring "
                "packages in a folder that 'pyFiles' names, or call set_python_requirements in the main file."
            )
        near = difflib.get_close_matches(key.lower(), _RUN_OPTIONS, 1, cutoff=0.8)
        if key not in _RUN_OPTIONS.values() and near:
            raise ApplicationRefused(
                f"The property group {RUN_OPTIONS!r} has the key {key!r}, which is none of its keys; write "
                f"{_RUN_OPTIONS[near[0]]!r}."
            )
    if not given.get("python", "").strip():
        raise ApplicationRefused(
            f"The property group {RUN_OPTIONS!r} has no key 'python': name the main file's path in the zip."
        )
    if re.search("[,;]", given.get("jarfile", "")):
        raise ApplicationRefused(
            f"The run option 'jarfile' takes one jar, not {given['jarfile']!r}: merge the jars into one."
        )


def check_package(path: Path, options: RunOptions) -> None:
    """Refuse a zip that cannot run; raises ApplicationRefused with the first reason found."""
    try:
        with open_zip(path, _check_members) as package:
            _check_options(options, set(package.namelist()))
            source = package.read(options.python)
    except ZipRefused as error:
        raise ApplicationRefused(f"The application code cannot be used. {error}") from error
    _check_python(source, options.python)


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for member in members:
        name = member.filename
        parts = PurePosixPath(name).parts
        if "\\" in name:
            raise ApplicationRefused(
                f"The zip member {name!r} has backslashes in its path, as some programs for Windows write them; pack "
                "the folder with Python's zipfile, which writes '/'."
            )
        if name.startswith("/") or "\0" in name or ".." in parts or re.match(r"^[A-Za-z]:", name):
            raise ApplicationRefused(f"The zip member {name!r} points outside the application's folder; remove it.")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ApplicationRefused(f"The zip member {name!r} is a link or device, not a file; replace it by a file.")
        if member.flag_bits & 0x1:
            raise ApplicationRefused(f"The zip member {name!r} is encrypted; zip the folder without a password.")
        key = name.rstrip("/").casefold()
        if key in seen:
            raise ApplicationRefused(f"The zip holds {name!r} twice (or in two spellings); names must be unique.")
        seen.add(key)
    files = {m.filename.casefold() for m in members if not m.is_dir()}
    for name in files:
        parent = str(PurePosixPath(name).parent)
        if parent in files:
            raise ApplicationRefused(f"The zip holds {parent!r} both as a file and as a folder; names must be unique.")


def _check_options(options: RunOptions, names: set[str]) -> None:
    wanted = [("python", options.python)]
    wanted += [("jarfile", options.jarfile)] if options.jarfile else []
    wanted += [("pyFiles", path) for path in options.python_files]
    wanted += [("pyArchives", path.partition("#")[0]) for path in options.python_archives]
    for key, path in wanted:
        is_folder = any(name.startswith(path.rstrip("/") + "/") for name in names)
        if path not in names and not (key == "pyFiles" and is_folder):
            raise ApplicationRefused(
                f"The run option {key!r} is {path!r}, but the zip has no such member{_nearest(path, names)}."
            )
    if options.jarfile:
        _check_connector(options.jarfile)


def _nearest(path: str, names: set[str]) -> str:
    """Offer members of the same file name in other folders."""
    same = sorted(name for name in names if PurePosixPath(name).name == PurePosixPath(path).name)
    return f"; did you mean {same[0]!r}?" if same else f"; it has {', '.join(sorted(names)[:5])}"


def _check_connector(jarfile: str) -> None:
    found = re.search(r"flink-(?:sql-)?connector-(?:aws-)?kinesis\w*-(\d+)\.(\d+)\.(\d+)", PurePosixPath(jarfile).name)
    if found and tuple(map(int, found.groups())) < OLDEST_CONNECTOR:
        raise ApplicationRefused(
            f"The connector {jarfile!r} is older than {'.'.join(map(str, OLDEST_CONNECTOR))}, "
            "which Managed Flink does not accept; use flink-connector-kinesis 4.3.0-1.19."
        )


def _check_python(source: bytes, name: str) -> None:
    try:
        ast.parse(source, name, feature_version=(3, 11))
    except (SyntaxError, ValueError) as error:
        where = f"line {error.lineno}" if isinstance(error, SyntaxError) else "the file"
        raise ApplicationRefused(
            f"{name} is not valid Python 3.11: {where}: {error}; correct it and upload again."
        ) from error


def unpack(path: Path, target: Path) -> None:
    """Write the members of a checked zip into ``target``, which is emptied first."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=0o700, parents=True)
    with zipfile.ZipFile(path) as package:
        package.extractall(target)


def brings_kinesis(jar: Path) -> bool:
    """Return whether a jar holds a connector for Kinesis, whatever the jar is called."""
    with zipfile.ZipFile(jar) as members:
        return any(re.search(r"flink/(?:streaming/connectors|connector)/kinesis/", name) for name in members.namelist())
