"""Which applications need S3 as a file system, and how its plugin comes."""

import zipfile
from pathlib import Path

import pytest

from localaws.errors import ClusterFailed
from localaws.flink_cluster import s3_plugin
from localaws.flink_cluster.s3_plugin import names_s3, s3_plugins


@pytest.mark.parametrize(
    ("text", "property_value", "needed"),
    [
        ("print('hello')", "arn:aws:s3:::bucket", False),
        ("PATH = 's3a://bucket/out'", "", True),
        ("print('hello')", "s3://bucket/out", True),
    ],
)
def test_a_path_of_s3_is_found(text: str, property_value: str, needed: bool, tmp_path: Path) -> None:
    package = tmp_path / "code.zip"
    with zipfile.ZipFile(package, "w") as out:
        out.writestr("App/main.py", text)
        out.writestr("App/picture.png", "s3://not-a-text")
    assert names_s3(package, {"OutputStream0": {"path": property_value}}) == needed


def test_the_plugin_has_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jar = tmp_path / "fs.jar"
    jar.write_bytes(b"")
    monkeypatch.setattr(s3_plugin, "_fetch", lambda: jar)
    for _ in range(2):
        plugins = s3_plugins(tmp_path / "plugins")
        assert [path.relative_to(plugins).as_posix() for path in plugins.rglob("*.jar")] == ["s3-fs-hadoop/fs.jar"]


def test_without_a_network_the_jar_and_the_next_step_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> object:
        raise OSError("Network is unreachable")

    monkeypatch.setattr("jgo.MavenContext", refuse)
    with pytest.raises(ClusterFailed, match=r"flink-s3-fs-hadoop 1.20.1\) could not be fetched .*unreachable.*start"):
        s3_plugins(tmp_path / "plugins")
    assert not (tmp_path / "plugins").exists()
