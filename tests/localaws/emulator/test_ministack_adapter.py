import importlib

import pytest

from localaws.emulator import ministack_adapter
from localaws.errors import MiniStackChanged
from tests.support.account import EmbeddedAccount


def test_the_installed_ministack_is_the_one_the_adapter_was_made_for() -> None:
    ministack_adapter.check_ministack()


def test_another_version_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ministack_adapter, "MINISTACK", "0.0.1")
    with pytest.raises(
        MiniStackChanged, match=r"MiniStack 1\.5\.33 is installed, but the embedded account was made for 0\.0\.1"
    ):
        ministack_adapter.check_ministack()


def test_a_moved_name_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(importlib.import_module("ministack.services.kinesis"), "_resolve_stream")
    with pytest.raises(MiniStackChanged, match="ministack.services.kinesis has no _resolve_stream any more"):
        ministack_adapter.check_ministack()


def test_a_moved_parameter_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("ministack.services.kinesis"), "_resolve_stream", lambda stream: None)
    with pytest.raises(MiniStackChanged, match=r"_resolve_stream takes \('stream',\), not \('data',\)"):
        ministack_adapter.check_ministack()


def test_on_demand_streams_start_with_four_shards(account: EmbeddedAccount) -> None:
    kinesis = account.client("kinesis", region="eu-west-1")
    kinesis.create_stream(StreamName="on-demand", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    kinesis.create_stream(StreamName="provisioned", ShardCount=2)
    assert len(kinesis.list_shards(StreamName="on-demand")["Shards"]) == 4
    assert len(kinesis.list_shards(StreamName="provisioned")["Shards"]) == 2


def test_a_role_is_created_on_demand_and_then_left_as_it_is(account: EmbeddedAccount) -> None:
    for _ in range(2):
        assert account.command("up", "--role", "Runs").returncode == 0
    role = account.client("iam").get_role(RoleName="Runs")["Role"]
    assert role["Arn"] == "arn:aws:iam::000000000000:role/Runs"
    trusted = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
    assert trusted == ["lambda.amazonaws.com", "kinesisanalytics.amazonaws.com"]
    refused = account.command("up", "--role", "a<b")
    assert refused.returncode == 1 and refused.stderr.startswith("The role 'a<b' could not be created")
