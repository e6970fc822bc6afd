"""The Lambda's zip, producer/*.py as they are and nothing else."""

import zipfile
from pathlib import Path

from lab.core.errors import LabError
from lab.core.paths import ROOT
from lab.core.zips import EPOCH, whole_zip

PRODUCER = ROOT / "producer"


class ProducerZipError(LabError):
    """The Lambda's zip cannot be built."""


def build_producer_zip(target: Path, source: Path = PRODUCER) -> Path:
    """Write the zip for ``create_function`` and return its path; the same input gives the same bytes."""
    files = sorted(source.glob("*.py"))
    if source / "lambda_function.py" not in files:
        raise ProducerZipError(
            f"There is no lambda_function.py in {source.name}/: restore the folder, then build again."
        )
    with whole_zip(target) as out:
        for path in files:
            entry = zipfile.ZipInfo(path.name, EPOCH)
            entry.create_system = 3  # Unix, wherever it is built, so that the permissions below count
            entry.external_attr = 0o100644 << 16
            out.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return target
