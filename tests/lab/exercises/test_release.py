"""The two zips of a release and the folder of --whole, from the project itself and from small clones of git."""

import io
import subprocess
import tokenize
import zipfile
from pathlib import Path

import pytest
from setuptools_scm import Configuration, get_version

from lab.cli import main
from lab.core.errors import LabError
from lab.exercises import release
from lab.exercises.student_edition import BEGIN, student_files
from tests.support.account import PROJECT


@pytest.fixture(scope="module")
def zips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    student, teacher = release.make_release(tmp_path_factory.mktemp("release"))
    return student, teacher


def members(path: Path) -> dict[str, bytes]:
    """The files of a zip by their path below its one folder, which bears its name."""
    with zipfile.ZipFile(path) as packed:
        assert {name.split("/")[0] for name in packed.namelist()} == {path.stem}
        return {name.split("/", 1)[1]: packed.read(name) for name in packed.namelist()}


def solved_blanks(name: str, content: bytes) -> bool:
    """Whether a line of it is the marker itself; a program may name the marker."""
    if name.endswith(".ipynb"):
        return BEGIN in content.decode()
    tokens = tokenize.tokenize(io.BytesIO(content).readline)
    return any(one.type == tokenize.COMMENT and one.string == BEGIN for one in tokens)


def test_the_students_zip_has_the_blanks_and_nothing_of_the_teachers(zips: tuple[Path, Path]) -> None:
    student, teacher = (members(path) for path in zips)
    assert not [
        name for name in student if name.startswith(("tests/", "benchmarks/", "book/", ".ci/", ".github/", "build/"))
    ]
    assert {name: student[name].decode() for name in student_files()} == student_files()
    assert {name for name in student if student[name] != teacher[name]} == set(student_files())
    code = [name for name in student if name.endswith((".py", ".ipynb"))]
    assert not [name for name in code if solved_blanks(name, student[name])]
    assert {name for name in code if solved_blanks(name, teacher[name])} == set(student_files())


def test_the_teachers_zip_is_the_project(zips: tuple[Path, Path]) -> None:
    teacher = members(zips[1])
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert set(listed.splitlines()) <= teacher.keys()
    assert all(teacher[name] == (PROJECT / name).read_bytes() for name in teacher if name != "PKG-INFO")


def test_an_unpacked_zip_keeps_what_may_be_run_and_knows_its_version(zips: tuple[Path, Path], tmp_path: Path) -> None:
    for path in zips:
        subprocess.run(["unzip", "-q", path, "-d", tmp_path], check=True)
        folder = tmp_path / path.stem
        assert (folder / "postBuild").stat().st_mode & 0o777 == 0o755
        assert (folder / "Makefile").stat().st_mode & 0o777 == 0o644
        settings = Configuration.from_file(folder / "pyproject.toml")
        assert get_version(folder, fallback_version=settings.fallback_version) == release.version_of()
        assert f"-{release.version_of()}-" in path.stem


def git(folder: Path, *arguments: str) -> None:
    name = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *name, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_version_is_the_tag_and_without_git_the_fallback(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.setuptools_scm]\nfallback_version = "0.0.0"\n')
    assert release.version_of(tmp_path) == "0.0.0"
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "one")
    assert release.version_of(tmp_path).startswith("0.0.1.dev1+g")
    git(tmp_path, "tag", "v1.2.0")
    assert release.version_of(tmp_path) == "1.2.0"
    git(tmp_path, "commit", "--allow-empty", "-m", "two")
    assert release.version_of(tmp_path).startswith("1.2.1.dev1+g")


def test_a_release_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "flink-anomaly-lab-0.9.0-student.zip").write_bytes(b"old")
    (tmp_path / "notes.txt").write_text("stays")
    made = release.make_release(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([*made, tmp_path / "notes.txt"])


def test_the_whole_student_edition_as_a_folder(tmp_path: Path, zips: tuple[Path, Path]) -> None:
    target = tmp_path / "edition"
    assert main(["release", "--whole", str(target)]) == 0
    written = {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert written == members(zips[0])
    with pytest.raises(LabError, match="is not an empty folder"):
        release.write_whole(target)
    with pytest.raises(LabError, match="run this in a git clone"):
        release.make_release(tmp_path / "zips", root=target)
