"""Shards, KPUs and cost by hand-made sums; the command line; and docs/scale.md beside the newest measurement."""

import json
import re

import pytest

from lab.account import costs
from lab.account.sizing import PER_CORE, STATE_BYTES, size
from lab.cli import main
from lab.core.errors import BadParameter
from lab.core.paths import ROOT

SCALE = (ROOT / "docs/scale.md").read_text(encoding="utf-8")


def test_megabytes_bind_before_records_at_1300_bytes():
    found = size(1000, 1300)
    assert (found.shards, found.binding) == (2, "1 MB a second a shard")
    assert size(769, 1300).shards == 1  # 999,700 bytes
    assert size(770, 1300).shards == 2  # 1,001,000 bytes


def test_records_bind_when_they_are_small():
    found = size(10_000, 200)
    assert (found.shards, found.binding) == (10, "1,000 records a second a shard")


def test_internet_scale():
    found = size(100_000, 1300)
    assert found.shards == found.parallelism == 130
    assert found.kpus == max(-(-100_000 // PER_CORE), 17)  # at most 8 tasks a KPU: 130 / 8
    assert found.parallelism_per_kpu * found.kpus >= found.parallelism
    assert found.parallelism_per_kpu <= 8
    assert found.state_bytes == 100_000 * 65 * STATE_BYTES


def test_cost_is_the_sum_of_its_parts():
    prices = {
        "shard_hour": {"price": 1.0},
        "put_payload_unit_million": {"price": 10.0},
        "kpu_hour": {"price": 100.0},
        "running_storage_gb_month": {"price": 720.0},
    }
    found = size(1000, 26_000)  # two units of 25 KB each
    hourly = {charge.unit: charge.hourly(prices) for charge in found.charges}
    assert hourly == {
        "shard_hour": 26.0,
        "put_payload_unit_million": pytest.approx(72.0),
        "kpu_hour": 100.0 * (found.kpus + 1),
        "running_storage_gb_month": pytest.approx(50.0 * found.kpus),
    }
    assert costs.total_hourly(found.charges, prices) == pytest.approx(sum(hourly.values()))


@pytest.mark.parametrize(("rate", "length"), [(0, 1300), (-1, 1300), (float("nan"), 1300), (float("inf"), 1300)])
def test_a_rate_that_cannot_be(rate, length):
    with pytest.raises(BadParameter, match="reviews-per-second"):
        size(rate, length)


@pytest.mark.parametrize("length", [0, (1 << 20) + 1])
def test_a_record_that_cannot_be(length):
    with pytest.raises(BadParameter, match="average-bytes"):
        size(1, length)


def test_command_line(capsys):
    assert main(["size", "--reviews-per-second", "100000"]) == 0
    printed = capsys.readouterr().out
    assert "130 (1 MB a second a shard binds)" in printed


def test_a_region_without_prices_says_what_us_east_1_costs(capsys):
    def printed(region: str) -> str:
        assert main(["size", "--reviews-per-second", "10", "--region", region]) == 0
        return capsys.readouterr().out

    home, elsewhere = printed("us-east-1"), printed("eu-north-1")
    assert "USD in 30 days, us-east-1" in home and "may cost more or less" not in home
    assert elsewhere.replace("30 days, eu-north-1", "30 days, us-east-1").startswith(home[: home.index("Not in it")])
    assert "they are those of us-east-1, and eu-north-1 may cost more or less" in elsewhere


def test_nonsense_is_one_sentence(capsys):
    assert main(["size", "--reviews-per-second", "0"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def figure(pattern: str) -> float:
    """The number that docs/scale.md has in the group of a pattern."""
    found = re.search(pattern, SCALE.replace("\n  ", " "))
    assert found, f"docs/scale.md has no longer the words {pattern!r}: this test reads the figure there"
    return float(found[1].replace(",", ""))


def test_the_planned_rate_of_a_kpu_is_held_against_the_newest_measurement():
    rows = json.loads((ROOT / "benchmarks/results.json").read_text(encoding="utf-8"))
    measured = next(row["value"] for row in rows if row["name"] == "detection_rate_application_200ms_1")
    said = figure(r"below the about ([\d,]+) that one task took")
    assert said == pytest.approx(measured, rel=0.25), (
        f"docs/scale.md says one task took about {said:,.0f} reviews a second, benchmarks/results.json now has "
        f"{measured:,.0f}: write that, rounded, and see whether PER_CORE in lab/account/sizing.py still fits"
    )
    assert figure(r"reviews a second a KPU \| ([\d,]+), planned") == PER_CORE
    assert measured >= 3 * PER_CORE, "the plan is no longer far below the measurement"


def test_the_planned_state_is_above_every_state_in_the_table():
    rows = re.findall(r"^\| .* \| (\d+) \| (\d+) \|$", SCALE[SCALE.index("State, by the size of a checkpoint") :], re.M)
    most = max(int(one) for row in rows for one in row)
    assert len(rows) == 4 and figure(r"above the (\d+) of the largest checkpoint") == most <= STATE_BYTES
    assert figure(r"state \| (\d+) bytes for a review") == STATE_BYTES


def test_the_examples_of_the_page_are_what_the_command_says():
    found = size(100_000)
    assert figure(r"reviews a second\*\* are 130 MB a second: ([\d,]+) shards") == found.shards
    assert figure(r"130 shards, parallelism (\d+), 20 KPUs") == found.parallelism
    assert figure(r"parallelism 130, (\d+) KPUs") == found.kpus
    assert figure(r"20 KPUs with (\d+) tasks each") == found.parallelism_per_kpu
    assert figure(r"At 100,000 reviews a second about ([\d.]+) GB") == round(found.state_bytes / 1e9, 1)
