"""Write a zip that appears under its name only when it is whole, and read one that may be damaged.

Two runs may build the same zip at once. One that a student made or changed may be damaged at any of its members.
"""

import io
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.core.errors import LabError

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: the same input gives the same bytes everywhere
# What the standard library raises for damaged zips and for those of other makers.
_DAMAGE = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, IndexError,
           OverflowError, struct.error, zlib.error)  # fmt: skip


class UnreadableZip(LabError):
    """Say that a zip, or a member of it, cannot be read."""


def open_zip(source: Path | bytes, name: str) -> zipfile.ZipFile:
    """Open a zip whose members all have the checksum it gives; raises UnreadableZip, which calls it `name`."""
    try:
        package = zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source)
        damaged = package.testzip()
    except _DAMAGE as error:
        raise UnreadableZip(f"{name} is not a zip that can be read ({error}): package and upload it again.") from error
    if damaged is not None:
        raise UnreadableZip(f"{name} is damaged at its member {damaged}: package and upload it again.")
    return package


@contextmanager
def whole_zip(target: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip to write to; it replaces `target` when the block ends well, else it is deleted.

    The file may be read by everybody, as one made by `open` would.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as partial:
        part = Path(partial.name)
        try:
            with zipfile.ZipFile(partial, "w") as out:
                yield out
            part.chmod(0o644)
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
