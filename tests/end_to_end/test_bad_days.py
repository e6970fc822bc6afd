"""The account is as strict as AWS, or refuses, fails, waits and hangs up on purpose: every window is right."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.pipeline import Pipeline

pytestmark = pytest.mark.slow  # about 90 s in all

FAULTS = "throttle=0.1,failure=0.05,internal=0.03,slow=0.03,drop=0.03,delay=0.5"


def status(pipeline: Pipeline) -> dict[str, Any]:
    return json.loads(pipeline.account.command("status", "--json").stdout)


def test_faults_on_both_streams(make_account: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = make_account("home", "--faults", FAULTS, "--fault-seed", "7")
    pipeline = Pipeline(account, tmp_path, monkeypatch, shards=2)
    pipeline.build()
    pipeline.start()
    answer = pipeline.send()
    assert (answer["sent"], answer["rejected"]) == (5000, 0)
    pipeline.every_window_is_right()
    injected = status(pipeline)["faults"]["injected"]
    print(injected)
    assert {"throttle", "throttle (record)", "failure (record)", "internal", "slow", "drop"} <= set(injected)


def test_strict(make_account: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline(make_account("home", "--strict"), tmp_path, monkeypatch, shards=2)
    pipeline.build()
    pipeline.start()
    # a shard at its limit refuses a large record and writes smaller ones after it: requests short in event time
    answer = pipeline.send(strict_order=True)
    assert (answer["sent"], answer["rejected"]) == (5000, 0)
    pipeline.every_window_is_right()
    refused = status(pipeline)["strict"]["refused"]
    print(refused)
    assert refused["put"] + refused["get"] > 0
