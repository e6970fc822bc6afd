"""A JupyterLab as `make jupyter` starts it, with settings and an embedded account of its own."""

import json
import os
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.support.account import EmbeddedAccount, free_port
from tests.support.processes import server

TOKEN = "only-this-test"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
_FLAGS += ["--disable-component-update", "--disable-sync", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
# Nothing is saved over the notebooks, and nobody outside is asked for news and updates.
_SETTINGS = {
    "docmanager-extension/plugin": {"autosave": False},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """The address of a JupyterLab; its embedded account is the one the first notebook starts. Both end afterwards."""
    for name, values in _SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    account, port = EmbeddedAccount(free_port(), folder / "home"), free_port()
    own = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "RUNTIME", "DATA")}
    own |= {f"JUPYTERLAB_{name}_DIR": str(folder / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
    command = [
        sys.executable,
        "-m",
        "lab.runner.jupyterlab",
        "--no-browser",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        "--expose-app-in-browser",  # as window.jupyterapp, of which tests ask what the page does not show
    ]
    command += [
        f"--IdentityProvider.token={TOKEN}",
        *(["--allow-root"] if os.geteuid() == 0 else []),
    ]
    address = f"http://127.0.0.1:{port}"
    try:
        with server(command, {**account.environment, **own}, folder / "jupyter.log", lambda: _answers(address)):
            yield address
    finally:
        account.command("down")


class _Unfollowed(urllib.request.HTTPRedirectHandler):
    """A redirect, such as the one to the login page, is an answer."""

    def redirect_request(self, *_: object) -> None:
        return None


def ask(address: str, path: str, method: str = "GET", token: str = TOKEN) -> int:
    """The status code of one request below JupyterLab's address."""
    request = urllib.request.Request(address + path, method=method, headers={"Authorization": f"token {token}"})
    try:
        with urllib.request.build_opener(_Unfollowed).open(request, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def _answers(address: str) -> bool:
    try:
        return ask(address, "/api/status") == 200
    except OSError:
        return False


@contextmanager
def browser_page() -> Iterator[Page]:
    """A page of a new Chromium, patient enough for a busy machine."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            page.set_default_timeout(600_000)  # milliseconds
            yield page
        finally:
            browser.close()
