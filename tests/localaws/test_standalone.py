"""The embedded account as a package by itself: its pyproject.toml, its wheel, the README's lines run from it."""

import ast
import os
import re
import subprocess
import sys
import time
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from localaws.machine import account_folder
from tests.support.account import PROJECT, free_port

PACKAGE = PROJECT / "localaws"
README = PACKAGE / "README.md"
SOURCES = [path.relative_to(PROJECT) for suffix in ("py", "java") for path in sorted(PACKAGE.rglob(f"*.{suffix}"))]


def uv(command: str, *arguments: str | Path) -> None:
    """Run uv with what is in its cache, as `make setup` has filled it; with the network where that is not enough."""
    program = [Path(sys.executable).with_name("uv"), *command.split(), "--quiet"]
    for network in ("--offline", "--no-offline"):
        done = subprocess.run([*program, network, *arguments], capture_output=True, text=True)
        if done.returncode == 0:
            return
    raise AssertionError(done.stderr)


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]


def blocks(language: str) -> list[str]:
    """The code blocks of the README in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.M | re.S)


def imported() -> set[str]:
    """The packages of others that the sources import."""
    names = set()
    for path in SOURCES:
        if path.suffix == ".py":
            for node in ast.walk(ast.parse((PROJECT / path).read_text())):
                if isinstance(node, ast.Import):
                    names |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    names.add((node.module or "").partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"localaws"}


def test_both_pyprojects_say_the_same() -> None:
    alone, lab = project(PACKAGE), project(PROJECT)
    assert set(alone["dependencies"]) <= set(lab["dependencies"])
    assert alone["requires-python"] == lab["requires-python"]
    assert alone["scripts"]["localaws"] == lab["scripts"]["localaws"]


def test_every_dependency_has_its_reason() -> None:
    lines = [line for line in (PACKAGE / "pyproject.toml").read_text().splitlines() if line.startswith('  "')]
    dependencies = [line for line in lines if not line.startswith('  "localaws')]
    assert len(dependencies) == len(project(PACKAGE)["dependencies"])
    assert [line for line in dependencies if not re.search(r'",\s+# \w', line)] == []


def test_the_dependencies_are_what_is_imported() -> None:
    distributions = packages_distributions()
    needed = {distributions[name][0].lower() for name in imported() - {"py4j", "pytest"}}  # py4j is PyFlink's
    needed = (needed - {"botocore"}) | {"ministack"}  # boto3 brings the one, the adapter loads the other by name
    assert needed == {re.split(r"[=<]", one)[0] for one in project(PACKAGE)["dependencies"]}
    importing_pytest = [path.name for path in SOURCES if "import pytest" in (PROJECT / path).read_text()]
    assert importing_pytest == ["testing.py"]


def test_every_folder_is_one_of_its_packages() -> None:
    settings = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {".".join(path.parent.parts) for path in SOURCES if path.suffix == ".py"}
    assert set(settings["packages"]) == folders


def test_its_home_is_the_users_where_no_project_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCALAWS_HOME", raising=False)
    assert account_folder.default_home() == PROJECT / ".localaws"
    monkeypatch.setattr(account_folder, "PACKAGE_FOLDER", tmp_path / "site-packages")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert account_folder.default_home() == tmp_path / ".localaws"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that `uv build localaws` makes."""
    out = tmp_path_factory.mktemp("dist")
    uv("build", "--out-dir", out, PACKAGE)
    (wheel,) = out.glob("localaws-*.whl")
    return wheel


@pytest.mark.slow  # about 6 s; needs the network where uv's cache is empty
def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as members:
        names = [name for name in members.namelist() if ".dist-info/" not in name]
    assert sorted(names) == sorted(map(str, SOURCES))


@pytest.mark.slow  # about 40 s; minutes, and the network, where uv's cache is empty
def test_the_readmes_lines_bring_a_job_to_running_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    environment, folder, home = tmp_path / "environment", tmp_path / "empty", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    python, localaws = environment / "bin" / "python", environment / "bin" / "localaws"
    uv("venv", "--python", sys.executable, environment)
    uv("pip install", "--python", python, "--constraint", PROJECT / "requirements.txt", wheel)

    port = str(free_port())
    (variables,) = [block for block in blocks("bash") if "AWS_ENDPOINT_URL" in block]
    aws = dict(re.findall(r"(AWS_\w+)=(\S+)", variables.replace("4566", port)))
    mine = {"PATH": os.environ["PATH"], "HOME": str(home), "LOCALAWS_PORT": port, **aws}

    def run(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=folder, env=mine, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    main, calls = blocks("python")[:2]
    (folder / "app").mkdir()
    (folder / "app" / "main.py").write_text(main)
    assert run(python, "-c", "import localaws; print(localaws.__file__)").startswith(str(environment))
    try:
        assert f"is up at http://127.0.0.1:{port}" in run(localaws, "up")
        assert run(python, "-c", calls) == "RUNNING\n", run(localaws, "logs", "demo")
        while not any("+I[" in out.read_text() for out in home.glob(".localaws/clusters/*/log/taskmanager.out")):
            time.sleep(0.2)
    finally:
        assert run(localaws, "down") == "The embedded account is down.\n"
    assert run(localaws, "down") == "The embedded account was not running.\n"
    assert {path.name for path in folder.iterdir()} == {"app", "app.zip"}
