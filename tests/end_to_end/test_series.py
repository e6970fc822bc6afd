"""`make lab`, whole and exact; each test takes 30 to 60 s. With one shard, and twice: tests/aws."""

import json
from pathlib import Path

import pytest

from tests.conftest import SHARED
from tests.end_to_end.series import fresh_account, run_series

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # about 2 minutes in all


def test_on_demand_streams_with_four_shards(tmp_path: Path) -> None:
    account = fresh_account(tmp_path / "home")
    try:
        series = run_series(account, tmp_path / "runs")
        assert series.code == 0, series.printed
        assert series.results["score"] == 170
        assert "4 open shards" in series.check("The stream reviews is ACTIVE")["output"]
        assert "718 of 718 windows equal, none missing, none extra." in series.comparison
        report = (series.folder / "report.html").read_text()
        assert "StartApplication to RUNNING" in report
        status = json.loads(account.command("status", "--json").stdout)
        assert status["memory_mb"] < 2500
        assert "student" in status["dashboards"]
    finally:
        account.command("down")


@pytest.mark.skipif(not SHARED.exists(), reason="the real reviews are not kept with the project")
def test_real_reviews_without_labels(tmp_path: Path) -> None:
    account = fresh_account(tmp_path / "home")
    try:
        series = run_series(
            account, tmp_path / "runs", "-p", "shards", "2", "--down",
            "-p", "reviews_file", str(SHARED / "real_reviews.json"),
        )  # fmt: skip
        assert series.code == 0, series.printed
        assert "1,124 of 1,124 windows equal, none missing, none extra." in series.comparison
        assert "precision and recall are left out" in (series.folder / "04_validate.ipynb").read_text()
        assert account.command("status").returncode == 1
    finally:
        account.command("down")
