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
    locked = set(re.findall(r"^([\w.-]+)==", (PROJECT / "requirements.txt").read_text(), re.M))
    for line in (PROJECT / "requirements.in").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, reason = line.partition("#")
            assert reason.strip(), f"{name} has no reason"
            assert re.split(r"[=<>\[]", name.strip())[0].lower() in locked


def test_the_lock_has_no_addresses() -> None:
    for name in ("requirements.txt", "requirements.in", "environment.yml", "flink_app/connector.lock"):
        assert "://" not in (PROJECT / name).read_text()


def test_packages_keep_to_their_side() -> None:
    """lab never imports localaws; flink_app and producer import nothing of ours."""
    forbidden = {
        "lab": r"localaws\b",
        "flink_app": r"(lab|localaws)\b",
        "producer": r"(lab|localaws)\b",
        "localaws": r"lab\b",
    }
    for package, names in forbidden.items():
        for path in (PROJECT / package).rglob("*.py"):
            found = re.search(rf"^\s*(?:from|import) {names}", path.read_text(), re.M)
            assert not found, f"{path.relative_to(PROJECT)}: {found and found[0]}"


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
