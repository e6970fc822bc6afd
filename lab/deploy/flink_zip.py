"""Build the zip of the Managed Flink application, and find out whether it is the one in the account."""

import fnmatch
import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.core.errors import LabError
from lab.core.names import APPLICATION_FOLDER
from lab.core.paths import ROOT
from lab.core.zips import EPOCH, open_zip, whole_zip
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


class StaleZip(LabError):
    """Say that the application that would be started is not the one in the folder."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: run the cells of 'Package and upload' and 'Create the application' again, then this "
                         "cell.")  # fmt: skip


def may_start(detail: dict[str, Any], package: Path, application: Path = SOURCE) -> bool:
    """Say whether an application (as DescribeApplication tells it) waits to be started: READY.

    Raises StaleZip where a start would run something older than the application's folder, and so fail as before: a
    file was edited after the zip was made, or the application has another zip.
    """
    if detail["ApplicationStatus"] != "READY":
        return False
    with open_zip(package, package.name) as packed:
        inside = {name: packed.read(name) for name in packed.namelist() if not name.endswith(JAR_NAME)}
    here = {name: path.read_bytes() for name, path in _packed(application)}
    if changed := sorted(name for name in inside.keys() | here.keys() if inside.get(name) != here.get(name)):
        raise StaleZip(f"The zip is older than the file {changed[0]}")
    code = detail["ApplicationConfigurationDescription"]["ApplicationCodeConfigurationDescription"]
    known = code["CodeContentDescription"].get("CodeMD5")
    if known not in (None, hashlib.md5(package.read_bytes(), usedforsecurity=False).hexdigest()):
        raise StaleZip(f"The application has another zip than {package.name}")
    return True
