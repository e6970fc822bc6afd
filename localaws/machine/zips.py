"""Open every zip the account is given: within bounds, each member read against its checksum first."""

import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from localaws.errors import LocalAwsError

MAX_MEMBERS = 20_000
MAX_BYTES = 512 << 20  # Managed Flink's own limit for the code object of an application

# What the standard library raises for zips of other makers, for damaged ones and for ones made to do harm.
_DAMAGE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError,
    OverflowError, IndexError, struct.error, zlib.error,
)  # fmt: skip


class ZipRefused(LocalAwsError):
    """Say why a zip cannot be used, with the remedy, in a sentence."""


def open_zip(source: Path | IO[bytes], check: Callable[[list[zipfile.ZipInfo]], None] | None = None) -> zipfile.ZipFile:
    """Return a zip whose members can all be read; raises ZipRefused. ``check`` sees the members before any is read."""
    try:
        package = zipfile.ZipFile(source)
        members = package.infolist()
    except _DAMAGE as error:
        raise _unreadable(error) from error
    if len(members) > MAX_MEMBERS:
        raise ZipRefused(f"The zip has {len(members)} members; at most {MAX_MEMBERS} are taken.")
    if sum(member.file_size for member in members) > MAX_BYTES:
        raise ZipRefused(f"The zip unpacks to more than {MAX_BYTES >> 20} MiB; leave out what is not needed.")
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise _unreadable("its compression is neither 'stored' nor 'deflated'")
    if check is not None:
        check(members)
    try:
        damaged = package.testzip()
    except _DAMAGE as error:
        raise _unreadable(error) from error
    if damaged is not None:
        raise _unreadable(f"{damaged} has another checksum than the zip says")
    return package


def _unreadable(reason: object) -> ZipRefused:
    return ZipRefused(f"It is not a zip file that can be read ({reason}); zip the folder again and upload it.")
