"""The two zips the lab deploys: the Managed Flink application and the Lambda."""

import fnmatch
import hashlib
import zipfile
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
        for path in sorted(application.rglob("*")):
            parts = path.relative_to(application).parts
            if path.is_file() and not any(fnmatch.fnmatch(part, no) for part in parts for no in _NOT_PACKED):
                name = "/".join((application.name, *parts))
                out.writestr(zipfile.ZipInfo(name, EPOCH), path.read_bytes(), zipfile.ZIP_DEFLATED)
        # Already compressed: storing it saves a second of work and costs nothing.
        out.writestr(zipfile.ZipInfo(f"{application.name}/lib/{JAR_NAME}", EPOCH), jar.read_bytes())
    return target


def same_application(detail: dict[str, Any], package: Path, parallelism: int) -> bool:
    """Whether an application (as DescribeApplication tells it) has this zip and this parallelism already."""
    configuration = detail["ApplicationConfigurationDescription"]
    flink = configuration["FlinkApplicationConfigurationDescription"]["ParallelismConfigurationDescription"]
    known = configuration["ApplicationCodeConfigurationDescription"]["CodeContentDescription"].get("CodeMD5")
    found = hashlib.md5(package.read_bytes(), usedforsecurity=False).hexdigest()
    return flink["Parallelism"] == parallelism and known in (None, found)
