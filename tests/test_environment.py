"""The ways in agree with each other."""

import json
import os
import re
import subprocess
import sys
from typing import Any

import jsonschema
import pytest
import yaml

from lab.runner import jupyterlab
from tests.support.account import PROJECT

TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
# What conda's `env create` reads, which is what Binder gives it; a key of another name it would pass over in silence.
ENVIRONMENT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "channels", "dependencies"],
    "properties": {
        "name": {"type": "string", "pattern": "^[^/ :#]+$"},
        "channels": {"type": "array", "minItems": 1, "items": TEXT},
        "dependencies": {
            "type": "array",
            "items": {
                "oneOf": [
                    {"type": "string", "pattern": "^[a-z0-9_.-]+(=[0-9.*]+){0,2}$"},
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["pip"],
                        "properties": {"pip": {"type": "array", "items": TEXT}},
                    },
                ]
            },
        },
    },
}
_PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
_PORT_ATTRIBUTES = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "label": TEXT,
        "protocol": {"enum": ["http", "https"]},
        "onAutoForward": {
            "enum": ["notify", "openBrowser", "openBrowserOnce", "openPreview", "silent", "ignore"],
        },
    },
}
# Of the specification of development containers what a container made of an image may have, as far as it is used here.
DEVCONTAINER = {
    "type": "object",
    "additionalProperties": False,
    "required": ["image"],
    "properties": {
        "name": TEXT,
        "image": {"type": "string", "pattern": r"^[a-z0-9./-]+:[\w.-]+$"},
        "hostRequirements": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "cpus": {"type": "integer", "minimum": 1},
                "memory": {"type": "string", "pattern": r"^\d+([tgmk]b)?$"},
                "storage": {"type": "string", "pattern": r"^\d+([tgmk]b)?$"},
            },
        },
        "postCreateCommand": TEXT,
        "postAttachCommand": TEXT,
        "forwardPorts": {"type": "array", "items": _PORT},
        "portsAttributes": {"type": "object", "patternProperties": {r"^\d+(-\d+)?$": _PORT_ATTRIBUTES},
                            "additionalProperties": False},
        "otherPortsAttributes": _PORT_ATTRIBUTES,
        "customizations": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "codespaces": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"openFiles": {"type": "array", "items": TEXT}},
                },
                "vscode": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "extensions": {"type": "array", "items": {"type": "string", "pattern": r"^[\w-]+\.[\w-]+$"}},
                        "settings": {"type": "object"},
                    },
                },
            },
        },
    },
}  # fmt: skip


def test_environment_yml_is_what_conda_reads() -> None:
    environment = yaml.safe_load((PROJECT / "environment.yml").read_text())
    jsonschema.validate(environment, ENVIRONMENT)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**environment, "dependancies": []}, ENVIRONMENT)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**environment, "dependencies": ["python==3.11.*,<4 x"]}, ENVIRONMENT)


def test_devcontainer_json_is_what_codespaces_reads() -> None:
    container = json.loads((PROJECT / ".devcontainer" / "devcontainer.json").read_text())
    jsonschema.validate(container, DEVCONTAINER)
    for wrong in ({"forwardPorts": ["8888"]}, {"postCreateComand": "make setup"}, {"hostRequirements": {"cpus": "2"}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**container, **wrong}, DEVCONTAINER)


def test_the_workflows_are_what_github_reads() -> None:
    workflows = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
    assert workflows
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_binder_takes_environment_yml_and_nothing_before_it() -> None:
    """repo2docker takes a Dockerfile in place of everything, and Julia's or R's files in place of conda's."""
    for name in ("Dockerfile", "Project.toml", "install.R", "DESCRIPTION", "default.nix", "runtime.txt", "apt.txt"):
        assert not (PROJECT / name).exists()
    assert (PROJECT / "postBuild").read_text().startswith("#!/bin/bash\n")


def test_environment_yml_is_requirements_txt_on_python_3_11() -> None:
    dependencies = yaml.safe_load((PROJECT / "environment.yml").read_text())["dependencies"]
    assert "python=3.11" in dependencies
    (pip,) = [entry["pip"] for entry in dependencies if isinstance(entry, dict)]
    assert pip == ["-r requirements.txt", "-e ."]


def test_every_direct_dependency_has_its_reason_and_is_locked() -> None:
    for part, lock in (
        ("dependencies", "requirements.txt"),
        ("dev", "requirements-dev.txt"),
        ("book", "requirements-book.txt"),
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
        "requirements-book.txt",
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
