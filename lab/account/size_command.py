"""`python -m lab size`: how many shards and KPUs a rate of reviews needs, and what they cost."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from lab.account.sizing import PER_CORE, UNKNOWN, Size, size

PRICES = Path(__file__).with_name("prices.json")
LABELS = {
    "shard_hour": "Kinesis, reviews: shard hours",
    "put_payload_unit_million": "Kinesis, reviews: PUT payload units",
    "kpu_hour": "Managed Flink: KPUs and one for orchestration",
    "running_storage_gb_month": "Managed Flink: running storage",
}


def add_parser(commands: Any) -> None:
    """Add `size` to the subcommands."""
    parser = commands.add_parser(
        "size",
        help="how large the pipeline must be for a rate of reviews, and what it costs",
        description="Shards, KPUs, parallelism, state and cost for a steady rate of reviews; calls nobody. "
        "docs/scale.md says where the figures come from.",
    )
    parser.set_defaults(command=size_command)
    parser.add_argument("--reviews-per-second", metavar="N", type=float, required=True)
    parser.add_argument("--average-bytes", metavar="B", type=int, default=1300, help="of one record (default 1300)")
    parser.add_argument("--region", metavar="R", default="us-east-1", help="whose prices (default us-east-1)")


def size_command(arguments: argparse.Namespace) -> int:
    """Print the size; exit code 0."""
    known = json.loads(PRICES.read_text())
    prices = known.get(arguments.region, {})
    found = size(arguments.reviews_per_second, arguments.average_bytes, prices, hours_a_month=known["hours_a_month"])
    sys.stdout.write("\n".join([*lines(found, prices, arguments.region), ""]))
    return 0


def lines(found: Size, prices: dict[str, Any], region: str) -> list[str]:
    """The answer as text."""
    text = [
        f"shards        {found.shards:,} ({found.binding} binds)",
        f"parallelism   {found.parallelism:,} (one task a shard), {found.parallelism_per_kpu} a KPU",
        f"KPUs          {found.kpus:,} (planned with {PER_CORE:,} reviews a second each) and 1 for orchestration",
        f"state         {found.state_bytes / 1e9:,.3f} GB at most",
        f"cost          {_money(found.total_hourly)} USD an hour, "
        f"{_money(_times(found.total_hourly, found.hours_a_month))} USD in {found.hours_a_month // 24} days, {region}",
    ]
    for name, hourly in found.hourly.items():
        source = f"{prices[name]['source']} (seen {prices[name]['seen']})" if name in prices else "no source"
        text.append(f"  {_money(hourly):>10} an hour  {LABELS[name]}: {source}")
    text.append("Not in it: the stream suspicious_activity, Lambda, S3, logs, transfer between regions.")
    return text


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _money(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.2f}"
