"""Turn a run into the pages Sphinx reads: notebooks with outputs and without solutions, the docs, the start page."""

import ast
import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

import mmdr

from lab.core.code_files import definition
from lab.core.errors import LabError
from lab.core.paths import NOTEBOOKS, ROOT
from lab.exercises.student_edition import BEGIN, without_solutions

BOOK = Path(__file__).parent
PAGES = [*sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")),
         "data/README.md", "producer/README.md", "benchmarks/README.md"]  # fmt: skip
SERIES = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
_FENCE = re.compile(r"```mermaid\n(.*?)```", re.S)


class NoRun(LabError):
    """Say that the run is not there, or not whole."""


def stage(run: Path, target: Path) -> None:
    """Write the pages of a run into an empty folder, with conf.py beside them.

    Raises NoRun where `run` lacks a notebook of the series or the film; 05 alone may be missing, it has no output then.
    """
    target.mkdir(parents=True)
    shutil.copyfile(BOOK / "conf.py", target / "conf.py")
    shutil.copytree(BOOK / "static", target / "static")
    film = ""
    for name in SERIES:
        notebook = _read(run, name)
        film = film or _film(notebook)
        page = _page(notebook, f"notebooks/{name}", target)
        path = target / "notebooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(page), encoding="utf-8")
    if not film:
        raise NoRun(
            f"{run} has no film: 04_validate left no picture in its cell `lab.run_film(...)`. Run the lab again."
        )
    for name in PAGES:
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_markdown((ROOT / name).read_text(encoding="utf-8"), name, target), encoding="utf-8")
    start = (BOOK / "index.md.in").read_text(encoding="utf-8")
    for place, text in {
        "{film}": f"`````{{raw}} html\n{film}\n`````",
        "{notebooks}": "\n".join(f"notebooks/{Path(name).stem}" for name in SERIES),
        "{pages}": "\n".join(name.removesuffix(".md") for name in PAGES),
    }.items():
        start = start.replace(place, text)
    (target / "index.md").write_text(start, encoding="utf-8")


def _read(run: Path, name: str) -> dict[str, Any]:
    path = run / name if (run / name).exists() or not name.startswith("05") else NOTEBOOKS / name
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NoRun(f"{path} cannot be read ({error}): name the folder of a whole run, such as runs/latest.") from error


def _film(notebook: dict[str, Any]) -> str:
    """Find the picture that `lab.run_film` left in a notebook, as HTML; "" where none is."""
    for cell in notebook["cells"]:
        if "".join(cell["source"]).startswith("lab.run_film("):
            return "".join("".join(output.get("data", {}).get("text/html", "")) for output in cell["outputs"])
    return ""


def _page(notebook: dict[str, Any], name: str, target: Path) -> dict[str, Any]:
    """Make an executed notebook a page: blanks for solutions, no cell the runner put in, no link that leads nowhere."""
    cells = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        kept: dict[str, Any] = {"cell_type": cell["cell_type"], "id": cell["id"], "metadata": {}}
        if cell["cell_type"] == "markdown":
            cells.append(kept | {"source": _markdown(source, name, target)})
        elif "injected-parameters" not in cell["metadata"].get("tags", []):
            told = BEGIN in source or source.startswith("lab.try_sql(")  # Flink's plan holds the SQL of the solution
            outputs = [] if told else [_output(output) for output in cell["outputs"]]
            shown = _source_shown(source)
            code = {"source": without_solutions(source, name), "execution_count": cell["execution_count"]}
            cells.append(kept | code | {"outputs": outputs if shown is None else [shown]})
    language = {"language_info": {"name": "python"}}
    return {"cells": cells, "metadata": language, "nbformat": 4, "nbformat_minor": 5}


def _source_shown(source: str) -> dict[str, Any] | None:
    """Make the output of a cell `lab.show_source(path, function)` anew from the file without its solutions."""
    if not source.startswith("lab.show_source("):
        return None
    (call,) = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    path, *function = (ast.literal_eval(argument) for argument in call.args)
    text = without_solutions((ROOT / path).read_text(encoding="utf-8"), path)
    text = definition(text, function[0]) if function else text
    return {"output_type": "display_data", "metadata": {}, "data": {"text/markdown": f"````python\n{text}\n````"}}


def _output(output: dict[str, Any]) -> dict[str, Any]:
    """Keep an output as it is, but for links: they lead to the account of the run, which is gone."""
    data = output.get("data", {})
    if "text/html" not in data:
        return output
    return {**output, "data": {**data, "text/html": re.sub(r"</?a\b[^>]*>", "", "".join(data["text/html"]))}}


def _markdown(text: str, name: str, target: Path) -> str:
    """Draw the diagrams of a page, and keep its links that lead to a page or the web."""
    text = _FENCE.sub(lambda fence: _diagram(fence[1], name, target), text)
    return _LINK.sub(lambda link: _link(link, name, target), text)


def _link(link: re.Match[str], name: str, target: Path) -> str:
    mark, words, where = link.groups()
    path, _, anchor = where.partition("#")
    if where.startswith("#") or "://" in where or path.startswith("diagram-"):
        return link[0]
    there = (ROOT / name).parent.joinpath(path).resolve()
    known = there.relative_to(ROOT).as_posix() if there.is_relative_to(ROOT) else ""
    if known in PAGES or known in {f"notebooks/{one}" for one in SERIES}:
        return link[0]
    if mark and there.is_file():
        copy = target / known
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(there, copy)
        return link[0]
    return words


def _diagram(source: str, name: str, target: Path) -> str:
    """Draw a Mermaid diagram into a file beside its page; its labels are the picture's alt text."""
    labels = [re.sub(r"<br\s*/?>", " ", label) for label in re.findall(r'"([^"]+)"', source)]
    folder = (target / name).parent
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"diagram-{Path(name).stem}-{len(list(folder.glob(f'diagram-{Path(name).stem}-*')))}.svg"
    path.write_text(mmdr.render(source).svg(), encoding="utf-8")
    return f"![{html.escape(' → '.join(labels))}]({path.name})"
