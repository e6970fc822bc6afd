"""Get Flink's own file system for s3:// and s3a:// from Maven Central when an application first needs it."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

from localaws.errors import ClusterFailed

# The newest of 1.20 that Maven Central has; a plugin has a class loader of its own and needs no equal patch number.
_COORDINATE = ("org.apache.flink", "flink-s3-fs-hadoop", "1.20.1")
_SHA256 = "4dabe5d51519984f88d677c477b99c5e18cec924af2e41816da67df527a5c679"
_SCHEMES = ("s3://", "s3a://")
_TEXTS = (".py", ".sql", ".json", ".yaml", ".yml", ".properties", ".txt")


def names_s3(package: Path, property_groups: Mapping[str, Mapping[str, str]]) -> bool:
    """Return whether an application's texts or runtime properties hold a path of S3."""
    values = [value for pairs in property_groups.values() for value in pairs.values()]
    if any(scheme in value for scheme in _SCHEMES for value in values):
        return True
    with zipfile.ZipFile(package) as members:
        texts = (members.read(name) for name in members.namelist() if name.endswith(_TEXTS))
        return any(scheme.encode() in text for text in texts for scheme in _SCHEMES)


def s3_plugins(folder: Path) -> Path:
    """Return ``folder`` as Flink's folder of plugins with the file system in it (31 MB, kept in ~/.m2).

    Raises ClusterFailed where the jar cannot be fetched or is another one.
    """
    plugin = folder / "s3-fs-hadoop"
    if not plugin.exists():
        jar = _fetch()
        plugin.mkdir(mode=0o700, parents=True)
        (plugin / jar.name).symlink_to(jar)
    return folder


def _fetch() -> Path:
    import jgo
    from jgo.config import GlobalSettings

    group, artifact, version = _COORDINATE
    try:
        maven = jgo.MavenContext(
            repo_cache=GlobalSettings.load().repo_cache, remote_repos={"central": jgo.MAVEN_CENTRAL_URL}, timeout=60
        )
        jar = Path(maven.project(group, artifact).at_version(version).artifact().resolve())
    except Exception as error:  # jgo raises whatever its HTTP client and parser raise
        raise ClusterFailed(
            f"The application names a path of S3, and Flink's file system for it ({artifact} {version}) could not be "
            f"fetched from Maven Central ({error}): check the network connection and start the application again."
        ) from error
    found = hashlib.sha256(jar.read_bytes()).hexdigest()
    if found != _SHA256:
        raise ClusterFailed(
            f"The jar {jar.name} has checksum {found[:12]}... and not {_SHA256[:12]}...: delete it from the local "
            "Maven repository and start the application again."
        )
    return jar
