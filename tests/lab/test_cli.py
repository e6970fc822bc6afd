import runpy
import subprocess
import sys

import pytest

from lab import cli
from lab.core import paths
from lab.runner import closing_lines, series
from lab.runner.outcome import NotebookResult, SeriesResult
from tests.lab.series import make_series


def test_without_a_command_the_help_is_shown(capsys):
    assert cli.main([]) == 0
    assert "execute notebooks 01 to 04" in capsys.readouterr().out


def test_the_help_of_run_lists_options_and_parameters_and_no_hidden_one(capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["run", "--help"])
    shown = capsys.readouterr().out
    assert left.value.code == 0
    assert "--cell-timeout SECONDS" in shown and "--notebooks" not in shown
    assert "shards" in shown and "run_id" not in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--target", "azure"],
        ["run", "--cell-timeout", "0"],
        ["run", "--cell-timeout", "soon"],
        ["run", "-p", "shards"],
        ["run", "--no-such-option"],
        ["dance"],
    ],
)
def test_a_mistake_on_the_command_line_is_one_sentence_and_exit_code_2(capsys, arguments):
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    printed = capsys.readouterr().err
    assert left.value.code == 2
    assert printed.count("\n") == 1 and printed.endswith("--help` lists what there is.\n")


@pytest.mark.parametrize(
    ("fixtures", "options", "said"),
    [
        (["good"], ["-p", "shard", "4"], "No notebook has a parameter shard: did you mean shards."),
        (["good"], ["-p", "shards", "four"], "The parameter shards takes a whole number, not 'four'"),
        (["good"], ["-p", "run_id", "mine"], "The parameter run_id is set by the runner"),
        (
            ["good", "other_default"],
            [],
            "The default of the parameter shards is 4 in 02_other_default but 0 in 01_good",
        ),
        (
            ["hidden_parameter"],
            [],
            "The parameters cell of 01_hidden_parameter holds `shards: int = 0  # 0 = on-demand`",
        ),
        (["good"], ["--target", "aws", "--down"], "--down stops the embedded account, which target aws does not use"),
        (["empty"], ["--target", "aws"], "No notebook has a parameter target: they have none."),
        (["good"], ["-f", "no/such.yaml"], "The parameters file no/such.yaml cannot be read"),
        ([], [], "SERIES holds no notebook 01_*.ipynb to 04_*.ipynb: correct the folder."),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_runs(tmp_path, capsys, fixtures, options, said):
    series = make_series(tmp_path / "series", *fixtures)
    assert cli.main(["run", "--notebooks", str(series), "--out", str(tmp_path / "runs"), *options]) == 2
    printed = capsys.readouterr()
    assert printed.err.replace(str(series), "SERIES").startswith(said) and printed.err.count("\n") == 1
    assert printed.out == "" and not (tmp_path / "runs").exists()


@pytest.fixture
def run_arguments(tmp_path, monkeypatch):
    """Arguments of a run whose notebooks are not executed: the result is given."""
    monkeypatch.setattr(cli.session, "local_status", lambda: None)

    def make(status="passed", ended=None):
        result = SeriesResult("r", "", 1.0, (NotebookResult("01_good", status),), ended=ended)
        monkeypatch.setattr(series, "run_series", lambda *arguments: result)
        return ["run", "--notebooks", str(make_series(tmp_path / "series", "good")), "--out", str(tmp_path / "runs")]

    return make


def test_down_stops_the_account_even_after_a_failure(run_arguments, monkeypatch, capsys):
    stopped = []
    monkeypatch.setattr(closing_lines, "stop_account", lambda: stopped.append(1))
    assert cli.main([*run_arguments(), "--down"]) == 0
    assert cli.main([*run_arguments("failed", "It failed."), "--down"]) == 1
    assert len(stopped) == 2
    assert capsys.readouterr().out.count("account     stopped") == 2


def test_an_account_that_could_not_be_stopped_fails_the_run(run_arguments, monkeypatch, capsys):
    monkeypatch.setattr(closing_lines, "stop_account", lambda: "The embedded account could not be stopped.")
    assert cli.main([*run_arguments(), "--down"]) == 1
    assert capsys.readouterr().err == "The embedded account could not be stopped.\n"


def test_a_run_on_aws_ends_with_the_meter(run_arguments, monkeypatch, capsys):
    monkeypatch.setattr(closing_lines, "still_running", lambda region: f"the meter of {region}")
    monkeypatch.setattr(series.Plan, "effective", lambda plan: {"target": "aws", "region": "us-west-2"})
    assert cli.main(run_arguments()) == 0
    assert capsys.readouterr().out.endswith("the meter of us-west-2\n")


def test_a_folder_named_latest_is_said_and_the_run_goes_on(run_arguments, tmp_path, capsys):
    arguments = run_arguments()
    (tmp_path / "runs" / "latest").mkdir(parents=True)
    assert cli.main(arguments) == 0
    assert "latest cannot be made a link to the run" in capsys.readouterr().err


def test_an_out_folder_that_cannot_be_written_is_one_sentence(run_arguments, tmp_path, capsys):
    (tmp_path / "runs").write_text("")
    assert cli.main(run_arguments()) == 1
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1 and "choose another --out" in printed


def test_another_python_is_refused_before_anything_is_imported(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 12, 1, "final", 0))
    with pytest.raises(SystemExit) as left:
        runpy.run_module("lab", run_name="__main__", alter_sys=False)
    assert left.value.code == 2
    assert (
        capsys.readouterr().err
        == "The lab needs Python 3.11 but this is 3.12: install Python 3.11, then run `make lab`.\n"
    )


def test_the_command_line_answers_quickly_because_it_imports_little():
    heavy = {"papermill", "pandas", "boto3", "jupyter_client"}
    code = f"import lab.cli, lab.runner.series, sys; print({heavy} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, capture_output=True, text=True)
    assert answer.stdout == "set()\n"
