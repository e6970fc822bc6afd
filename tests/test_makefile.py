"""Where `make` gets its Python 3.11 from, with a program in place of uv that writes down how it was called."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.account import PROJECT

UV = """#!/bin/sh
echo "$@" >>{log}
case "$1 $2" in
  "python find") exit {found} ;;
  "python install") exit {installs} ;;
esac
[ "$1" = venv ] && mkdir -p .venv/bin && ln -s {python} .venv/bin/python
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copyfile(PROJECT / "Makefile", tmp_path / "Makefile")
    (tmp_path / "path").mkdir()
    for name in ("env", "sh", "mkdir", "ln", "make", "echo", "grep"):  # no python, no uv
        (tmp_path / "path" / name).symlink_to(shutil.which(name))
    return tmp_path


def make(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`make .venv/bin/python`: the environment alone, with nothing in it."""
    environment = {"PATH": str(project / "path"), "HOME": os.environ["HOME"]}
    command = ["make", ".venv/bin/python", *arguments]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)


def put_uv(project: Path, found: int, installs: int = 0) -> None:
    uv = project / "path" / "uv"
    uv.write_text(UV.format(log=project / "uv.log", found=found, installs=installs, python=sys.executable))
    uv.chmod(0o755)


def test_without_python_3_11_make_offers_uv(project: Path) -> None:
    made = make(project)
    assert made.returncode and "Traceback" not in made.stderr
    assert "python3.11 is not that: install it (with uv: 'uv python install 3.11'" in made.stdout
    assert "make setup PYTHON=uv" in made.stdout and made.stdout.count("\n") == 1


def test_another_python_is_refused_by_name(project: Path) -> None:
    (project / "path" / "python3.12").write_text("#!/bin/sh\nexit 1\n")
    (project / "path" / "python3.12").chmod(0o755)
    assert "python3.12 is not that" in make(project, "PYTHON=python3.12").stdout


def test_with_python_uv_it_is_found_or_installed(project: Path) -> None:
    put_uv(project, found=0)
    assert make(project, "PYTHON=uv").returncode == 0
    assert (project / ".venv" / "bin" / "python").exists()
    venv = "venv --quiet --seed --python 3.11 .venv"
    assert (project / "uv.log").read_text().splitlines() == ["python find --system 3.11", venv]
    assert make(project).stdout == "make: '.venv/bin/python' is up to date.\n"  # no Python is looked for again

    shutil.rmtree(project / ".venv")
    (project / "uv.log").unlink()
    put_uv(project, found=1)
    assert make(project, "PYTHON=uv").returncode == 0
    asked = (project / "uv.log").read_text().splitlines()
    assert asked == ["python find --system 3.11", "python install 3.11", venv]


def test_a_uv_that_is_missing_or_gets_none_says_what_to_do(project: Path) -> None:
    assert "PYTHON=uv needs uv, which is not on the PATH" in make(project, "PYTHON=uv").stdout
    put_uv(project, found=1, installs=1)
    made = make(project, "PYTHON=uv")
    assert made.returncode and "install Python 3.11 yourself" in made.stdout
    assert not (project / ".venv").exists()
