"""The notebooks as texts: what a reader, a screen reader and papermill need of them."""

import ast
import re
import subprocess
from pathlib import Path
from statistics import median, quantiles

import nbformat
import pytest

from lab.checks.check import CHECKS
from lab.deploy.show import show_source
from lab.exercises.catalog import EXERCISES
from lab.exercises.student_edition import student_files
from tests.notebooks.kept_outputs import is_kept
from tests.support.account import PROJECT

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
NAMES = ["01_streams", "02_producer", "03_flink_job", "04_validate", "05_cleanup"]
EDITIONS = [*(("solution", name) for name in NAMES), *(("student", name) for name in NAMES[:4])]  # 05 has no blank
each_notebook = pytest.mark.parametrize("path", EDITIONS, ids="-".join, indirect=True)


@pytest.fixture(scope="module")
def student_edition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The student edition's files, made from the project's own."""
    folder = tmp_path_factory.mktemp("student")
    (folder / "notebooks").mkdir()
    for name, text in student_files().items():
        if name.startswith("notebooks/"):
            (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def path(request: pytest.FixtureRequest, student_edition: Path) -> Path:
    """A notebook of the solution edition or of the student edition."""
    edition, name = request.param
    return (PROJECT if edition == "solution" else student_edition) / "notebooks" / f"{name}.ipynb"


def cells(path: Path, kind: str | None = None) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, 4).cells if kind in (None, cell.cell_type)]


def test_the_series_is_complete() -> None:
    assert [path.stem for path in NOTEBOOKS] == NAMES


def test_every_notebook_with_an_exercise_has_a_student_edition(student_edition: Path) -> None:
    assert [path.stem for path in sorted((student_edition / "notebooks").glob("*.ipynb"))] == NAMES[:4]


@each_notebook
def test_valid_with_a_kernel(path: Path) -> None:
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"


@each_notebook
def test_one_h1_at_the_top_and_headings_in_sentence_case(path: Path) -> None:
    headings = [line for cell in cells(path, "markdown") for line in cell.source.splitlines() if line.startswith("#")]
    assert [line for line in headings if line.startswith("# ")] == [headings[0]]
    for heading in headings:
        words = heading.lstrip("# ").split(": ")[-1].split()[1:]
        odd = [
            word for word in words if word[0].isupper() and word not in {"Data", "Flink", "SQL", "Apache", "I", "S3"}
        ]
        assert not odd, f"{heading!r} is not in sentence case"


@each_notebook
def test_begins_with_what_is_learnt_how_long_and_a_picture(path: Path) -> None:
    first = cells(path)[0].source
    assert "**What you will learn.** After this notebook you can" in first
    assert len(re.findall(r"^- ", first, re.MULTILINE)) == 3
    assert "**Time:**" in first
    assert "```mermaid" in first


@each_notebook
def test_ends_with_what_one_can_do_now(path: Path) -> None:
    last = cells(path)[-1].source
    assert last.startswith("## You can now\n")
    assert len(re.findall(r"^- ", last, re.MULTILINE)) == 3


@each_notebook
def test_code_follows_prose(path: Path) -> None:
    kinds = [cell.cell_type for cell in cells(path)]
    code = [index for index, kind in enumerate(kinds) if kind == "code"]
    after_prose = sum(kinds[index - 1] == "markdown" for index in code)
    assert after_prose / len(code) >= 0.7


@each_notebook
def test_cells_hold_one_idea(path: Path) -> None:
    lengths = sorted(len(cell.source.splitlines()) for cell in cells(path, "code"))
    assert lengths[len(lengths) // 2] <= 4
    assert lengths[-1] <= 20


def test_the_series_teaches_in_prose_and_short_cells() -> None:
    """Of all committed notebooks together: lines of code cells, cells with `try`, and the part of prose."""
    code = [cell.source for path in NOTEBOOKS for cell in cells(path, "code")]
    prose = [cell.source for path in NOTEBOOKS for cell in cells(path, "markdown")]
    lengths = sorted(len(source.splitlines()) for source in code)
    assert median(lengths) <= 4
    assert quantiles(lengths, n=10)[-1] <= 10
    assert sum("try:" in source for source in code) <= 4
    assert sum(len(source.splitlines()) for source in prose) >= sum(lengths)


def test_the_calls_that_are_the_lesson_stay_in_sight() -> None:
    """In a cell, or in a function of the lab whose source a cell shows."""
    shown = "\n".join(cell.source for path in NOTEBOOKS for cell in cells(path, "code"))
    for call in re.findall(r'lab\.show_source\("([^"]+)", "([^"]+)"\)', shown):
        shown += show_source(*call).data
    for call in (
        "create_stream", "get_shard_iterator", "get_records", "create_function", "invoke", "create_application",
        "update_application", "start_application", "describe_application", "put_records",
    ):  # fmt: skip
        assert re.search(rf"\w\.{call}\(", shown), call


def test_security_tags_cost_and_logs_are_said_once() -> None:
    headings = [
        line for path in NOTEBOOKS for cell in cells(path, "markdown") for line in cell.source.splitlines()
        if line.startswith("## ")
    ]  # fmt: skip
    assert headings.count("## Security, tags and cost") == headings.count("## Logs are kept for a week") == 1
    meters = [path.stem[:2] for path in NOTEBOOKS for cell in cells(path, "code") if "lab.cost_so_far" in cell.source]
    assert meters == ["01", "03", "05"]


def test_exceptions_are_the_modelled_ones_and_no_answer_is_shown_raw() -> None:
    for path in NOTEBOOKS:
        for cell in cells(path, "code"):
            assert "ClientError" not in cell.source and "ResponseMetadata" not in cell.source
            last = ast.parse(cell.source).body[-1]
            raw = isinstance(last, ast.Expr) and re.match(r"(s3|kinesis|lambda_|flink|logs)\.", ast.unparse(last))
            assert not raw or "upload_file" in cell.source, f"{path.stem} shows what {ast.unparse(last)[:60]} answers"


def test_an_exercise_has_one_number_and_one_title_everywhere() -> None:
    titles = [exercise.title for exercise in EXERCISES.values()]
    assert [title.partition(":")[0] for title in titles] == [f"Exercise {number}" for number in range(1, 9)]
    headings = [
        (path.stem, line.removeprefix("## ")) for path in NOTEBOOKS for cell in cells(path, "markdown")
        for line in cell.source.splitlines() if line.startswith("## Exercise ")
    ]  # fmt: skip
    assert headings == [(exercise.notebook, exercise.title) for exercise in EXERCISES.values()]
    assert [check.title for check in CHECKS if check.title in titles] == titles
    documented = (PROJECT / "docs" / "exercises.md").read_text()
    for exercise in EXERCISES.values():
        assert f"| {exercise.title.removeprefix('Exercise ').replace(': ', ' ')} |" in documented


@each_notebook
def test_imports_only_the_lab(path: Path) -> None:
    allowed = {"boto3", "botocore", "contextlib", "pandas", "json", "lab"}
    for cell in cells(path, "code"):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import):
                assert {name.name.partition(".")[0] for name in node.names} <= allowed
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").partition(".")[0] in allowed


@each_notebook
def test_ends_with_checks_or_proof(path: Path) -> None:
    last = cells(path, "code")[-1].source
    number = path.stem[:2]
    assert f'lab.check("{number}"' in last or (number == "05" and "until_gone" in last)


@each_notebook
def test_no_target_switch_around_aws_calls(path: Path) -> None:
    source = "\n".join(cell.source for cell in cells(path, "code"))
    assert not re.search(r"\bif\b[^\n]*\btarget\b", source)
    assert "endpoint_url" not in source


@each_notebook
def test_committed_without_outputs_but_those_that_are_compared(path: Path) -> None:
    kept = [cell for cell in cells(path, "code") if cell.outputs]
    assert kept == [cell for cell in cells(path, "code") if cell.execution_count]
    assert kept == ([cell for cell in cells(path, "code") if is_kept(cell)] if path in NOTEBOOKS else [])
    assert len(kept) <= 3
    assert not [output for cell in kept for output in cell.outputs if "image/png" in output.get("data", {})]


@each_notebook
def test_pictures_have_alt_text(path: Path) -> None:
    for cell in cells(path, "markdown"):
        for alt in re.findall(r"!\[(.*?)\]\(", cell.source):
            assert len(alt) > 10
        for tag in re.findall(r"<img[^>]*>", cell.source):
            assert re.search(r'alt="[^"]{10,}"', tag)


@each_notebook
def test_parameters_can_be_read_by_papermill(path: Path) -> None:
    tagged = [cell for cell in cells(path, "code") if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    for line in tagged[0].source.splitlines():
        assert re.fullmatch(r"\w+: (str|int|float|bool) = [^=#]+  # [^=]+", line), line


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    return [PROJECT / name for name in listed.split("\0") if name and (PROJECT / name).exists()]


def test_no_secrets_and_no_paths_of_a_machine() -> None:
    secret = re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b")
    machine = re.compile(r"(?<![\w.])/(?:root|home/[a-z]+|Users/[a-z]+)/")
    for path in tracked_files():
        if path.suffix in (".json", ".csv", ".png"):
            continue
        text = path.read_text(errors="replace")
        assert not secret.search(text), path
        assert not machine.search(text), path


def test_links_within_the_repository_are_alive() -> None:
    for path in tracked_files():
        if path.suffix not in (".md", ".ipynb"):
            continue
        text = (
            "\n".join(cell.source for cell in cells(path, "markdown")) if path.suffix == ".ipynb" else path.read_text()
        )
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if not re.match(r"[a-z]+:", target):
                assert (path.parent / target).exists(), f"{path.name} links {target}"


def test_the_readme_links_every_notebook() -> None:
    readme = (PROJECT / "README.md").read_text()
    for path in NOTEBOOKS:
        assert f"notebooks/{path.name}" in readme
