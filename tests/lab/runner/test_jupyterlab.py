import json

from lab.runner.jupyterlab import SETTINGS, arguments


def test_nobody_is_asked_about_news() -> None:
    assert f"--LabApp.app_settings_dir={SETTINGS}" in arguments({}, [])
    overrides = json.loads((SETTINGS / "overrides.json").read_text())
    assert overrides["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_root_may_start_it_and_others_need_no_leave() -> None:
    assert "--allow-root" in arguments({}, [], is_root=True)
    assert "--allow-root" not in arguments({}, [], is_root=False)
    assert arguments({}, ["--port=1"], is_root=True)[-1] == "--port=1"


def test_the_printed_address_opens_the_first_notebook() -> None:
    assert "--LabApp.default_url=/lab/tree/notebooks/01_streams.ipynb" in arguments({}, ["--no-browser"])
