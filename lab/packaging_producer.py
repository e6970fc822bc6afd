"""The Lambda's zip: producer/*.py as they are, and ijson beside them with its binaries for both places it runs in.

AWS runs the function on Python 3.12 for Linux x86_64, the embedded account in this environment's own Python. ijson's C
extension carries the Python version in its file name, so both fit into one zip and each Python takes its own. The one
for AWS comes from PyPI once, is checked against its locked SHA-256 and kept in ``.cache/wheels``
(``python -m lab.packaging_producer`` fetches it at set-up); without it the function works too, its modules fall back to
the standard library's parser.
"""

import fnmatch
import hashlib
import subprocess
import sys
import warnings
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from lab.errors import LabError
from lab.whole_zip import whole_zip

PROJECT = Path(__file__).resolve().parent.parent
PRODUCER = PROJECT / "producer"
HANDLER = "lambda_function.lambda_handler"
CACHE = PROJECT / ".cache" / "wheels"
# ijson for CPython 3.12 on manylinux2014 x86_64: version and SHA-256 of the wheel on PyPI.
AWS_WHEEL = ("3.6.0", "c14d568d31a322e8ed7e9735f6e355608a23cc6ff4b5da843515089dae4cbf5f")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_NOT_NEEDED = ("*.pyc", "*.pyi", "ijson/benchmark.py", "ijson/dump.py")
_BINARIES = ("*.so", "*.so.*", "*.dylib")


class ProducerZipError(LabError):
    """The Lambda's zip cannot be built."""


def build_producer_zip(target: Path, source: Path = PRODUCER) -> Path:
    """Write the zip for ``create_function`` and return its path; the same input gives the same bytes.

    Warns in one sentence where the binary for AWS cannot be had. Raises ProducerZipError where ijson is not installed.
    """
    files = {path.name: path.read_bytes() for path in sorted(source.glob("*.py"))}
    if "lambda_function.py" not in files:
        raise ProducerZipError(
            f"There is no lambda_function.py in {source.name}/: restore the folder, then build again."
        )
    files |= _installed()
    wheel = aws_wheel()
    if wheel is None:
        warnings.warn(
            "The zip holds no ijson binary for AWS (PyPI could not be reached): it runs there all the same, parsing "
            "with the standard library; run 'python -m lab.packaging_producer' with a network to add it.",
            stacklevel=2,
        )
    else:
        with zipfile.ZipFile(wheel) as packed:
            files |= {name: packed.read(name) for name in packed.namelist() if _is_binary(name)}
    with whole_zip(target) as out:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # Unix, wherever it is built, so that the permissions below count
            entry.external_attr = (0o100755 if _is_binary(name) else 0o100644) << 16
            out.writestr(entry, files[name], zipfile.ZIP_DEFLATED)
    return target


def aws_wheel(cache: Path | None = None) -> Path | None:
    """The cached wheel with the binary for AWS, fetched on first use; None where that does not work.

    Raises ProducerZipError when what was fetched is not what is locked.
    """
    cache = cache or CACHE
    version, sha256 = AWS_WHEEL
    found = sorted(cache.glob(f"ijson-{version}-cp312-*.whl"))
    if not found:
        cache.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--retries", "0", "--timeout", "5", "--only-binary", ":all:", "--implementation", "cp"]
        command += ["--python-version", "3.12", "--platform", "manylinux2014_x86_64", "--dest", str(cache)]
        try:
            fetched = subprocess.run([*command, f"ijson=={version}"], capture_output=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            return None
        found = sorted(cache.glob(f"ijson-{version}-cp312-*.whl"))
        if fetched.returncode != 0 or not found:
            return None
    wheel = found[0]
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != sha256:
        raise ProducerZipError(
            f"{wheel.name} in .cache/wheels is not the file whose checksum is locked: delete it and build again."
        )
    return wheel


def _installed() -> dict[str, bytes]:
    """ijson as it is installed here: its modules, its binaries for this Python, its licence."""
    try:
        package = distribution("ijson")
    except PackageNotFoundError as error:
        raise ProducerZipError(
            "The package ijson is not installed: run 'make setup', then build the zip again."
        ) from error
    files = {}
    for path in package.files or ():
        name = path.as_posix()
        wanted = name.endswith(".py") or _is_binary(name) or name.endswith("LICENSE.txt")
        if wanted and not any(fnmatch.fnmatch(name, pattern) for pattern in _NOT_NEEDED):
            files[name] = Path(str(package.locate_file(path))).read_bytes()
    return files


def _is_binary(name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in _BINARIES)


if __name__ == "__main__":
    sys.exit(None if aws_wheel() else "The ijson binary for AWS could not be fetched: try again with a network.")
