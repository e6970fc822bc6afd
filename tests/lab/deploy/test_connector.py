import zipfile
from pathlib import Path

from lab.deploy.connector import connector_jar, merge_jars


def write_jar(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w") as jar:
        for name, content in members.items():
            jar.writestr(name.replace("__", "/"), content)
    return path


def test_services_are_joined_and_the_first_class_wins(tmp_path: Path) -> None:
    one = write_jar(tmp_path / "1.jar", **{"META-INF/services/f.Factory": "a.A\n", "a/A.class": "first", "n/x": "x"})
    two = write_jar(tmp_path / "2.jar", **{"META-INF/services/f.Factory": "b.B\na.A\n", "a/A.class": "second"})
    merge_jars([one, two], tmp_path / "out.jar", exclude=("n/*",))
    with zipfile.ZipFile(tmp_path / "out.jar") as out:
        assert sorted(out.namelist()) == ["META-INF/services/f.Factory", "a/A.class"]
        assert out.read("META-INF/services/f.Factory") == b"a.A\nb.B\n"
        assert out.read("a/A.class") == b"first"


def test_the_same_jars_give_the_same_bytes(tmp_path: Path) -> None:
    jar = write_jar(tmp_path / "1.jar", a="1", b="2")
    merge_jars([jar], tmp_path / "x.jar")
    merge_jars([jar], tmp_path / "y.jar")
    assert (tmp_path / "x.jar").read_bytes() == (tmp_path / "y.jar").read_bytes()


def test_the_merged_connector_is_whole_without_native_binaries() -> None:
    with zipfile.ZipFile(connector_jar()) as jar:
        names = set(jar.namelist())
        factories = jar.read("META-INF/services/org.apache.flink.table.factories.Factory").decode()
    assert "org/joda/time/DateTime.class" in names
    assert "KinesisDynamicTableFactory" in factories
    assert not [name for name in names if name.startswith("amazon-kinesis-producer-native-binaries/")]
