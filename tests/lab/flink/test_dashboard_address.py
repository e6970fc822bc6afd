import json
import os
from pathlib import Path

import pytest

from lab.flink import dashboard_address
from lab.flink.dashboard_address import in_browser
from lab.runner.jupyterlab import arguments

URL = "http://127.0.0.1:35809"
CODESPACE = {"CODESPACE_NAME": "fluffy-guide", "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN": "app.github.dev"}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    """An embedded account with two applications, one of which says it is elsewhere."""
    status = {"dashboards": {"student": URL, "odd": "http://example.org:80"}}
    monkeypatch.setattr(dashboard_address, "local_status", lambda: status)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """The environment of a kernel whose Jupyter server, this process, is behind a hub."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    server = {"pid": os.getpid(), "base_url": "/user/ada/"}
    (tmp_path / f"jpserver-{os.getpid()}.json").write_text(json.dumps(server))
    return {"JPY_PARENT_PID": str(os.getpid())}


def test_behind_jupyterlab(kernel: dict[str, str]) -> None:
    assert in_browser(URL, kernel) == "/user/ada/flink-dashboard/student/"
    assert in_browser(URL, {**kernel, **CODESPACE}) == "/user/ada/flink-dashboard/student/"
    assert in_browser("http://127.0.0.1:1", kernel) == "/user/ada/flink-dashboard/"


def test_no_jupyter_server_started_the_kernel(kernel: dict[str, str]) -> None:
    assert in_browser(URL, {}) == URL
    assert in_browser(URL, {"JPY_PARENT_PID": str(os.getpid() + 1)}) == URL
    assert in_browser(URL, CODESPACE) == "https://fluffy-guide-35809.app.github.dev/"


def test_the_address_on_aws_is_left_alone(kernel: dict[str, str]) -> None:
    url = "https://abc.kinesisanalytics.us-east-1.amazonaws.com/flinkdashboard?token=x"
    assert in_browser(url, kernel) == url


def test_only_dashboards_on_this_machine_are_led_to() -> None:
    assert dashboard_address.dashboards() == {"student": "127.0.0.1:35809"}


def test_in_codespaces_its_own_address_is_no_other_site() -> None:
    given = arguments(CODESPACE, [])
    assert "--ServerApp.allow_origin=https://fluffy-guide-8888.app.github.dev" in given
    assert not any("ip=" in one for one in given)
