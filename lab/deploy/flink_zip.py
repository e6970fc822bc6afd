"""Build the zip of the Managed Flink application, and find out whether it is the one in the account."""

import fnmatch
import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lab.core.names import APPLICATION_FOLDER
from lab.core.paths import ROOT
from lab.core.zips import EPOCH, whole_zip
from lab.deploy.connector import JAR_NAME, connector_jar

SOURCE = ROOT / "flink_app" / APPLICATION_FOLDER
JAR_IN_ZIP = f"{APPLICATION_FOLDER}/lib/{JAR_NAME}"
_NOT_PACKED = ("__pycache__", "*.pyc", ".*", "lib", "application_properties.json")


def build_flink_zip(target: Path, application: Path = SOURCE) -> Path:
    """Write ``SlidingWindows.zip``: the application's folder as it is, with the connector as its one jar in ``lib/``.

    The paths inside start with the folder's name, as the runtime properties expect; the same input gives the same
    bytes. Raises ConnectorUnavailable where the connector cannot be had.
    """
    jar = connector_jar()
    with whole_zip(target) as out:
        for name, path in _packed(application):
            out.writestr(zipfile.ZipInfo(name, EPOCH), path.read_bytes(), zipfile.ZIP_DEFLATED)
        # Already compressed: storing it saves a second of work and costs nothing.
        out.writestr(zipfile.ZipInfo(f"{application.name}/lib/{JAR_NAME}", EPOCH), jar.read_bytes())
    return target


def _packed(application: Path) -> Iterator[tuple[str, Path]]:
    """Yield each file of the application that goes into the zip, with its name there."""
    for path in sorted(application.rglob("*")):
        parts = path.relative_to(application).parts
        if path.is_file() and not any(fnmatch.fnmatch(part, no) for part in parts for no in _NOT_PACKED):
            yield "/".join((application.name, *parts)), path


def edited_file(packed: zipfile.ZipFile, application: Path = SOURCE) -> str:
    """Name the first file of the application's folder that the zip holds otherwise; empty where there is none."""
    inside = {name: packed.read(name) for name in packed.namelist() if not name.endswith(JAR_NAME)}
    here = {name: path.read_bytes() for name, path in _packed(application)}
    return next((name for name in sorted(inside.keys() | here.keys()) if inside.get(name) != here.get(name)), "")


def has_zip(detail: Mapping[str, Any], package: bytes) -> bool:
    """Say whether an application (as DescribeApplication tells it) has this zip; True where no MD5 is told."""
    code = detail["ApplicationConfigurationDescription"]["ApplicationCodeConfigurationDescription"]
    known = code["CodeContentDescription"].get("CodeMD5")
    return known in (None, hashlib.md5(package, usedforsecurity=False).hexdigest())
