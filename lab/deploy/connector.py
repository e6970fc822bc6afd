"""Make the connector jar: resolve it from Maven Central, lock it by checksum, merge and cache it.

Managed Flink takes one ``jarfile``; the connector needs a dozen. ``python -m lab.deploy.connector`` makes it at set-up,
``python -m lab.deploy.connector lock`` writes ``flink_app/connector.lock`` anew.
"""

import fnmatch
import hashlib
import json
import shutil
import sys
import tomllib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lab.core.errors import LabError
from lab.core.paths import ROOT
from lab.core.zips import EPOCH, whole_zip

SPECIFICATION = ROOT / "flink_app" / "connector.toml"
LOCK = ROOT / "flink_app" / "connector.lock"
CACHE = ROOT / ".cache" / "connector"
JAR_NAME = "flink-connector-kinesis-4.3.0-1.19-all.jar"


class ConnectorUnavailable(LabError):
    """Say that the connector could not be fetched, or is not what was locked."""


def connector_jar() -> Path:
    """Return the merged connector jar (29 MB), made on first use and cached below ``.cache/``.

    Raises ConnectorUnavailable where a jar cannot be fetched or differs from its locked SHA-256.
    """
    locked = json.loads(LOCK.read_text())
    made_of = hashlib.sha256(LOCK.read_bytes() + SPECIFICATION.read_bytes()).hexdigest()[:16]
    target = CACHE / made_of / JAR_NAME
    if not target.exists():
        with ThreadPoolExecutor(4) as pool:
            jars = list(pool.map(_fetch_verified, locked["jars"]))
        merge_jars(jars, target, tuple(_specification()["exclude"]))
    return target


def _specification() -> dict[str, Any]:
    return tomllib.loads(SPECIFICATION.read_text())


def _fetch_verified(entry: dict[str, str]) -> Path:
    path = _fetch(entry["coordinate"])
    found = _sha256(path)
    if found != entry["sha256"]:
        raise ConnectorUnavailable(
            f"The jar {entry['coordinate']} has checksum {found[:12]}... but {LOCK.name} says "
            f"{entry['sha256'][:12]}...; delete {path.name} from the local Maven repository and run 'make setup' again."
        )
    return path


def _fetch(coordinate: str) -> Path:
    import jgo
    from jgo.config import GlobalSettings

    group, artifact, version = coordinate.split(":")
    try:
        context = jgo.MavenContext(
            repo_cache=GlobalSettings.load().repo_cache, remote_repos={"central": jgo.MAVEN_CENTRAL_URL}, timeout=60
        )
        return context.project(group, artifact).at_version(version).artifact().resolve()
    except Exception as error:  # jgo raises whatever its HTTP client and parser raise
        raise ConnectorUnavailable(
            f"The jar {coordinate} could not be fetched from Maven Central ({error}); "
            "check the network connection and run 'make setup' again."
        ) from error


def merge_jars(jars: list[Path], target: Path, exclude: tuple[str, ...] = ()) -> None:
    """Merge jars into one: the first of equal names wins, service files (META-INF/services) are joined line by line.

    The result has the same bytes for the same input, and appears under its name only when it is whole.
    """
    services: dict[str, list[str]] = {}
    seen: set[str] = set()
    with whole_zip(target) as out:
        for jar in jars:
            with zipfile.ZipFile(jar) as source:
                for name in source.namelist():
                    if name.endswith("/") or any(fnmatch.fnmatch(name, pattern) for pattern in exclude):
                        continue
                    if name.startswith("META-INF/services/"):
                        lines = source.read(name).decode().splitlines()
                        services.setdefault(name, []).extend(line for line in lines if line.strip())
                    elif name not in seen:
                        seen.add(name)
                        out.writestr(zipfile.ZipInfo(name, EPOCH), source.read(name), zipfile.ZIP_DEFLATED)
        for name, lines in sorted(services.items()):
            text = "\n".join(dict.fromkeys(lines)) + "\n"
            out.writestr(zipfile.ZipInfo(name, EPOCH), text, zipfile.ZIP_DEFLATED)


def write_lock() -> None:
    """Resolve the connector's whole tree and write each jar's coordinate and checksum into connector.lock."""
    import jgo

    connector = _specification()["connector"]
    jars = []
    for artifact in jgo.resolve(connector):
        coordinate = f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}"
        jars.append({"coordinate": coordinate, "sha256": _sha256(_fetch(coordinate))})
    LOCK.write_text(json.dumps({"connector": connector, "jars": jars}, indent=1) + "\n")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(arguments: list[str]) -> int:
    if arguments == ["lock"]:
        write_lock()
        shutil.rmtree(CACHE, ignore_errors=True)
    elif arguments:
        print("usage: python -m lab.deploy.connector [lock]", file=sys.stderr)  # noqa: T201
        return 2
    try:
        print(f"connector: {connector_jar().relative_to(ROOT)}")  # noqa: T201
    except LabError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
