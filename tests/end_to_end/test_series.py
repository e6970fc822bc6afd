"""`make lab`, whole and exact; each test takes 30 to 60 s. With one shard, and twice: tests/aws."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from book.__main__ import build
from lab.exercises.student_edition import BEGIN, CODE_FILES, END
from lab.flink.auto_stop import keep_to_hours
from lab.flink.waiters import application_status
from tests.browser.jupyter import CHROMIUM, browser_page
from tests.support.account import PROJECT, SHARED, EmbeddedAccount
from tests.support.series import Series, fresh_account, run_series
from tests.support.site import PageOfSite, dead_links

pytestmark = pytest.mark.slow  # about 2 minutes in all


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    """An account that the first run starts and the last one ends."""
    account = fresh_account(tmp_path_factory.mktemp("series") / "home")
    yield account
    account.command("down")


@pytest.fixture(scope="module")
def on_demand(account: EmbeddedAccount, tmp_path_factory: pytest.TempPathFactory) -> Series:
    """The series as it stands, on streams on demand."""
    return run_series(account, tmp_path_factory.mktemp("on-demand") / "runs")


def test_on_demand_streams_with_four_shards(account: EmbeddedAccount, on_demand: Series) -> None:
    series = on_demand
    assert series.code == 0, series.printed
    assert series.results["score"] == 170
    assert "4 open shards" in series.check("The stream reviews is ACTIVE")["output"]
    assert "718 of 718 windows equal, none missing, none extra." in series.comparison
    groups = series.check("Exercise 8: catch the group that bursts together")["output"]
    assert "30 of the 30 reviewers who burst together are caught, 0 others too." in groups
    report = (series.folder / "report.html").read_text()
    assert "StartApplication to RUNNING" in report
    status = json.loads(account.command("status", "--json").stdout)
    assert status["memory_mb"] < 2500
    assert "student" in status["dashboards"]
    it_is_stopped_after_its_hours_and_all_of_it_goes(account)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on PATH")
def test_the_book_of_that_run(on_demand: Series, tmp_path: Path) -> None:
    """Built from the run above; about 15 s."""
    site = build(on_demand.folder.resolve(), tmp_path).parent
    pages = sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)
    assert {path.stem for path in (site / "notebooks").iterdir() if path.suffix == ".html"} == {
        "01_streams", "02_producer", "03_flink_job", "04_validate", "05_cleanup"}  # fmt: skip
    assert dead_links(site) == []
    no_solution_is_in(site)
    with browser_page() as page:
        asked: list[str] = []
        page.context.on("request", lambda request: asked.append(request.url))
        page.context.on("requestfailed", lambda request: asked.append(f"failed: {request.url}"))
        for path in pages:
            page.goto(path.as_uri())
            pictures = page.locator(".bd-article img")
            assert all(pictures.nth(place).get_attribute("alt") for place in range(pictures.count())), path
        the_film_and_the_theme_work(page, site)
        page.goto((site / "search.html").as_uri() + "?q=watermark")
        expect(page.locator("#search-results li").filter(has_text="Flink application").first).to_be_visible()
    assert [one for one in asked if not one.startswith((site.as_uri(), "data:"))] == []


def no_solution_is_in(site: Path) -> None:
    sources = [(PROJECT / name).read_text() for name in CODE_FILES]
    for path in (PROJECT / "notebooks").glob("*.ipynb"):
        sources += ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]
    blocks = [block.split(END)[0] for source in sources for block in source.split(BEGIN)[1:]]
    given = [part.split(BEGIN)[0] for source in sources for part in source.split(END)]  # shown in the student edition
    lines = {line.strip() for block in blocks for line in block.splitlines() if len(line.strip()) >= 20}
    lines -= {line.strip() for part in given for line in part.splitlines()}
    assert len(lines) > 20
    shown = {path: "".join(PageOfSite(path).text) for path in [site / "index.html", *site.glob("notebooks/*.html")]}
    found = [f"{path.name}: {line}" for path, text in shown.items() for line in lines if line in text]
    assert found == []
    assert any("# YOUR CODE HERE" in text for text in shown.values())


def the_film_and_the_theme_work(page: Page, site: Path) -> None:
    page.goto((site / "index.html").as_uri())
    film = page.locator("figure[data-drawn]")
    said = film.locator(".lab-said")
    before = said.inner_text()
    film.locator("input[name=arrival]").fill("0")
    expect(said).not_to_have_text(before)
    assert page.locator("html").get_attribute("data-theme") == "light"
    page.get_by_role("button", name="Color mode").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


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
