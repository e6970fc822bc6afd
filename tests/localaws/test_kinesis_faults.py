import asyncio
import base64
import json
from typing import Any

import orjson
import pytest

from localaws.kinesis.faults import FaultInjector, FaultsNotUnderstood, read_plan
from localaws.kinesis.service import KinesisService
from tests.localaws.kinesis_backend import FakeBackend, entry, shard


class Nobody:
    def listed(self, caller: str, stream: str) -> None: ...

    def read(self, caller: str, stream: str, shard: str) -> None: ...


async def _nothing(*request: Any) -> Any:
    raise AssertionError("not one of the emulator's operations")


class Faulty:
    def __init__(self, spec: str, seed: int = 1) -> None:
        self.backend = FakeBackend()
        self.injector = FaultInjector(read_plan(spec, seed))
        self.service = KinesisService(self.backend, _nothing, Nobody(), lambda agent: None, faults=self.injector)

    def call(self, operation: str, **data: Any) -> tuple[int, dict[str, Any]]:
        headers = {"x-amz-target": f"Kinesis_20131202.{operation}", "content-type": "application/x-amz-json-1.1"}
        body = orjson.dumps({"StreamName": "s", **data}, default=lambda data: base64.b64encode(data).decode())
        status, _, answer = asyncio.run(self.service.handle_request("POST", "/", headers, body, {}))
        return status, json.loads(answer)

    def put(self, count: int) -> list[str | None]:
        _, answer = self.call("PutRecords", Records=[entry()] * count)
        return [one.get("ErrorCode") for one in answer["Records"]]

    @property
    def stored(self) -> int:
        return len(self.backend.s["shards"][shard(0)]["records"])


def test_a_plan_is_read() -> None:
    plan = read_plan("throttle=0.3, internal=0.05,slow=0.02,delay=2,on=PutRecords+GetRecords", 7)
    assert (plan.rates["throttle"], plan.rates["internal"], plan.rates["drop"]) == (0.3, 0.05, 0.0)
    assert (plan.delay, plan.seed) == (2.0, 7)
    assert plan.operations == {"PutRecords", "GetRecords"}


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("throttle", "'throttle' is not name=number"),
        ("throttle=2", "'throttle=2' is out of range"),
        ("throttel=0.1", "'throttel' is none of"),
        ("throttle=0", "no fault has a rate above 0"),
        ("drop=0.1,on=ListStreams", "'ListStreams' is none of"),
        ("drop=0.1,delay=-1", "'delay=-1' is out of range"),
    ],
)
def test_a_plan_that_is_not_understood(spec: str, reason: str) -> None:
    with pytest.raises(FaultsNotUnderstood, match=reason):
        read_plan(spec, 0)


def test_records_fail_one_by_one_at_the_rates_asked_for() -> None:
    faulty = Faulty("throttle=0.3,failure=0.1")
    failures = [code for _ in range(20) for code in faulty.put(500)]
    throttled = failures.count("ProvisionedThroughputExceededException")
    internal = failures.count("InternalFailure")
    assert 2_850 <= throttled <= 3_150
    assert 900 <= internal <= 1_100
    assert faulty.stored == 10_000 - throttled - internal
    assert faulty.injector.status()["injected"] == {"throttle (record)": throttled, "failure (record)": internal}


def test_the_same_seed_gives_the_same_faults_whatever_is_called_between() -> None:
    first, second = Faulty("throttle=0.5", seed=3), Faulty("throttle=0.5", seed=3)
    expected = [first.put(50) for _ in range(3)]
    found = []
    for _ in range(3):
        second.call("GetShardIterator", ShardId=shard(0), ShardIteratorType="LATEST")
        found.append(second.put(50))
    assert found == expected
    assert [Faulty("throttle=0.5", seed=4).put(50)] != expected[:1]


def test_whole_calls_are_throttled_or_fail_half_of_them_after_their_effect() -> None:
    faulty = Faulty("throttle=0.2,internal=0.2")
    answers = [faulty.call("PutRecord", **entry()) for _ in range(1000)]
    codes = [answer.get("__type") for _, answer in answers]
    assert 110 <= codes.count("ProvisionedThroughputExceededException") <= 210
    failed = codes.count("InternalFailure")
    assert 150 <= failed <= 250
    assert {status for status, answer in answers if answer.get("__type") == "InternalFailure"} == {500}
    effective = faulty.stored - codes.count(None)
    assert 0.35 * failed <= effective <= 0.65 * failed


def test_only_the_operations_asked_for() -> None:
    faulty = Faulty("internal=1,on=GetRecords")
    assert faulty.call("PutRecord", **entry())[0] == 200
    assert faulty.call("DescribeStreamSummary")[0] == 200
    assert faulty.call("GetRecords", ShardIterator="x")[0] != 200
    assert faulty.injector.status()["injected"] == {"internal": 1}
