"""Write the bill before the first resource, and the running meter, from what exists in the account.

It can be read at any time and from any notebook.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any

import boto3
import pandas as pd

from lab.account import costs
from lab.account.costs import Charge, money
from lab.account.inventory import Resource, existing
from lab.core.aws_errors import plain_words
from lab.core.session import Session
from lab.core.tables import as_text, table_html

LOCAL = "The embedded account costs nothing; these are the prices of the same on AWS."


@dataclass(frozen=True)
class Bill:
    """Show charges with their prices: ``sentence`` is the sum in words, ``notes`` what is not in it."""

    sentence: str
    table: pd.DataFrame
    notes: tuple[str, ...] = ()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        rest = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        table = table_html(self.table, "", len(self.table))
        return {
            "text/html": f"<p><b>{escape(self.sentence)}</b></p>{table}{rest}",
            "text/plain": "\n".join([self.sentence, as_text(self.table), *self.notes]),
        }


def cost_an_hour(session: Session, shards: int = 0) -> Bill:
    """Compute what the whole series costs an hour on AWS, before anything of it is there."""
    prices, charges = costs.prices_of(session.region), costs.planned(shards)
    table = pd.DataFrame([(one.what, money(one.hourly(prices), 3)) for one in charges], columns=["what", "USD an hour"])
    hourly = costs.total_hourly(charges, prices)
    forgotten = costs.total_hourly(costs.application_charges(1), prices)
    sentence = (
        f"On AWS all of it together costs {money(hourly)} USD an hour in {session.region}; the application alone, "
        f"forgotten for a day, {money(forgotten, hours=24)} USD.{costs.borrowed(session.region, charges, prices)}"
    )
    return Bill(sentence, table, (*_besides(prices, session), *_free(session)))


def cost_so_far(session: Session) -> Bill:
    """Compute what the lab has cost on AWS up to now, from what is there and since when.

    Raises AccountRefused or AccountSilent where the account does not tell.
    """
    with plain_words("reading the meter", session.endpoint):
        charges = charges_of(existing(session), datetime.now(UTC))
    prices = costs.prices_of(session.region)
    table = pd.DataFrame(
        [
            (one.what, one.hours, "runs" if one.running else "stopped", money(one.hourly(prices), 3),
             money(one.so_far(prices), 3))
            for one in charges
        ],
        columns=["what", "hours", "state", "USD an hour", "USD so far"],
    )  # fmt: skip
    if not charges:
        return Bill("Nothing of the lab that costs money by the hour is there.", table, _free(session))
    running, spent = costs.total_hourly(charges, prices), costs.total_so_far(charges, prices)
    sentence = f"{money(spent)} USD so far; what is still running costs {money(running)} USD an hour"
    whole = f"{sentence}, {money(running, hours=24)} a day.{costs.borrowed(session.region, charges, prices)}"
    return Bill(whole, table, _free(session))


def charges_of(resources: Sequence[Resource], now: datetime) -> list[Charge]:
    """List the charges by the hour of what exists."""
    charges: list[Charge] = []
    for resource in resources:
        if resource.kind == "stream" and resource.since is not None:
            mode = resource.detail.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED")
            shards = 0 if mode == "ON_DEMAND" else resource.detail["OpenShardCount"]
            hours = (now - resource.since).total_seconds() / 3600
            charges.append(costs.stream_charge(resource.name, shards, max(hours, 0.0)))
        elif resource.kind == "application":
            hours = costs.hours_running(_operations(resource.name), resource.state, now)
            is_paid = resource.state in costs.PAID_WHILE
            if hours or is_paid:
                kpus = costs.kpus_of(resource.detail["ApplicationConfigurationDescription"])
                charges += costs.application_charges(kpus, hours, is_paid)
    return charges


def _operations(name: str) -> list[dict[str, Any]]:
    pages = boto3.client("kinesisanalyticsv2").get_paginator("list_application_operations")
    return pages.paginate(ApplicationName=name).build_full_result()["ApplicationOperationInfoList"]


def _besides(prices: Any, session: Session) -> tuple[str, ...]:
    minute = costs.FUNCTION_GB * 60 * prices["lambda_gb_second"]["price"]
    each = {name: prices[name]["price"] for name in ("on_demand_gb_in", "on_demand_gb_out", "s3_gb_month")}
    return (
        f"By use, and little here: the function {minute:.4f} USD a minute, on-demand streams "
        f"{each['on_demand_gb_in']:.2f} USD a GB in and {each['on_demand_gb_out']:.2f} out, S3 "
        f"{each['s3_gb_month']:.3f} USD a GB and month; the streams' key is free, its calls cost a few cents a "
        "day at most.",
        f"Prices as of {prices['kpu_hour']['seen'][:10]}; lab/account/prices.json says where each was seen, and for "
        "which region.",
    )


def _free(session: Session) -> tuple[str, ...]:
    return (LOCAL,) if session.target == "local" else ()
