"""`make lab`, whole and exact; each test takes 30 to 60 s. With one shard, and twice: tests/aws."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.flink.auto_stop import keep_to_hours
from lab.flink.waiters import application_status
from tests.support.account import PROJECT, SHARED, EmbeddedAccount
from tests.support.series import fresh_account, run_series

pytestmark = pytest.mark.slow  # about 2 minutes in all


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    """An account that the first run starts and the last one ends."""
    account = fresh_account(tmp_path_factory.mktemp("series") / "home")
    yield account
    account.command("down")


def test_on_demand_streams_with_four_shards(account: EmbeddedAccount, tmp_path: Path) -> None:
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
    it_is_stopped_after_its_hours_and_all_of_it_goes(account)


def it_is_stopped_after_its_hours_and_all_of_it_goes(account: EmbeddedAccount) -> None:
    """The application is past its hours, no kernel is left, another notebook looks; then the clean-up."""
    flink = account.client("kinesisanalyticsv2")
    arn = flink.describe_application(ApplicationName="student")["ApplicationDetail"]["ApplicationARN"]
    tags = {tag["Key"]: tag["Value"] for tag in flink.list_tags_for_resource(ResourceARN=arn)["Tags"]}
    assert tags.keys() == {"lab", "run_id", "owner", "stop_after"}
    flink.tag_resource(ResourceARN=arn, Tags=[{"Key": "stop_after", "Value": "2026-01-01T00:00:00Z"}])
    assert "is being stopped now" in keep_to_hours(flink, "student")
    application_status(flink, "student", until="READY")

    flink.start_application(ApplicationName="student", RunConfiguration={})
    cleaned = subprocess.run(
        [sys.executable, "-m", "lab", "clean", "--yes"],
        cwd=PROJECT, env=account.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert cleaned.returncode == 0, cleaned.stderr
    assert cleaned.stdout.rstrip().endswith("Nothing of the lab is left in 000000000000, us-east-1.")
    assert account.client("s3").list_buckets()["Buckets"] == []
    assert account.client("kinesis").list_streams()["StreamNames"] == []
    assert flink.list_applications()["ApplicationSummaries"] == []
    assert account.client("logs").describe_log_groups()["logGroups"] == []
    assert account.client("lambda").list_functions()["Functions"] == []


@pytest.mark.skipif(not SHARED.exists(), reason="the real reviews are not kept with the project")
def test_real_reviews_without_labels(account: EmbeddedAccount, tmp_path: Path) -> None:
    series = run_series(
        account, tmp_path / "runs", "-p", "shards", "2", "--down",
        "-p", "reviews_file", str(SHARED / "real_reviews.json"),
    )  # fmt: skip
    assert series.code == 0, series.printed
    assert "1,124 of 1,124 windows equal, none missing, none extra." in series.comparison
    assert "precision and recall are left out" in (series.folder / "04_validate.ipynb").read_text()
    assert account.command("status").returncode == 1
