"""What the lab costs on AWS, in USD before taxes and free tiers: arithmetic alone, nothing is read or called but
lab/account/prices.json.

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

from lab.core.names import EXERCISE_STREAM, GROUP_STREAM, INPUT_STREAM, OUTPUT_STREAM

PRICES = Path(__file__).with_name("prices.json")
_PAID_WHILE = {"STARTING", "RUNNING", "UPDATING", "AUTOSCALING", "ROLLING_BACK", "STOPPING", "FORCE_STOPPING"}
FUNCTION_GB = 0.5
STORAGE_GB_A_KPU = 50
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Charge:
    """One line of a bill: ``amount`` units of the price ``unit`` are paid an hour; ``hours`` have passed so far, and
    ``running`` says whether more will."""

    what: str
    unit: str
    amount: float
    hours: float = 0.0
    running: bool = True

    def hourly(self, prices: Mapping[str, Any]) -> float | None:
        """USD an hour, None where the price is not known."""
        return self.amount * prices[self.unit]["price"] if self.unit in prices else None

    def so_far(self, prices: Mapping[str, Any]) -> float | None:
        """USD since it began."""
        hourly = self.hourly(prices)
        return None if hourly is None else hourly * self.hours


def prices_of(region: str) -> Mapping[str, Any]:
    """Read the prices of a region by unit, each with ``price``, ``source`` and ``seen``; empty where none are known."""
    return json.loads(PRICES.read_text()).get(region, {})


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


def planned(shards: int, kpus: int = 1) -> list[Charge]:
    """What the whole series makes: two streams of ``shards`` (0: on-demand), those of the exercises, the
    application."""
    streams = [stream_charge(name, shards) for name in (INPUT_STREAM, OUTPUT_STREAM)]
    exercises = [stream_charge(EXERCISE_STREAM, 4), stream_charge(GROUP_STREAM, 1)]
    return [*streams, *exercises, *application_charges(kpus)]


def total_hourly(charges: Iterable[Charge], prices: Mapping[str, Any]) -> float | None:
    """Sum USD an hour of what runs; None where one of its prices is not known."""
    return _sum(charge.hourly(prices) for charge in charges if charge.running)


def total_so_far(charges: Iterable[Charge], prices: Mapping[str, Any]) -> float | None:
    """Sum USD up to now; None where a price is not known."""
    return _sum(charge.so_far(prices) for charge in charges)


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
        total += (now if status in _PAID_WHILE or last is None else last) - began
    return total.total_seconds() / 3600


def is_paid(status: str) -> bool:
    """Say whether an application of this status costs money."""
    return status in _PAID_WHILE


def money(value: float | None, digits: int = 2, hours: float = 1.0) -> str:
    """Write USD as text; of a value by the hour, what so many hours cost."""
    return UNKNOWN if value is None else f"{value * hours:,.{digits}f}"


def _sum(parts: Iterable[float | None]) -> float | None:
    found = list(parts)
    return None if None in found else math.fsum(part for part in found if part is not None)
