"""Build the Lambda's zip of producer/*.py, and load the one of its modules that the lab reads with."""

import zipfile
from functools import cache
from pathlib import Path
from types import ModuleType

from lab.core.code_files import code_file
from lab.core.errors import LabError
from lab.core.paths import ROOT
from lab.core.zips import EPOCH, whole_zip

PRODUCER = ROOT / "producer"
# In a place of the grader's own, producer/ is a submission's, which nothing of the grader may run.
_TRUSTED = ROOT / "trusted_producer"


def build_producer_zip(target: Path, source: Path = PRODUCER) -> Path:
    """Write the zip for ``create_function`` and return its path; the same input gives the same bytes.

    Raises LabError where the folder holds no handler.
    """
    files = sorted(source.glob("*.py"))
    if source / "lambda_function.py" not in files:
        raise LabError(f"There is no lambda_function.py in {source.name}/: restore the folder, then build again.")
    with whole_zip(target) as out:
        for path in files:
            entry = zipfile.ZipInfo(path.name, EPOCH)
            entry.create_system = 3  # Unix, wherever it is built, so that the permissions below count
            entry.external_attr = 0o100644 << 16
            out.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return target


@cache
def review_reader() -> ModuleType:
    """Load the function's module that reads a file of reviews, so that 01 shows what it reads.

    It stands where the function has it and needs nothing but the standard library.
    """
    return code_file((_TRUSTED if _TRUSTED.is_dir() else PRODUCER) / "review_reader.py")
