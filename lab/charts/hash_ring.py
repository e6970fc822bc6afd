"""Draw the hash ring of a stream: the hash range of each shard, and where keys fall."""

import hashlib
from collections.abc import Sequence
from typing import Any

import boto3
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lab.charts.style import GROUND, INK, SMALL, WATERMARK, colors
from lab.core.cell_outputs import Moving
from lab.core.errors import LabError
from lab.core.picture import WIDTH, Picture
from lab.streams.shards import Shard, list_shards

WHOLE = 2**128
SHADES = ("#3B82C4", "#C48A00", "#006B4F", "#8E2C86")
HATCHES = ("", "////", "....", "xxxx")


def hash_of(key: str) -> int:
    """Compute the 128-bit number that Kinesis makes of a partition key: the MD5 of its UTF-8."""
    return int.from_bytes(hashlib.md5(key.encode(), usedforsecurity=False).digest(), "big")


def shard_of(key: str, shards: Sequence[Shard]) -> str:
    """Return the id of the shard whose range holds the key's hash. Raises LabError where none does."""
    number = hash_of(key)
    for shard in shards:
        if shard.first_hash <= number <= shard.last_hash:
            return shard.id
    raise LabError(f"No open shard holds the hash of {key!r}: the stream is being split or merged, ask again.")


def hash_ring(stream: str, *keys: str) -> Picture:
    """Draw the open shards of a stream as parts of a ring, and where these keys fall.

    In a browser, type a key.

    Raises StepMissing where the stream does not exist.
    """
    shards = list_shards(boto3.client("kinesis"), stream)
    return ring_picture(stream, [shard for shard in shards if shard.is_open], keys)


def ring_picture(stream: str, shards: Sequence[Shard], keys: Sequence[str]) -> Picture:
    """Return the ring of these shards, with an arrow for each key."""
    figure = Figure(figsize=(WIDTH, 4.0), layout="constrained")
    axes: Any = figure.subplots(subplot_kw={"projection": "polar"})  # PolarAxes, which matplotlib types as Axes
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    axes.set_axis_off()
    axes.set_ylim(0, 1.75)
    for number, shard in enumerate(shards):
        begin = 2 * np.pi * shard.first_hash / WHOLE
        wide = 2 * np.pi * (shard.last_hash - shard.first_hash + 1) / WHOLE
        axes.bar(begin, 0.35, wide, 0.65, align="edge", facecolor=GROUND, edgecolor=SHADES[number % 4],
                 hatch=HATCHES[number % 4], linewidth=1.6)  # fmt: skip
        axes.text(begin + wide / 2, 1.3, f"…{shard.id[-3:]}", ha="center", va="center", color=INK)
    for key in keys:
        angle = 2 * np.pi * hash_of(key) / WHOLE
        axes.plot([angle, angle], [0.1, 1.06], color=WATERMARK.color, lw=2)
        axes.plot(angle, 1.06, "v", color=WATERMARK.color, markersize=7)
        axes.text(angle, 1.6, _short(key), ha="center", va="center", color=INK, fontsize=SMALL, parse_math=False)
    axes.set_title(f"The hash ring of {stream}", loc="left")
    table = pd.DataFrame(
        [
            (
                shard.id,
                f"{shard.first_hash / WHOLE:.0%} to {(shard.last_hash + 1) / WHOLE:.0%}",
                ", ".join(_short(key) for key in keys if shard_of(key, shards) == shard.id),
            )
            for shard in shards
        ],
        columns=["shard", "of the ring", "keys"],
    )
    alt = f"A ring of all 128-bit hashes, clockwise from the top: {len(shards)} open shards of {stream}, "
    alt += ", ".join(f"{row[1]} from {row[2]}" for row in table.itertuples()) + "."
    if keys:
        alt += " " + " ".join(f"The key {_short(key)} falls into {shard_of(key, shards)}." for key in keys)
    data = {
        "shards": [[shard.id, f"{shard.first_hash:032x}", f"{shard.last_hash:032x}"] for shard in shards],
        "keys": list(keys),
        "shades": SHADES,
        "colors": colors(),
    }
    return Picture(figure, alt, table, f"Shards of {stream}", moving=Moving("ring", data))


def _short(key: str) -> str:
    return key if len(key) <= 24 else key[:23] + "…"
