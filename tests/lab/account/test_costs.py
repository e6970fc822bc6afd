"""The arithmetic of the bill, with prices of the test's own, so that every figure can be followed by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from lab.account import costs
from lab.core.errors import BadParameter
from lab.core.session import Session

PRICES = {
    name: {"price": price}
    for name, price in {
        "kpu_hour": 0.11,
        "running_storage_gb_month": 0.1,
        "shard_hour": 0.015,
        "on_demand_stream_hour": 0.04,
    }.items()
}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def hour(number: float) -> datetime:
    return NOON + timedelta(hours=number)


def operation(name: str, start: float, end: float | None, status: str = "SUCCESSFUL") -> dict[str, Any]:
    ended = {} if end is None else {"EndTime": hour(end)}
    return {"Operation": name, "StartTime": hour(start), "OperationStatus": status, **ended}


def test_an_hour_of_everything() -> None:
    # 2 x 0.04 + 4 x 0.015 + 1 x 0.015 + 2 KPUs x 0.11 + 50 GB x 0.1 / 720 hours
    assert costs.total_hourly(costs.planned(0), PRICES) == pytest.approx(
        0.08 + 0.06 + 0.015 + 0.22 + 5 / 720, abs=1e-12
    )
    # two provisioned streams of 3 shards in place of the two on demand
    assert costs.total_hourly(costs.planned(3), PRICES) == pytest.approx(0.09 + 0.075 + 0.22 + 5 / 720, abs=1e-12)


def test_a_forgotten_application_of_one_kpu_is_over_five_dollars_a_day() -> None:
    a_day = 24 * costs.total_hourly(costs.application_charges(1), PRICES)
    assert a_day == pytest.approx(24 * 0.22 + 24 * 5 / 720, abs=1e-12)
    assert round(a_day, 2) == 5.45


def test_what_is_stopped_has_cost_and_costs_no_more() -> None:
    charges = [costs.stream_charge("reviews", 2, hours=3), *costs.application_charges(1, 0.5, running=False)]
    assert costs.total_so_far(charges, PRICES) == pytest.approx(3 * 0.03 + 0.5 * (0.22 + 5 / 720), abs=1e-12)
    assert costs.total_hourly(charges, PRICES) == pytest.approx(0.03, abs=1e-12)


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-south-1", "eu-north-1"])
def test_every_region_has_every_price_with_its_region_source_and_date(region: str) -> None:
    prices, home = costs.prices_of(region), costs.prices_of("us-east-1")
    assert prices.keys() == home.keys() >= {charge.unit for charge in (*costs.planned(0), *costs.planned(2))}
    for unit, price in prices.items():
        assert price["price"] > 0 and price["source"] and date.fromisoformat(price["seen"][:10]) <= date.today()
        assert price["region"] == region or price == home[unit]
    own = [price for price in prices.values() if price["region"] == region]
    assert bool(own) == (region != "eu-north-1")


def test_frankfurt_has_its_own_shards_and_the_application_of_us_east_1() -> None:
    prices, charges = costs.prices_of("eu-central-1"), costs.planned(1)
    # 1 + 1 shards, 4 + 1 of the exercises, at Frankfurt's price; 2 KPUs and 50 GB at us-east-1's
    assert costs.total_hourly(charges, prices) == pytest.approx(7 * 0.018 + 0.22 + 5 / 720, abs=1e-12)
    said = costs.borrowed("eu-central-1", charges, prices)
    assert "prices of some (application, 1 KPU and 1 for orchestration; application, 50 GB of storage)" in said
    assert "those of us-east-1, and eu-central-1 may cost more or less" in said
    assert costs.borrowed("eu-central-1", charges[:4], prices) == ""
    assert costs.borrowed("us-east-1", charges, costs.prices_of("us-east-1")) == ""


@pytest.mark.parametrize(
    ("operations", "status", "hours"),
    [
        ([], "READY", 0),
        ([operation("StartApplication", 0, 0.1)], "RUNNING", 4),
        ([operation("StartApplication", 0, 0.1), operation("StopApplication", 2, 2.25)], "READY", 2.25),
        ([operation("StartApplication", 0, 0.1), operation("StopApplication", 2, 2.25),
          operation("StartApplication", 3, 3.1)], "RUNNING", 3.25),
        ([operation("StartApplication", 3, None, "IN_PROGRESS")], "STARTING", 1),
        ([operation("StartApplication", 1, 2, "FAILED")], "READY", 0),
        ([operation("StartApplication", 0, 0.1), operation("UpdateApplication", 1, 1.5)], "RUNNING", 4),
        ([operation("StartApplication", 0, 0.1), operation("UpdateApplication", 1, 1.5)], "READY", 1.5),
        ([operation("StartApplication", 0, 0.1), operation("StopApplication", 3, None, "IN_PROGRESS")], "STOPPING", 4),
    ],
)  # fmt: skip
def test_the_hours_of_an_application_are_those_between_start_and_stop(
    operations: list[dict[str, Any]], status: str, hours: float
) -> None:
    for order in (operations, operations[::-1]):
        assert costs.hours_running(order, status, hour(4)) == pytest.approx(hours)


@pytest.mark.parametrize(
    ("parallelism", "kpus"),
    [
        ({}, 1),
        ({"Parallelism": 4, "ParallelismPerKPU": 4}, 1),
        ({"Parallelism": 4, "ParallelismPerKPU": 1}, 4),
        ({"Parallelism": 9, "ParallelismPerKPU": 8}, 2),
        ({"Parallelism": 1, "CurrentParallelism": 6, "ParallelismPerKPU": 2}, 3),
    ],
)
def test_kpus_are_parallelism_over_parallelism_per_kpu(parallelism: dict[str, int], kpus: int) -> None:
    described = {"FlinkApplicationConfigurationDescription": {"ParallelismConfigurationDescription": parallelism}}
    assert costs.kpus_of(described) == kpus


def test_the_bill_says_the_day_of_a_forgotten_application_and_where_prices_are_from() -> None:
    from lab.account.cost_meter import cost_an_hour

    bill = cost_an_hour(Session("aws", "us-east-1", "1", None))
    assert "0.38 USD an hour in us-east-1" in bill.sentence and "5.45 USD" in bill.sentence
    assert any("Prices as of 2026-11-24" in note for note in bill.notes)
    assert not any("embedded" in note for note in bill.notes)
    with pytest.raises(BadParameter, match="shards = -1 cannot work: it is 0 for on-demand, or how many shards"):
        cost_an_hour(Session("aws", "us-east-1", "1", None), -1)
    local = cost_an_hour(Session("local", "us-east-1", "1", "http://127.0.0.1:1"))
    assert any("The embedded account costs nothing" in note for note in local.notes)
    elsewhere = cost_an_hour(Session("aws", "us-west-2", "1", None))
    assert "0.38 USD an hour in us-west-2" in elsewhere.sentence
    assert elsewhere.sentence.count("those of us-east-1, and us-west-2 may cost more or less") == 1
    assert "unknown" not in elsewhere.sentence and "us-west-2" not in bill.sentence
