"""Strict limits and injected faults as a client of a running account meets them; about 10 s in all."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.support.account import EmbeddedAccount, free_port

ENTRY = {"Data": b"x", "PartitionKey": "k"}


def status(account: EmbeddedAccount) -> dict[str, Any]:
    return json.loads(account.command("status", "--json").stdout)


def test_a_strict_account(make_account: Any) -> None:
    account = make_account("home", "--cold", "--strict")
    kinesis = account.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=1)
    answers: list[dict[str, Any]] = []
    began = time.monotonic()
    while len(answers) < 4 or not answers[-1]["FailedRecordCount"]:
        answers.append(kinesis.put_records(StreamName="s", Records=[ENTRY] * 500))
    seconds = time.monotonic() - began
    failed = [one for answer in answers for one in answer["Records"] if "ErrorCode" in one]
    written = sum(len(answer["Records"]) for answer in answers) - len(failed)
    assert written <= 1_000 * (1 + seconds)  # the bucket was full, and filled again all the while
    assert {one["ErrorCode"] for one in failed} == {"ProvisionedThroughputExceededException"}
    assert sum(answer["FailedRecordCount"] for answer in answers) == len(failed)
    asked = {"StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    iterator = kinesis.get_shard_iterator(**asked)["ShardIterator"]
    with pytest.raises(kinesis.exceptions.ProvisionedThroughputExceededException, match="Rate exceeded for shard"):
        for _ in range(20):
            kinesis.get_records(ShardIterator=iterator)
    told = status(account)
    assert told["strict"]["refused"] == {"put": len(failed), "get": 1, "iterator": 0}
    assert told["faults"] is None
    assert "It is strict; calls refused" in account.command("status").stdout


def test_an_account_with_faults(make_account: Any) -> None:
    account = make_account(
        "home", "--cold", "--faults", "drop=0.3,internal=0.2,slow=0.2,delay=0.2", "--fault-seed", "5"
    )
    kinesis = account.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=1)
    outcomes = {"answered": 0, "dropped": 0, "InternalFailure": 0}
    began = time.monotonic()
    for _ in range(60):
        try:
            kinesis.put_record(StreamName="s", **ENTRY)
            outcomes["answered"] += 1
        except ConnectionClosedError:
            outcomes["dropped"] += 1
        except ClientError as error:
            outcomes[error.response["Error"]["Code"]] += 1
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert time.monotonic() - began > 0.5
    told = status(account)["faults"]
    assert (told["spec"], told["seed"]) == ("drop=0.3,internal=0.2,slow=0.2,delay=0.2", 5)
    assert told["injected"] == {
        "drop": outcomes["dropped"],
        "internal": outcomes["InternalFailure"],
        "slow": told["injected"]["slow"],
    }
    assert min(outcomes.values()) > 3
    # some of the calls without an answer took effect all the same
    asked = {"StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    patient = account.client("kinesis", retries=10)
    kept = len(patient.get_records(ShardIterator=patient.get_shard_iterator(**asked)["ShardIterator"])["Records"])
    assert outcomes["answered"] < kept < 60


def test_options_of_an_account_that_is_up_already(make_account: Any) -> None:
    account = make_account("home", "--cold", "--faults", "slow=0.1", "--fault-seed", "2")
    assert account.command("up").returncode == 0
    assert account.command("up", "--faults", "slow=0.1", "--fault-seed", "2").returncode == 0
    refused = account.command("up", "--strict", "--faults", "slow=0.2")
    assert refused.returncode == 1
    assert refused.stderr == (
        "The embedded account is already up without --strict --faults slow=0.2 --fault-seed 0; stop it with "
        "'python -m localaws down' and start it again.\n"
    )


def test_faults_that_are_not_understood(tmp_path: Any) -> None:
    refused = EmbeddedAccount(free_port(), tmp_path / "home").command("up", "--faults", "rain=0.5")
    assert refused.returncode == 1
    assert refused.stderr.startswith("The faults 'rain=0.5' are not understood: 'rain' is none of throttle,")
    assert refused.stderr.count("\n") == 1
