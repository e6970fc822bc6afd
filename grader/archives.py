"""Read what was handed in, whatever it is packed in: first every name, then the files that count.

Whatever a reader of the standard library raises is a BadSubmission here, and no more is unpacked than the limits say.
"""

import bz2
import gzip
import io
import lzma
import os
import re
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from grader.sandbox.limits import Limits
from lab.core.errors import LabError

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".7z", ".rar")
IGNORED = {"__pycache__", ".ipynb_checkpoints", "__MACOSX", ".git", ".venv"}
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_MOST_NAMES = 20_000
_COMPRESSED: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
_TOO_LARGE = "Unpacked it is too large: clear the outputs of the notebooks, and leave out what is not your work."
_UNREADABLE = {b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "rar"}
# Name, whether it is a link, and how its bytes are read, which must be done before the next member is asked for.
Member = tuple[str, bool, Callable[[], IO[bytes]]]


class BadSubmission(LabError):
    """Say why a submission cannot be taken."""


class Budget:
    """Hold what may still be unpacked of one submission."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self.files, self.bytes = limits, limits.files, limits.unpacked

    def file(self) -> None:
        """Count one file. Raises BadSubmission."""
        self.files -= 1
        if self.files < 0:
            raise BadSubmission(f"It holds more than {self._limits.files} files: leave out what is not your work.")

    def copy(self, source: IO[bytes], sink: IO[bytes]) -> None:
        """Copy and count the bytes: an archive's own word on its sizes proves nothing. Raises BadSubmission."""
        while chunk := source.read(1 << 16):
            self.bytes -= len(chunk)
            if self.bytes < 0:
                raise BadSubmission(_TOO_LARGE)
            sink.write(chunk)


def archive_ending(name: str) -> str:
    """Return the ending of an archive's name, "" where it is none."""
    return next((ending for ending in sorted(ENDINGS, key=len, reverse=True) if name.lower().endswith(ending)), "")


def names(source: Path, limits: Limits) -> list[PurePosixPath]:
    """Return the names of the files in a folder or archive. Raises BadSubmission."""
    with _sentences(source):
        found = [safe_name(name) for name, _, _ in _bounded(_members(source, limits))]
    # macOS keeps what its disk alone can hold of a file in another one, which is called ._ and the file's name.
    return [name for name in found if not IGNORED & set(name.parts) and not name.name.startswith("._")]


def extract(source: Path, wanted: Mapping[PurePosixPath, PurePosixPath], target: Path, budget: Budget) -> None:
    """Write the wanted files of a folder or archive below `target`, under their new names. Raises BadSubmission."""
    with _sentences(source):
        for name, link, open_ in _bounded(_members(source, budget._limits)):
            new = wanted.get(safe_name(name))
            if new is None:
                continue
            if link:
                raise BadSubmission(f"It holds the link {name!r}: hand in the file itself.")
            budget.file()
            (target / new).parent.mkdir(parents=True, exist_ok=True)
            with open_() as stream, (target / new).open("wb") as sink:
                budget.copy(stream, sink)


def safe_name(name: str) -> PurePosixPath:
    """Return the path of a member. Raises BadSubmission where it leads out of the folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name or _DRIVE.match(name):
        raise BadSubmission(f"It holds {name!r}, which leads out of its folder: pack the project's folder again.")
    return path


@contextmanager
def _sentences(source: Path) -> Iterator[None]:
    """Make a BadSubmission of whatever goes wrong: the readers raise what a damaged byte makes them."""
    try:
        yield
    except BadSubmission:
        raise
    except Exception as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else f"{type(error).__name__}: {error}"
        raise BadSubmission(f"{source.name!r} cannot be read ({said}): pack it again and hand that in.") from error


def _bounded(members: Iterable[Member]) -> Iterator[Member]:
    for number, member in enumerate(members):
        if number >= _MOST_NAMES:
            raise BadSubmission(f"It holds more than {_MOST_NAMES:,} files: leave out what is not your work.")
        yield member


def _members(source: Path, limits: Limits) -> Iterator[Member]:
    if source.is_dir() and not source.is_symlink():
        return _of_folder(source)
    if not source.is_file():  # a named pipe would be waited for, and for ever
        raise BadSubmission("It is neither a file nor a folder: hand in the work itself, no link to it.")
    with source.open("rb") as file:
        start = file.read(512)
    for signature, kind in _UNREADABLE.items():
        if start.startswith(signature):
            raise BadSubmission(f"It is a {kind} archive, which the grader cannot read: hand in a zip.")
    if start.startswith(b"PK"):
        return _of_zip(source)
    for signature, opener in _COMPRESSED.items():
        if start.startswith(signature):
            return _of_tar(opener(source), limits)
    if source.suffix.lower() == ".zip" and start[257:262] != b"ustar":  # what begins with a program, or is damaged
        return _of_zip(source)
    if archive_ending(source.name):
        return _of_tar(source.open("rb"), limits)
    return iter([(source.name, source.is_symlink(), lambda: source.open("rb"))])


def _of_folder(folder: Path) -> Iterator[Member]:
    for path, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in IGNORED)
        for name in sorted(files):
            one = Path(path, name)
            if one.is_symlink() or one.is_file():
                yield one.relative_to(folder).as_posix(), one.is_symlink(), partial(_not_followed, one)


def _not_followed(path: Path) -> IO[bytes]:
    """Open a file, but not one that became a link since it was listed. Raises OSError."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")


def _of_zip(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.flag_bits & 1:
                raise BadSubmission("It can only be read with a password: hand in a zip without one.")
            if not info.filename.endswith(("/", "\\")):  # Windows PowerShell 5.1 ends folders with a backslash
                yield info.filename, stat.S_ISLNK(info.external_attr >> 16), partial(archive.open, info)


def _of_tar(stream: IO[bytes], limits: Limits) -> Iterator[Member]:
    # Read as a stream, from front to back: every byte that comes out of the compression is counted, headers included.
    with stream, tarfile.open(fileobj=cast(Any, _Counted(stream, 4 * limits.unpacked)), mode="r|") as archive:
        for info in archive:
            if info.isreg() or info.issym() or info.islnk():
                yield info.name, not info.isreg(), partial(_extracted, archive, info)


def _extracted(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    """Open a member of a tar; a link has no bytes."""
    return archive.extractfile(info) or io.BytesIO()


class _Counted:
    """End a stream with BadSubmission once too much was read from it."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self._stream, self._left = stream, most

    def read(self, size: int) -> bytes:
        self._left -= size
        if self._left < 0:
            raise BadSubmission(_TOO_LARGE)
        return self._stream.read(size)
