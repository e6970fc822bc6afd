import stat
import zipfile
from pathlib import Path

import pytest

from localaws.errors import ApplicationRefused
from localaws.job_description import RUN_OPTIONS, RunOptions
from localaws.machine import zips
from localaws.managed_flink.package import check_package, check_run_options, unpack

MAIN = "App/main.py"
JAR = "App/lib/flink-connector-kinesis-4.3.0-1.19-all.jar"


def write_zip(path: Path, members: dict[str, bytes | str] | None = None, **more: bytes | str) -> Path:
    with zipfile.ZipFile(path, "w") as out:
        for name, content in {**(members or {MAIN: "print(1)\n", JAR: b"jar"}), **more}.items():
            out.writestr(name, content)
    return path


def options(python: str = MAIN, jarfile: str | None = JAR, files: tuple[str, ...] = ()) -> RunOptions:
    return RunOptions(python, jarfile, files, ())


def refusal(path: Path, given: RunOptions | None = None) -> str:
    with pytest.raises(ApplicationRefused) as refused:
        check_package(path, given or options())
    return str(refused.value)


def test_a_good_zip_is_taken_and_unpacked(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip")
    check_package(path, options())
    unpack(path, tmp_path / "code")
    assert (tmp_path / "code" / MAIN).read_text() == "print(1)\n"
    assert (tmp_path / "code" / JAR).read_bytes() == b"jar"


def test_main_file_may_be_at_the_root_and_pyfiles_a_folder(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"main.py": "", "package/module.py": ""})
    check_package(path, options("main.py", None, ("package",)))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_with_any_byte_wrong_is_taken_whole_or_refused(tmp_path: Path, compression: int) -> None:
    path, damaged = tmp_path / "a.zip", tmp_path / "damaged.zip"
    with zipfile.ZipFile(path, "w", compression) as out:
        out.writestr(MAIN, "print('a longer text, so that compressing it is worth it')\n" * 5)
        out.writestr(JAR, b"jar" * 50)
    whole, refused = path.read_bytes(), 0
    for place in range(len(whole)):
        for change in (0x01, 0xFF):
            damaged.write_bytes(whole[:place] + bytes((whole[place] ^ change,)) + whole[place + 1 :])
            try:
                check_package(damaged, options())
            except ApplicationRefused as error:
                refused += 1
                assert str(error).startswith(("The application code", "The zip", "The run option", "App/main.py"))
            else:
                unpack(damaged, tmp_path / "code")
    assert refused > len(whole)


@pytest.mark.parametrize("compression", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_odd_compressions(tmp_path: Path, compression: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", compression) as out:
        out.writestr(MAIN, "print(1)")
    assert "its compression is neither 'stored' nor 'deflated'" in refusal(tmp_path / "a.zip")


def test_a_zip_packed_on_windows_is_named_as_one(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip")
    path.write_bytes(path.read_bytes().replace(b"App/main.py", b"App\\main.py"))
    assert "has backslashes in its path" in refusal(path)


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ({}, "no property group 'kinesis.analytics.flink.run.options': add it"),
        ({"kinesis.analytics.flink.run.option": {}}, "'kinesis.analytics.flink.run.option' is another name"),
        ({RUN_OPTIONS: {}}, "no key 'python'"),
        ({RUN_OPTIONS: {"python": " "}}, "no key 'python'"),
        (
            {RUN_OPTIONS: {"python": MAIN, "jarFile": JAR}},
            "the key 'jarFile', which is none of its keys; write 'jarfile'",
        ),
        ({RUN_OPTIONS: {"Python": MAIN}}, "write 'python'"),
        (
            {RUN_OPTIONS: {"python": MAIN, "pyRequirements": "requirements.txt"}},
            "does not support the run option 'pyRequirements': name the main file",
        ),
        ({RUN_OPTIONS: {"python": MAIN, "jarfile": "a.jar,b.jar"}}, "takes one jar, not 'a.jar,b.jar'"),
        ({RUN_OPTIONS: {"python": MAIN, "jarfile": "a.jar;b.jar"}}, "takes one jar"),
    ],
)
def test_run_options_that_cannot_be(groups: dict[str, dict[str, str]], said: str) -> None:
    with pytest.raises(ApplicationRefused) as refused:
        check_run_options(groups)
    assert said in str(refused.value)


def test_run_options_of_the_lab_and_keys_that_are_none() -> None:
    check_run_options({RUN_OPTIONS: {"python": MAIN, "jarfile": JAR, "pyFiles": "a.py", "note": "mine"}})


def test_not_a_zip(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK but no more")
    assert "not a zip file" in refusal(tmp_path / "a.zip")


def test_wrong_python_path_names_the_nearest(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip")
    assert refusal(path, options("main.py")) == (
        "The run option 'python' is 'main.py', but the zip has no such member; did you mean 'App/main.py'?."
    )


def test_wrong_jarfile_path(tmp_path: Path) -> None:
    assert "'jarfile' is 'App/lib/other.jar'" in refusal(
        write_zip(tmp_path / "a.zip"), options(jarfile="App/lib/other.jar")
    )


def test_old_connector(tmp_path: Path) -> None:
    old = "lib/flink-sql-connector-kinesis-1.13.2.jar"
    path = write_zip(tmp_path / "a.zip", {MAIN: "", old: b""})
    assert "older than 1.15.2" in refusal(path, options(jarfile=old))


def test_connector_of_the_original_lab_is_new_enough(tmp_path: Path) -> None:
    jar = "lib/flink-sql-connector-kinesis-1.15.2.jar"
    check_package(write_zip(tmp_path / "a.zip", {MAIN: "", jar: b""}), options(jarfile=jar))


def test_syntax_error_names_the_line(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {MAIN: "a = 1\nif a\n", JAR: b""})
    assert "App/main.py is not valid Python 3.11: line 2" in refusal(path)


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil.py", "App/../../evil.py", "C:/evil.py"])
def test_member_outside_the_folder(tmp_path: Path, name: str) -> None:
    assert "outside the application's folder" in refusal(write_zip(tmp_path / "a.zip", {MAIN: "", JAR: b"", name: ""}))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO])
def test_links_and_devices(tmp_path: Path, kind: int) -> None:
    path = write_zip(tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a") as out:
        member = zipfile.ZipInfo("App/odd")
        member.external_attr = (kind | 0o777) << 16
        out.writestr(member, "/etc/passwd")
    assert "link or device" in refusal(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("twin", [MAIN, "app/MAIN.py"])
def test_names_are_unique(tmp_path: Path, twin: str) -> None:
    path = write_zip(tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a") as out:
        out.writestr(twin, "")
    assert "must be unique" in refusal(path)


def test_bomb_by_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(MAIN, b"\0" * (3 << 20))
    monkeypatch.setattr(zips, "MAX_BYTES", 1 << 20)
    assert path.stat().st_size < 10_000
    assert "unpacks to more than 1 MiB" in refusal(path, options(jarfile=None))


def test_bomb_by_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "MAX_MEMBERS", 10)
    path = write_zip(tmp_path / "a.zip", {f"f{i}": "" for i in range(11)})
    assert "has 11 members" in refusal(path)
