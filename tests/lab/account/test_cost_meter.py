from datetime import timedelta

import pytest

from lab.account import cost_meter
from lab.account.inventory import existing
from lab.runner import closing_lines


def test_the_meter_counts_what_is_there_since_it_is_there(furnish, monkeypatch: pytest.MonkeyPatch) -> None:
    furnished = furnish().everything()
    found = existing(furnished.session)
    since = {one.name: one.since for one in found if one.kind == "stream"}
    charges = cost_meter.charges_of(found, max(since.values()) + timedelta(hours=2))
    assert [one.what for one in charges] == [
        "stream reviews, on-demand",
        "stream suspicious_activity, on-demand",
        "stream exercises, 4 shards",
        "stream suspicious_groups, 1 shard",
    ]  # an application that never ran costs nothing
    assert all(one.hours == pytest.approx(2, abs=0.01) and one.running for one in charges)

    bill = cost_meter.cost_so_far(furnished.session)
    assert "what is still running costs 0.15 USD an hour, 3.72 a day." in bill.sentence
    assert list(bill.table["state"]) == ["runs"] * 4
    assert closing_lines.still_running("us-east-1").startswith(f"meter       {bill.sentence} Its kernels have ended")
    furnished.clear()
    assert cost_meter.cost_so_far(furnished.session).sentence.startswith("Nothing of the lab")
