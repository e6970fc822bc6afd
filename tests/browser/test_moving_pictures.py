"""Pictures that move, in a real browser, from a file and without a network: the sliders show what Python computed."""

import base64
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from lab.charts.hash_ring import WHOLE, hash_of, ring_picture, shard_of
from lab.charts.window_counts import counts_over_time
from lab.charts.window_player import example_events, window_player
from lab.charts.window_steps import steps
from lab.core.picture import Picture
from lab.runner import report
from lab.runner.outcome import NotebookResult, SeriesResult
from lab.runner.page_outputs import Exhibit
from lab.streams.shards import Shard
from lab.validation.scores import score
from tests.browser.jupyter import CHROMIUM, browser_page
from tests.lab.charts.counted import COUNTS, LABELS
from tests.lab.charts.films import film, replay

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on PATH")
# Of each text, in pixels of the screen; one of an axis may be turned.
_SIZES = """texts => texts.map(text => {
  const { a, b } = text.getScreenCTM();
  return parseFloat(getComputedStyle(text).fontSize) * Math.hypot(a, b);
})"""


@pytest.fixture(scope="module")
def page():
    with browser_page() as page:
        page.context.set_offline(True)
        yield page


def show(page: Page, picture: Picture, folder: Path) -> Locator:
    """The picture as a page of an exported notebook has it; its script has drawn it when this returns."""
    path = folder / "page.html"
    path.write_text(
        f"<!DOCTYPE html><meta charset=utf-8><body data-jp-theme-light=true>{picture.html}", encoding="utf-8"
    )
    page.goto(path.as_uri())
    figure = page.locator("figure[data-drawn]")
    expect(figure.locator("img")).to_be_hidden()
    return figure


def drag(figure: Locator, name: str, place: int) -> None:
    """Move a slider to the value at this place of its list, as a person does."""
    figure.locator(f"input[name={name}]").fill(str(place))


def test_the_late_count_of_the_player_is_the_computed_one(page, tmp_path):
    picture, events = window_player(), example_events()
    figure = show(page, picture, tmp_path)
    lists = {one["name"]: [int(value.split()[0]) for value in one["values"]] for one in picture.moving.data["choices"]}
    said = figure.locator(".lab-said")
    seen = []
    for delay, size, slide, step in (
        (5, 60, 30, 400),
        (0, 60, 30, 400),
        (2, 60, 30, 400),
        (20, 60, 30, 400),
        (0, 20, 10, 400),
        (0, 60, 10, 200),
    ):
        for name, value in (("delay", delay), ("size", size), ("slide", slide)):
            drag(figure, name, lists[name].index(value))
        drag(figure, "arrival", step)
        now = round(picture.moving.data["until"] * step / 400)
        found = steps(events, size * 1000, slide * 1000, delay * 1000)
        come = [number for number, event in enumerate(events) if event.arrival <= now]
        expect(said).to_have_attribute("data-late", str(sum(found.late[number] for number in come)))
        expect(said).to_have_attribute("data-watermark", str(found.watermark[come[-1]]))
        closed = sum(one.closed_by is not None and one.closed_by <= come[-1] for one in found.windows)
        expect(said).to_have_attribute("data-closed", str(closed))
        seen.append(int(said.get_attribute("data-late")))
    assert seen[:4] == [4, 7, 5, 0]
    expect(figure.locator("svg title").first).to_contain_text("watermark")


@pytest.mark.parametrize("make", [window_player, lambda: counts_over_time(COUNTS, 1, LABELS), lambda: film(replay())])
def test_the_marks_of_the_legend_turn_dark_with_the_picture(page, tmp_path, make):
    figure = show(page, make(), tmp_path)
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    look = "all => all.map(one => [getComputedStyle(one).filter, getComputedStyle(one).backgroundColor])"
    drawn, marks = (figure.locator(one).evaluate_all(look) for one in ("svg", ".lab-mark"))
    assert marks and {tuple(one) for one in marks} == {tuple(one) for one in drawn}
    assert "invert" in marks[0][0]


@pytest.mark.parametrize("width", [572, 848])  # of an output in JupyterLab, on a screen of 1,024 px and of 1,280 px
def test_the_smallest_text_of_a_picture_can_be_read(page, tmp_path, width):
    page.set_viewport_size({"width": width + 16, "height": 900})  # the page has a margin of 8 px
    for picture in (window_player(), film(replay()), counts_over_time(COUNTS, 1, LABELS)):
        figure = show(page, picture, tmp_path)
        sizes = figure.locator("svg text").evaluate_all(_SIZES)
        assert min(sizes) > 8.5
    page.set_viewport_size({"width": 1280, "height": 900})


def test_in_the_report_a_moving_picture_takes_the_place_of_the_still_one(page, tmp_path):
    picture = window_player()
    exhibit = Exhibit("chart", "The player", base64.b64encode(picture.png).decode(), picture.alt, moving=picture.moving)
    result = SeriesResult("a", "2026-11-27T12:00:00+00:00", 1.0, (NotebookResult("03_flink_job", "passed"),))
    path = tmp_path / "report.html"
    path.write_text(report.render(result, {"03_flink_job": [exhibit]}), encoding="utf-8")
    page.goto(path.as_uri())
    expect(page.locator("figure[data-drawn] svg")).to_be_visible()
    expect(page.locator("figure[data-drawn] img")).to_be_hidden()


def test_lengths_that_flink_refuses_are_said(page, tmp_path):
    figure = show(page, window_player(), tmp_path)
    drag(figure, "size", 2)  # 40 s every 30 s
    expect(figure.locator(".lab-said")).to_contain_text("no whole multiple of a slide of 30 s")


def test_play_and_pause(page, tmp_path):
    figure = show(page, window_player(), tmp_path)
    drag(figure, "arrival", 0)
    button, arrival = figure.locator("button[name=play]"), figure.locator("input[name=arrival]")
    button.click()
    expect(button).to_contain_text("pause")
    expect(figure.locator(".lab-said")).not_to_have_attribute("data-watermark", "")  # the first events have come
    button.click()
    at = int(arrival.input_value())
    assert 0 < at < 400


def test_the_threshold_moves_counts_and_scores_together(page, tmp_path):
    picture, scores = counts_over_time(COUNTS, 1, LABELS), score(COUNTS, LABELS)
    figure = show(page, picture, tmp_path)
    said = figure.locator(".lab-said")
    for place, threshold in enumerate(scores.by_threshold["threshold"]):
        drag(figure, "threshold", place)
        row = scores.at(threshold)
        expect(said).to_have_attribute("data-flagged", str(row["flagged"]))
        shown = "" if row["precision"] != row["precision"] else f"{round(row['precision'], 4):g}"
        expect(said).to_have_attribute("data-precision", shown)
        expect(said).to_have_attribute("data-recall", f"{round(row['recall'], 4):g}")
        expect(figure.locator("svg .flagged")).to_have_count(int((COUNTS["movie_count"] > threshold).sum()))
    drag(figure, "threshold", 0)
    figure.locator("svg .flagged").first.hover(force=True)
    expect(figure.locator(".lab-names")).to_have_text("Window ending 00:01:30: 4 reviews each by 1 reviewer: solo")


def test_without_labels_the_slider_only_flags(page, tmp_path):
    figure = show(page, counts_over_time(COUNTS, 1), tmp_path)
    expect(figure.locator(".lab-said")).to_have_text("More than 1 reviews in a window: 2 reviewers are flagged.")


def test_a_typed_key_finds_its_shard(page, tmp_path):
    shards = [
        Shard(f"shardId-{place:012d}", True, None, place * WHOLE // 4, (place + 1) * WHOLE // 4 - 1)
        for place in range(4)
    ]
    figure = show(page, ring_picture("reviews", shards, ["abc"]), tmp_path)
    said = figure.locator(".lab-said")
    expect(said).to_have_attribute("data-shard", "shardId-000000000002")
    for key in ("a", "review-0001", "ключ 🎬", "<b>&\"'", "x" * 55, "x" * 56, "x" * 64, "y" * 250):
        figure.locator("input[name=key]").fill(key)
        expect(said).to_have_attribute("data-hash", f"{hash_of(key):032x}")
        expect(said).to_have_attribute("data-shard", shard_of(key, shards))


def test_the_film_shows_what_one_subtask_would_lose(page, tmp_path):
    picture = film(replay())
    figure = show(page, picture, tmp_path)
    said, table = figure.locator(".lab-said"), picture.table.set_index("subtasks")
    drag(figure, "arrival", 400)
    expect(said).to_have_attribute("data-late", "0")
    expect(figure.locator("svg title", has_text="watermark of")).to_have_count(4)
    drag(figure, "subtasks", 1)
    expect(said).to_have_attribute("data-late", str(table.loc[1, "late (review, window) pairs"]))
    expect(said).to_have_attribute("data-late-reviews", str(table.loc[1, "late reviews"]))
    expect(figure.locator("svg title", has_text="flagged")).not_to_have_count(0)
    figure.locator("select[name=reviewer]").select_option(index=1)
    expect(figure.locator("svg title", has_text="flagged")).not_to_have_count(0)
