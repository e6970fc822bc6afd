from lab.runner.jupyterlab import arguments


def test_root_may_start_it_and_others_need_no_leave() -> None:
    assert "--allow-root" in arguments({}, [], is_root=True)
    assert "--allow-root" not in arguments({}, [], is_root=False)
    assert arguments({}, ["--port=1"], is_root=True)[-1] == "--port=1"
