"""The Lambda's zip: producer/*.py as they are, and beside them the libraries that read and write its JSON, with their
binaries for both places it runs in.

AWS runs the function on Python 3.12 for Linux x86_64, the embedded account in this environment's own Python. A binary
carries the Python version in its file name, so both fit into one zip and each Python takes its own. Those for AWS come
from PyPI once, are checked against their locked SHA-256 and kept in ``.cache/wheels``
(``python -m lab.deploy.producer_zip`` fetches them at set-up); without them the function works too, its modules fall
back to the standard library.
"""

import fnmatch
import hashlib
import subprocess
import sys
import warnings
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from lab.core.errors import LabError
from lab.core.paths import ROOT
from lab.core.zips import EPOCH, whole_zip

PRODUCER = ROOT / "producer"
HANDLER = "lambda_function.lambda_handler"
CACHE = ROOT / ".cache" / "wheels"
# The wheels for CPython 3.12 on manylinux2014 x86_64: version and SHA-256 on PyPI.
AWS_WHEELS = {
    "pybase64": ("1.5.1", "c212d02fd072c5845d39b4699eb65efa827b79a5cf7fecc9f468f8cad2b8540f"),
    "orjson": ("3.13.0", "bceadfd314bd238f584fc229a4bbaf0e573597e7a026dec5429fbf29fd66c641"),
}
_NOT_NEEDED = ("*.pyc", "*.pyi", "pybase64/__main__.py")
_BINARIES = ("*.so", "*.so.*", "*.dylib")


class ProducerZipError(LabError):
    """The Lambda's zip cannot be built."""


def build_producer_zip(target: Path, source: Path = PRODUCER) -> Path:
    """Write the zip for ``create_function`` and return its path; the same input gives the same bytes.

    Warns in one sentence where a binary for AWS cannot be had. Raises ProducerZipError where a library is missing here.
    """
    files = {path.name: path.read_bytes() for path in sorted(source.glob("*.py"))}
    if "lambda_function.py" not in files:
        raise ProducerZipError(
            f"There is no lambda_function.py in {source.name}/: restore the folder, then build again."
        )
    for library in AWS_WHEELS:
        files |= _installed(library)
    wheels = aws_wheels()
    if len(wheels) < len(AWS_WHEELS):
        warnings.warn(
            "The zip does not hold all binaries for AWS (PyPI could not be reached): it runs there all the same, with "
            "the standard library; run 'python -m lab.deploy.producer_zip' with a network to add them.",
            stacklevel=2,
        )
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as packed:
            files |= {name: packed.read(name) for name in packed.namelist() if _is_binary(name)}
    with whole_zip(target) as out:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # Unix, wherever it is built, so that the permissions below count
            entry.external_attr = (0o100755 if _is_binary(name) else 0o100644) << 16
            out.writestr(entry, files[name], zipfile.ZIP_DEFLATED)
    return target


def aws_wheels(cache: Path | None = None) -> list[Path]:
    """The cached wheels with the binaries for AWS, fetched on first use; those that cannot be had are left out.

    Raises ProducerZipError when what was fetched is not what is locked.
    """
    found = (_aws_wheel(library, cache or CACHE) for library in AWS_WHEELS)
    return [wheel for wheel in found if wheel is not None]


def _aws_wheel(library: str, cache: Path) -> Path | None:
    version, sha256 = AWS_WHEELS[library]
    found = sorted(cache.glob(f"{library}-{version}-cp312-*.whl"))
    if not found:
        cache.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--retries", "0", "--timeout", "5", "--only-binary", ":all:", "--implementation", "cp"]
        command += ["--python-version", "3.12", "--platform", "manylinux2014_x86_64", "--dest", str(cache)]
        try:
            fetched = subprocess.run([*command, f"{library}=={version}"], capture_output=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            return None
        found = sorted(cache.glob(f"{library}-{version}-cp312-*.whl"))
        if fetched.returncode != 0 or not found:
            return None
    wheel = found[0]
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != sha256:
        raise ProducerZipError(
            f"{wheel.name} in .cache/wheels is not the file whose checksum is locked: delete it and build again."
        )
    return wheel


def _installed(library: str) -> dict[str, bytes]:
    """A library as it is installed here: its modules, its binaries for this Python, its licence."""
    try:
        package = distribution(library)
    except PackageNotFoundError as error:
        raise ProducerZipError(
            f"The package {library} is not installed: run 'make setup', then build the zip again."
        ) from error
    files = {}
    for path in package.files or ():
        name = path.as_posix()
        wanted = name.endswith(".py") or _is_binary(name) or path.name.startswith("LICENSE")
        if wanted and not any(fnmatch.fnmatch(name, pattern) for pattern in _NOT_NEEDED):
            files[name] = Path(str(package.locate_file(path))).read_bytes()
    return files


def _is_binary(name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in _BINARIES)


if __name__ == "__main__":
    if len(aws_wheels()) < len(AWS_WHEELS):
        sys.exit("Not all of the producer's binaries for AWS could be fetched: try again with a network.")
