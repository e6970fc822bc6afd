"""Which files of an application say what pip is to fetch, and what is said where pip cannot."""

import threading
from pathlib import Path

import pytest

from localaws.errors import ApplicationFailed
from localaws.managed_flink.requirements import fetch_wheels, requirements_files


@pytest.mark.parametrize(
    ("main", "found"),
    [
        ('t_env.set_python_requirements("requirements.txt")', ["requirements.txt"]),
        ('t_env.set_python_requirements(requirements_file_path="file:///" + here + "/needs.txt")', ["App/needs.txt"]),
        ('path = here + "/needs.txt"\nenv.set_python_requirements(path)', ["App/needs.txt"]),
        ('t_env.set_python_requirements("requirements.txt", "wheels")', []),
        ('t_env.set_python_requirements("requirements.txt", requirements_cache_dir="wheels")', []),
        ('open("requirements.txt")', []),
        ("set_python_requirements(", []),
    ],
)
def test_files_that_pip_is_to_work_through(main: str, found: list[str], tmp_path: Path) -> None:
    (tmp_path / "App").mkdir()
    (tmp_path / "App" / "main.py").write_text(main)
    for name in ("requirements.txt", "App/needs.txt", "other.txt"):
        (tmp_path / name).write_text("")
    assert [path.relative_to(tmp_path).as_posix() for path in requirements_files(tmp_path)] == found


def test_a_package_that_pip_does_not_find_is_named(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("--no-index\nno_package_of_ours>=2\n")
    with pytest.raises(ApplicationFailed, match=r"^pip finds no package no_package_of_ours>=2 of the application"):
        fetch_wheels([requirements], tmp_path / "wheels", threading.Event())


def test_after_a_stop_what_pip_says_is_no_failure(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("--no-index\nno_package_of_ours>=2\n")
    stopping = threading.Event()
    stopping.set()
    fetch_wheels([requirements], tmp_path / "wheels", stopping)
