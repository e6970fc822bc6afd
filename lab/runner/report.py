"""Write report.html, the run on one page that needs nothing else; the grader's pages are filled here as well."""

import importlib.metadata
import json
import platform
from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from markupsafe import Markup

from lab.core.paths import write_atomically
from lab.runner.outcome import SeriesResult
from lab.runner.page_outputs import Exhibit, exhibits
from lab.runner.run_folder import Run

TEMPLATES = Path(__file__).parent / "templates"
VERSIONS_OF = ("apache-flink", "boto3", "ministack", "pandas", "matplotlib", "papermill", "ipykernel")


def write(run: Run, result: SeriesResult) -> None:
    """Write the report of a run from its result and the executed notebooks in its folder. Raises OSError."""
    shown = {notebook.name: _exhibits_of(run.folder / f"{notebook.name}.ipynb") for notebook in result.notebooks}
    write_atomically(run.report, render(result, shown))


def render(result: SeriesResult, shown: dict[str, list[Exhibit]]) -> str:
    """Return the page as HTML; `shown` holds the charts and tables by notebook."""
    values = {
        "result": result,
        "headings": {notebook.name: by_heading(shown.get(notebook.name, [])) for notebook in result.notebooks},
        "versions": versions(),
        "failures": [notebook for notebook in result.notebooks if notebook.failure],
    }
    # The exhibits were cleaned by page_outputs, tag by tag.
    filters = {"table": lambda exhibit: Markup(exhibit.content), "moving": _moving}  # noqa: S704
    return page("report.html.j2", values, filters)


def _moving(exhibit: Exhibit) -> Markup:
    """Return the chart that moves, with its still picture for where no script runs."""
    still = Markup('<img src="data:image/png;base64,{}" alt="{}">').format(exhibit.content, exhibit.alt)
    caption = Markup("<p class='note'>{}</p>").format(exhibit.alt)
    return Markup(exhibit.moving.html(str(still)) if exhibit.moving else str(still)) + caption  # noqa: S704


def by_heading(found: list[Exhibit]) -> list[tuple[str, list[Exhibit]]]:
    """Return the exhibits of a notebook, grouped by the heading they stand under, in order."""
    return [(heading, list(group)) for heading, group in groupby(found, key=lambda exhibit: exhibit.heading)]


def versions() -> dict[str, str]:
    """Return what the run ran on."""
    found = {"Python": platform.python_version(), "System": f"{platform.system()} {platform.machine()}"}
    for package in VERSIONS_OF:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def _exhibits_of(executed: Path) -> list[Exhibit]:
    """Return the charts and tables of an executed notebook.

    None where it was not executed or died while it was saved.
    """
    try:
        nb: dict[str, Any] = json.loads(executed.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return list(exhibits(nb))


def page(template: str, values: Mapping[str, Any], filters: Mapping[str, Callable[[Any], Any]] | None = None) -> str:
    """Fill in one of the HTML templates; everything put into it is text, never markup.

    `filters` are its own, by the name it uses.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters or {})
    return environment.get_template(template).render(values)
