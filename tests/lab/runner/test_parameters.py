import pytest

from lab.core.paths import ROOT
from lab.runner.parameters import (
    NotebooksDisagree,
    Parameter,
    UsageError,
    consistent,
    declared,
    find_series,
    parse_cell,
    read_yaml,
    values,
)
from tests.lab.series import FIXTURES, make_series

KNOWN = {
    "shards": Parameter("shards", "int", 0, "shards of each stream"),
    "rate": Parameter("rate", "float", 10.0, "reviews a second"),
    "clock": Parameter("clock", "str", "replay", "replay or now"),
    "verbose": Parameter("verbose", "bool", False, "say more"),
    "run_id": Parameter("run_id", "str", "", "set by the runner"),
}


def test_a_cell_of_literals_is_read_with_type_default_and_help():
    source = '# what can be set\nshards: int = 0  # 0 is on-demand\nclock: str = "now"\n\nrate: float = -1.5  # a # b'
    assert parse_cell(source, "01_streams") == {
        "shards": Parameter("shards", "int", 0, "0 is on-demand"),
        "clock": Parameter("clock", "str", "now", ""),
        "rate": Parameter("rate", "float", -1.5, "a # b"),
    }


@pytest.mark.parametrize(
    "line",
    [
        "shards = 0",
        "shards: int = 0  # 0 = on-demand",
        'shards: int = "0"',
        "verbose: bool = 0",
        "shards: list = []",
        "shards: int",
        "shards: int = len('')",
        "import os",
    ],
)
def test_a_line_that_papermill_or_people_would_misread_is_refused(line):
    with pytest.raises(NotebooksDisagree) as refused:
        parse_cell(f"target: str = 'local'\n{line}", "01_streams")
    assert "01_streams" in str(refused.value) and f"`{line}`" in str(refused.value)


def test_a_parameters_cell_that_is_no_python_is_refused():
    with pytest.raises(NotebooksDisagree, match="01_streams is not valid Python"):
        parse_cell("shards: int = (", "01_streams")


def test_the_parameters_of_a_notebook_are_those_of_its_tagged_cell():
    assert list(declared(FIXTURES / "good.ipynb")) == ["target", "shards", "rate", "verbose", "run_id"]
    assert declared(FIXTURES / "empty.ipynb") == {}


def test_a_file_that_is_no_notebook_is_refused(tmp_path):
    (tmp_path / "01_streams.ipynb").write_text('{"cells": \n')
    with pytest.raises(NotebooksDisagree, match="01_streams.ipynb is not a notebook"):
        declared(tmp_path / "01_streams.ipynb")


@pytest.mark.parametrize(
    ("aspect", "other"),
    [
        ("type", Parameter("rate", "int", 10.0, "reviews a second")),
        ("default", Parameter("rate", "float", 5.0, "reviews a second")),
        ("help", Parameter("rate", "float", 10.0, "events a second")),
    ],
)
def test_notebooks_that_differ_about_a_parameter_are_refused(aspect, other):
    with pytest.raises(NotebooksDisagree) as refused:
        consistent({"01_streams": KNOWN, "02_producer": {"rate": other}})
    assert str(refused.value).startswith(f"The {aspect} of the parameter rate is")
    assert "01_streams" in str(refused.value) and "02_producer" in str(refused.value)


def test_values_are_parsed_by_declared_type_and_the_command_line_wins():
    chosen = values(
        KNOWN,
        {"shards": 2, "rate": 3, "clock": "now", "verbose": "no"},
        [("shards", "1"), ("shards", "4"), ("verbose", "TRUE")],
    )
    assert chosen == {"shards": 4, "rate": 3.0, "clock": "now", "verbose": True}
    assert type(chosen["rate"]) is float


def test_an_unknown_parameter_is_refused_with_the_nearest_one():
    with pytest.raises(UsageError, match="^No notebook has a parameter shard: did you mean shards.$"):
        values(KNOWN, {}, [("shard", "4")])
    with pytest.raises(UsageError, match="they have clock, rate, shards, verbose"):
        values(KNOWN, {"zzzzzz": 1}, [])


def test_the_run_id_cannot_be_set():
    with pytest.raises(UsageError, match="run_id is set by the runner"):
        values(KNOWN, {}, [("run_id", "mine")])


@pytest.mark.parametrize(
    ("name", "text"), [("shards", "four"), ("shards", "1.5"), ("rate", "fast"), ("rate", "nan"), ("verbose", "maybe")]
)
def test_a_mistyped_value_is_refused(name, text):
    with pytest.raises(UsageError, match=f"The parameter {name} takes .* not '{text}'"):
        values(KNOWN, {}, [(name, text)])


@pytest.mark.parametrize(
    ("name", "value"),
    [("shards", True), ("shards", 1.0), ("rate", False), ("clock", 7), ("verbose", 1), ("rate", None)],
)
def test_a_value_of_another_yaml_type_is_refused(name, value):
    with pytest.raises(UsageError, match=f"The parameter {name} takes"):
        values(KNOWN, {name: value}, [])


def test_a_yaml_file_is_read(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("shards: 4\nclock: now\n")
    assert read_yaml(path) == {"shards": 4, "clock": "now"}
    path.write_text("# nothing yet\n")
    assert read_yaml(path) == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"- shards\n", "of the form `name: value`"), (b"shards: [1\n", "not valid YAML"), (b"\xff\xfe", "not UTF-8")],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path, content, said):
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        read_yaml(path)


def test_a_missing_parameters_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"cannot be read \(No such file or directory\)"):
        read_yaml(tmp_path / "params.yaml")


def test_the_series_is_found_in_order_and_complete(tmp_path):
    series = make_series(tmp_path, "good", "pictures")
    (series / "05_cleanup.ipynb").write_text("{}")
    assert [path.name for path in find_series(series)] == ["01_good.ipynb", "02_pictures.ipynb"]
    with pytest.raises(UsageError, match=r"exactly one notebook 03_\*.ipynb but holds nothing"):
        find_series(series, ["01", "02", "03", "04"])
    (series / "02_again.ipynb").write_text("{}")
    with pytest.raises(UsageError, match="but holds 02_again.ipynb and 02_pictures.ipynb"):
        find_series(series)


def test_a_folder_without_notebooks_is_refused(tmp_path):
    with pytest.raises(UsageError, match="holds no notebook"):
        find_series(tmp_path)


def test_the_notebooks_of_the_lab_agree_about_their_parameters():
    series = find_series(ROOT / "notebooks", ["01", "02", "03", "04"])
    known = consistent({path.stem: declared(path) for path in series})
    assert {"target", "shards", "reviews_file", "run_id"} <= set(known)
