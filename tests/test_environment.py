"""The ways in agree with each other."""

import json
import os
import re

import yaml

from lab.runner import jupyterlab
from tests.support.account import PROJECT


def test_environment_yml_is_requirements_txt_on_python_3_11() -> None:
    dependencies = yaml.safe_load((PROJECT / "environment.yml").read_text())["dependencies"]
    assert "python=3.11" in dependencies
    (pip,) = [entry["pip"] for entry in dependencies if isinstance(entry, dict)]
    assert pip == ["-r requirements.txt", "-e ."]


def test_every_direct_dependency_has_its_reason_and_is_locked() -> None:
    for part, lock in (
        ("dependencies", "requirements.txt"),
        ("dev", "requirements-dev.txt"),
        ("bench", "requirements-bench.txt"),
    ):
        locked = set(re.findall(r"^([\w.-]+)==", (PROJECT / lock).read_text(), re.M))
        text = (PROJECT / "pyproject.toml").read_text()
        listed = re.search(rf"^{part} = \[\n(.*?)^\]", text, re.M | re.S)
        assert listed
        lines = [line.strip() for line in listed[1].splitlines() if line.strip().startswith('"')]
        assert lines
        for line in lines:
            name, _, reason = line.partition("#")
            assert reason.strip(), f"{name} has no reason"
            assert re.split(r"[=<>\[\"]", name.strip(' ",'))[0].lower().replace("_", "-") in locked


def test_the_lab_needs_no_test_tool() -> None:
    locked = set(re.findall(r"^([\w.-]+)==", (PROJECT / "requirements.txt").read_text(), re.M))
    assert not locked & {"playwright", "moto", "hypothesis", "parliament", "pytest-xdist", "mypy", "ruff"}


def test_the_lock_has_no_addresses() -> None:
    for name in (
        "requirements.txt",
        "requirements-dev.txt",
        "requirements-bench.txt",
        "environment.yml",
        "flink_app/connector.lock",
    ):
        assert "://" not in (PROJECT / name).read_text()


def test_the_devcontainer_sets_up_and_forwards_jupyterlab_alone() -> None:
    container = json.loads((PROJECT / ".devcontainer" / "devcontainer.json").read_text())
    targets = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.M)
    for name in ("postCreateCommand", "postAttachCommand"):
        make, target = container[name].split()
        assert make == "make" and target in targets
    assert container["forwardPorts"] == [jupyterlab.PORT]
    assert container["otherPortsAttributes"] == {"onAutoForward": "ignore"}
    assert (PROJECT / container["customizations"]["codespaces"]["openFiles"][0]).is_file()


def test_binder_makes_the_connector_when_it_builds_the_image() -> None:
    script = PROJECT / "postBuild"
    assert os.access(script, os.X_OK)
    assert "python -m lab.deploy.connector" in script.read_text()
    # a folder of either name would hide environment.yml and postBuild from Binder
    assert not (PROJECT / "binder").exists() and not (PROJECT / ".binder").exists()
