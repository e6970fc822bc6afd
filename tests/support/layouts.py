"""The same work as students hand it in: folders, archives, folders in archives, archives in folders."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.support.hostile import zip_of

Files = Mapping[str, bytes]


def files_of(folder: Path) -> dict[str, bytes]:
    """The files below a folder by their name in it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def folder_of(path: Path, files: Files) -> Path:
    """A folder with these files."""
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def tar_of(path: Path, files: Files, mode: str = "w:gz") -> Path:
    """A tar of these files."""
    with tarfile.open(path, mode) as out:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    return path


def windows_zip(path: Path, files: Files) -> Path:
    """A zip as Compress-Archive of Windows PowerShell 5.1 makes it: entries for folders, and backslashes."""
    folders = {str(parent) for name in files for parent in Path(name).parents if parent.parts}
    with zipfile.ZipFile(path, "w") as out:
        for folder in sorted(folders):
            out.writestr(zipfile.ZipInfo(folder.replace("/", "\\") + "\\"), b"")
        for name, content in files.items():
            out.writestr(zipfile.ZipInfo(name.replace("/", "\\")), content)
    return path


def below(folder: str, files: Files) -> dict[str, bytes]:
    """The same files one or more folders deeper."""
    return {f"{folder}/{name}": content for name, content in files.items()}


def _zip_in_zip(path: Path, files: Files) -> Path:
    inner = zip_of(path.parent / "inner.zip", dict(files))
    packed = zip_of(path, {"x/work.zip": inner.read_bytes()})
    inner.unlink()
    return packed


# By name: makes one submission in a folder, from the files of the work, and returns its path.
LAYOUTS: dict[str, Callable[[Path, Files], Path]] = {
    "folder": lambda where, files: folder_of(where / "folder", files),
    "zip": lambda where, files: zip_of(where / "zip.zip", dict(files)),
    "three-folders": lambda where, files: zip_of(where / "three.zip", below("x/y/z", files)),
    "folder-with-zip": lambda where, files: (
        zip_of(folder_of(where / "with-zip", {"README": b""}) / "work.zip", dict(files)).parent
    ),
    "zip-in-zip": lambda where, files: _zip_in_zip(where / "zip-in-zip.zip", files),
    "windows": lambda where, files: windows_zip(where / "windows.zip", files),
    "tar.gz": lambda where, files: tar_of(where / "tar.tar.gz", files),
    "tgz": lambda where, files: tar_of(where / "tgz.tgz", below("./work", files)),
    "tar.xz": lambda where, files: tar_of(where / "xz.tar.xz", files, "w:xz"),
    "nbgrader": lambda where, files: folder_of(where / "nbgrader", {"timestamp.txt": b""} | below("lab", files)),
    "flat": lambda where, files: folder_of(where / "flat", {Path(name).name: one for name, one in files.items()}),
    "apart": lambda where, files: folder_of(
        where / "apart",
        {f"part of {name[0]}/{name}": content for name, content in files.items()}
        | {"old/x/producer/deep/producer/x.py": b""},
    ),
}
