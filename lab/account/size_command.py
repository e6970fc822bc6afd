"""Say how many shards and KPUs a rate of reviews needs, and their cost (`python -m lab size`)."""

import argparse
import sys
from typing import Any

from lab.account.costs import borrowed, hours_a_month, money, prices_of, total_hourly
from lab.account.sizing import PER_CORE, Size, size
from lab.core.names import OUTPUT_STREAM


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
    found = size(arguments.reviews_per_second, arguments.average_bytes)
    sys.stdout.write("\n".join([*lines(found, arguments.region), ""]))
    return 0


def lines(found: Size, region: str) -> list[str]:
    """Write the size as text, with the prices of a region and where each was seen."""
    prices, month = prices_of(region), hours_a_month()
    hourly = total_hourly(found.charges, prices)
    text = [
        f"shards        {found.shards:,} ({found.binding} binds)",
        f"parallelism   {found.parallelism:,} (one task a shard), {found.parallelism_per_kpu} a KPU",
        f"KPUs          {found.kpus:,} (planned with {PER_CORE:,} reviews a second each) and 1 for orchestration",
        f"state         {found.state_bytes / 1e9:,.3f} GB at most",
        f"cost          {money(hourly)} USD an hour, {money(hourly, hours=month)} USD in {month // 24} days, {region}",
    ]
    for charge in found.charges:
        price = prices[charge.unit]
        source = f"{price['region']}, {price['source']} (seen {price['seen']})"
        text.append(f"  {money(charge.hourly(prices)):>10} an hour  {charge.what}: {source}")
    text += filter(None, [borrowed(region, found.charges, prices).strip()])
    text.append(f"Not in it: the stream {OUTPUT_STREAM}, Lambda, S3, logs, transfer between regions.")
    return text
