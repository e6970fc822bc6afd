"""What a student does in JupyterLab, in a real browser: about a minute on two quiet cores."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.jupyter import CHROMIUM, TOKEN, ask, browser_page, jupyterlab
from tests.support.account import PROJECT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on PATH"),
]
# What the cells of the open notebook have come to: "done", "failed" or null while it runs or has not begun.
_STATE = """([cells, kept]) => {
  const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(one => one.textContent.trim());
  const numbered = prompts.filter(text => /^\\[\\d+\\]/.test(text)).length;
  if (prompts.length < cells || prompts.some(text => text.includes('*'))) return null;
  return numbered === cells ? 'done' : numbered > kept ? 'failed' : null;
}"""

# Opening sets what the kernel says of itself; when both answers are there, the notebook has them.
_DIRTY = """async () => {
  const { context } = window.jupyterapp.shell.currentWidget, { kernel } = context.sessionContext.session;
  await kernel.info;
  await kernel.spec;
  await new Promise(resolve => setTimeout(resolve));
  return context.model.dirty;
}"""
# The tables that do not fit into their output, and so would have to be scrolled.
_TOO_WIDE = """tables => tables.flatMap(table => {
  const output = table.closest('.jp-OutputArea-output'), cells = [...table.querySelectorAll('th, td')];
  const right = output.getBoundingClientRect().left + output.clientWidth;
  const isCut = one => one.scrollWidth > one.clientWidth + 1 || one.getBoundingClientRect().right > right + 1;
  return cells.some(isCut) ? [table.textContent.slice(0, 80)] : [];
})"""
# Cells that stand on the wrong side: numbers to the right, all else to the left.
_WRONG_SIDE = """cells => cells.filter(one => {
  const text = one.textContent.trim(), isNumber = /^([-+]?[\\d,.]+(e[-+]\\d+)? ?%?|NaN|–)$/.test(text);
  return text && getComputedStyle(one).textAlign !== 'left' && !isNumber;
}).map(one => one.textContent)"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with jupyterlab(tmp_path_factory.mktemp("jupyter")) as address:
        yield address


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser_page() as page:
        yield page


def restart_and_run_all(page: Page, address: str, name: str) -> None:
    """Open a notebook, Run > Restart Kernel and Run All Cells, and wait until each cell has run."""
    cells = json.loads((PROJECT / "notebooks" / f"{name}.ipynb").read_text())["cells"]
    page.goto(f"{address}/lab/tree/notebooks/{name}.ipynb?token={TOKEN}&reset")
    expect(page.locator(".jp-MarkdownOutput h1")).to_have_count(1)
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle")
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").click()
    page.locator(".lm-Menu-itemLabel", has_text="Restart Kernel and Run All Cells").click()
    page.locator(".jp-Dialog .jp-mod-accept").click()
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    kept = sum(cell["execution_count"] is not None for cell in code)  # numbered before anything ran
    state = page.wait_for_function(_STATE, arg=[len(code), kept], timeout=0)  # a hang is for pytest to end
    errors = page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]')
    assert state.json_value() == "done", errors.all_text_contents()


@pytest.mark.parametrize("name", [path.stem for path in sorted((PROJECT / "notebooks").glob("*.ipynb"))])
def test_opening_a_notebook_leaves_it_as_it_is(address: str, page: Page, name: str) -> None:
    expect.set_options(timeout=600_000)
    page.goto(f"{address}/lab/tree/notebooks/{name}.ipynb?token={TOKEN}&reset")
    expect(page.locator(".jp-MarkdownOutput h1")).to_have_count(1)
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle")
    assert page.evaluate(_DIRTY) is False
    expect(page.locator(".jp-mod-dirty")).to_have_count(0)


def test_a_student_works_through_the_lab(address: str, page: Page) -> None:
    expect.set_options(timeout=600_000)
    page.goto(f"{address}/lab?token={TOKEN}&reset")
    with page.context.expect_page(timeout=600_000) as opened:
        page.locator(".jp-LauncherCard", has_text="Apache Flink dashboard").click()
    dashboard = opened.value
    expect(dashboard.locator("p")).to_contain_text("run 01_streams, which starts it")

    for name in ("01_streams", "02_producer", "03_flink_job", "04_validate"):
        restart_and_run_all(page, address, name)
        checked = page.locator(".jp-OutputArea table", has_text="looked at").text_content() or ""
        assert "✔ passed" in checked and "✘" not in checked, checked
        assert page.locator(".jp-OutputArea-output table").evaluate_all(_TOO_WIDE) == []
        assert page.locator(".jp-OutputArea-output td").evaluate_all(_WRONG_SIDE) == []
        if name == "03_flink_job":
            with page.context.expect_page(timeout=600_000) as opened:
                page.get_by_role("link", name="Open the Apache Flink dashboard").click()
            linked = opened.value
            assert linked.url.startswith(f"{address}/flink-dashboard/student/")
            expect(linked.locator("flink-root")).to_contain_text("RUNNING")
            linked.close()
    # drawn in place of the still picture
    chart = page.locator(".jp-OutputArea figure[data-drawn] svg[role=img][aria-label*=threshold]").first
    chart.scroll_into_view_if_needed()
    assert chart.evaluate("drawn => drawn.getBoundingClientRect().width") > 300

    # the page that said what to do has become the dashboard, and behind it nothing can be changed
    expect(dashboard.locator("flink-root")).to_contain_text("SlidingWindows")
    assert ask(address, "/flink-dashboard/student/jars/upload", "POST") == 405
    assert ask(address, "/flink-dashboard/student/jobs/any/yarn-cancel") == 403
    assert ask(address, "/flink-dashboard/student/jobs/overview") == 200
    assert ask(address, "/flink-dashboard/student/jobs/overview", token="wrong") == 302  # to the login
