"""Compute what the lab costs on AWS, in USD before taxes and free tiers: arithmetic alone.

Nothing is read or called but lab/account/prices.json.

Sources of the rules: Managed Service for Apache Flink developer guide (one more KPU an application for orchestration,
50 GB of running storage for each of the others); Kinesis Data Streams pricing (a stream on demand is paid by the hour,
a provisioned one by shard and hour, whether or not anything flows).
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lab.core.errors import BadParameter
from lab.core.names import EXERCISE_STREAM, GROUP_STREAM, INPUT_STREAM, OUTPUT_STREAM

PRICES = Path(__file__).with_name("prices.json")
PAID_WHILE = {"STARTING", "RUNNING", "UPDATING", "AUTOSCALING", "ROLLING_BACK", "STOPPING", "FORCE_STOPPING"}
FUNCTION_GB = 0.5
STORAGE_GB_A_KPU = 50


@dataclass(frozen=True)
class Charge:
    """Describe one line of a bill: ``amount`` units of the price ``unit`` are paid an hour.

    ``hours`` have passed so far, and ``running`` says whether more will.
    """

    what: str
    unit: str
    amount: float
    hours: float = 0.0
    running: bool = True

    def hourly(self, prices: Mapping[str, Any]) -> float:
        """Return USD an hour."""
        return self.amount * prices[self.unit]["price"]

    def so_far(self, prices: Mapping[str, Any]) -> float:
        """Return USD since it began."""
        return self.hourly(prices) * self.hours


def prices_of(region: str) -> dict[str, dict[str, Any]]:
    """Read the prices of a region by unit, each with ``price``, ``source``, ``seen`` and the ``region`` it is of.

    A unit that has no price of this region has the price of us-east-1; ``borrowed`` says so in words.
    """
    known = json.loads(PRICES.read_text())
    return {
        unit: {**price, "region": place}
        for place in (known["instead"], region)
        for unit, price in known["regions"].get(place, {}).items()
    }


def borrowed(region: str, charges: Iterable[Charge], prices: Mapping[str, Any]) -> str:
    """Say in a sentence, with a space before it, which charges have the price of us-east-1; "" where none has.

    ``prices`` are those of ``prices_of(region)``.
    """
    all_of = list(charges)
    foreign = [one for one in all_of if prices[one.unit]["region"] != region]
    if not foreign:
        return ""
    some = f"the prices of some ({'; '.join(one.what for one in foreign)})"
    which, instead = "these prices" if len(foreign) == len(all_of) else some, prices[foreign[0].unit]["region"]
    return (
        f" lab/account/prices.json does not have {which} for {region}: they are those of {instead}, and {region} may "
        "cost more or less, so look at the price pages of AWS."
    )


def hours_a_month() -> int:
    """Return the hours by which prices a month become prices an hour."""
    return json.loads(PRICES.read_text())["hours_a_month"]


def stream_charge(name: str, shards: int, hours: float = 0.0) -> Charge:
    """Charge a stream with so many provisioned shards; 0 is on-demand."""
    if shards:
        return Charge(f"stream {name}, {shards} {'shard' if shards == 1 else 'shards'}", "shard_hour", shards, hours)
    return Charge(f"stream {name}, on-demand", "on_demand_stream_hour", 1, hours)


def application_charges(kpus: int, hours: float = 0.0, running: bool = True) -> list[Charge]:
    """Charge an application of so many KPUs while it runs."""
    storage = kpus * STORAGE_GB_A_KPU / hours_a_month()
    said = f"application, {kpus} KPU and 1 for orchestration"
    return [
        Charge(said, "kpu_hour", kpus + 1, hours, running),
        Charge(f"application, {kpus * STORAGE_GB_A_KPU} GB of storage", "running_storage_gb_month", storage, hours,
               running),
    ]  # fmt: skip


def planned(shards: int) -> list[Charge]:
    """Charge what the whole series makes: two streams of ``shards`` (0: on-demand), the exercises', one KPU.

    Raises BadParameter for a number of shards that no stream can have.
    """
    if shards < 0:
        raise BadParameter("shards", shards, "it is 0 for on-demand, or how many shards each stream has, such as 4")
    streams = [stream_charge(name, shards) for name in (INPUT_STREAM, OUTPUT_STREAM)]
    exercises = [stream_charge(EXERCISE_STREAM, 4), stream_charge(GROUP_STREAM, 1)]
    return [*streams, *exercises, *application_charges(1)]


def total_hourly(charges: Iterable[Charge], prices: Mapping[str, Any]) -> float:
    """Sum USD an hour of what runs."""
    return math.fsum(charge.hourly(prices) for charge in charges if charge.running)


def total_so_far(charges: Iterable[Charge], prices: Mapping[str, Any]) -> float:
    """Sum USD up to now."""
    return math.fsum(charge.so_far(prices) for charge in charges)


def kpus_of(configuration: Mapping[str, Any]) -> int:
    """Count an application's KPUs without the one for orchestration: parallelism over parallelism per KPU, rounded up.

    ``configuration`` is an ApplicationConfigurationDescription.
    """
    flink = configuration.get("FlinkApplicationConfigurationDescription", {})
    parallelism = flink.get("ParallelismConfigurationDescription", {})
    subtasks = parallelism.get("CurrentParallelism") or parallelism.get("Parallelism", 1)
    return math.ceil(subtasks / parallelism.get("ParallelismPerKPU", 1))


def hours_running(operations: Sequence[Mapping[str, Any]], status: str, now: datetime) -> float:
    """Count the hours an application was paid for, from the ApplicationOperationInfoList in any order.

    From each start that did not fail to the stop after it; to ``now`` where none came and ``status`` says it runs. A
    run that ended by itself counts up to the last operation there is.
    """
    total, began, last = timedelta(), None, None
    for operation in sorted(operations, key=lambda one: one["StartTime"]):
        last = operation.get("EndTime") or operation["StartTime"]
        if operation.get("OperationStatus") in ("FAILED", "CANCELLED"):
            continue
        if operation["Operation"] == "StartApplication" and began is None:
            began = operation["StartTime"]
        elif operation["Operation"] == "StopApplication" and began is not None:
            total += (operation.get("EndTime") or now) - began
            began = None
    if began is not None:
        total += (now if status in PAID_WHILE or last is None else last) - began
    return total.total_seconds() / 3600


def money(value: float, digits: int = 2, hours: float = 1.0) -> str:
    """Write USD as text; of a value by the hour, what so many hours cost."""
    return f"{value * hours:,.{digits}f}"
