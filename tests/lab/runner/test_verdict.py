import pytest

from lab.core.cell_outputs import CHECK, TIMING
from lab.runner.outcome import CheckResult, NotebookResult, SeriesResult, Step, Stop
from lab.runner.verdict import collect_checks, first_line, judge

RUN = "20261123-232131-3fa9"


def check(name="it is there", passed=True, points=5, run=RUN, **more):
    return {"run_id": run, "notebook": "01_x", "name": name, "points": points, "passed": passed, **more}


def display(mime, payload):
    return {"output_type": "display_data", "data": {mime: payload}, "metadata": {}}


def error(ename, evalue):
    return {"output_type": "error", "ename": ename, "evalue": evalue, "traceback": ["\x1b[31mboom\x1b[0m"]}


def code(source, *outputs, count=1, tags=()):
    return {
        "cell_type": "code",
        "source": source,
        "execution_count": count,
        "outputs": list(outputs),
        "metadata": {"tags": list(tags)},
    }


def verdict(*cells, stop=None):
    return judge("01_x", {"cells": list(cells)}, RUN, 1.5, where="runs/latest/01_x.ipynb", stop=stop)


CHECKED = code("lab.check('01')", display(CHECK, check()))


def test_a_notebook_whose_cells_ran_and_whose_check_passed_has_passed():
    result = verdict(code("x = 1"), {"cell_type": "markdown", "source": "text", "metadata": {}}, CHECKED)
    assert (result.status, result.failure, result.code_cells, result.cells_run) == ("passed", None, 2, 2)
    assert result.checks == (CheckResult("it is there", "it is there", 5, True, "", ""),)


def test_checks_come_alone_in_a_list_or_under_checks():
    nb = {
        "cells": [
            code("1", display(CHECK, check("a")), display(CHECK, check("b"))),
            code("2", display(CHECK, {"checks": [check("c"), check("d", passed=False)]})),
        ]
    }
    checks, foreign = collect_checks(nb, RUN)
    assert [(c.title, c.passed) for c in checks] == [("a", True), ("b", True), ("c", True), ("d", False)]
    assert foreign == 0


def test_checks_of_another_run_do_not_count():
    result = verdict(code("1", display(CHECK, check(run="20200101-000000-0000")), display(CHECK, "forged")))
    assert result.checks == ()
    assert "without a check of this run (only 2 of another run)" in result.failure.sentence


def test_no_check_counts_for_a_run_without_an_id():
    assert collect_checks({"cells": [code("1", display(CHECK, check(run="")))]}, "") == ((), 1)


def test_a_check_seen_twice_counts_once_and_failed_if_it_failed_once():
    again = [display(CHECK, check(passed=passed)) for passed in (True, False, True)]
    result = verdict(code("1", *again))
    assert [(c.points, c.passed) for c in result.checks] == [(5, False)]


def test_a_check_is_known_by_its_slug_whatever_its_title():
    first, again = check("a", slug="there"), check("b", slug="there", passed=False)
    result = verdict(code("1", display(CHECK, {"checks": [first, again, check("a", slug="other")]})))
    assert [(c.slug, c.title, c.passed) for c in result.checks] == [("there", "b", False), ("other", "a", True)]


@pytest.mark.parametrize("broken", [{"points": "5"}, {"points": -1}, {"points": True}, {"passed": "yes"}])
def test_a_check_that_cannot_be_read_has_failed(broken):
    result = verdict(code("1", display(CHECK, check() | broken)))
    assert result.status == "failed" and result.checks[0].points == 0


def test_a_check_that_failed_without_an_exception_fails_the_notebook():
    failing = [display(CHECK, check(n, passed=False, message="Run 01 again.")) for n in ("a", "b")]
    result = verdict(code("1", *failing))
    assert result.failure.sentence == "01_x: the check “a” (and 1 more) failed: Run 01 again."
    assert not result.failure.died


def test_a_notebook_without_checks_fails():
    assert verdict(code("x = 1")).failure.sentence.startswith("01_x ended without a check of this run (none)")
    assert verdict().status == "failed"


def test_a_cell_that_never_ran_fails_the_notebook_and_a_blank_one_does_not():
    result = verdict(code("", count=None), code("\n# first\nx = 1", count=None), CHECKED)
    assert result.failure.sentence.startswith("01_x, code cell 1 (`# first`): the cell never ran")
    assert result.failure.died
    assert verdict(code("  \n", count=None), CHECKED).status == "passed"


def test_cells_are_numbered_as_in_the_notebook_before_papermill_added_one():
    cells = [code("a: int = 1", tags=["parameters"]), code("a = 2", tags=["injected-parameters"])]
    result = verdict(*cells, code("boom()", error("ValueError", "no such thing")), CHECKED)
    assert result.failure.sentence == (
        "01_x, code cell 2 (`boom()`): ValueError: no such thing; the traceback is in runs/latest/01_x.ipynb."
    )
    assert result.failure.traceback == "boom"
    assert result.code_cells == 3


@pytest.mark.parametrize(
    ("ename", "evalue", "said"),
    [
        (
            "StepMissing",
            "The stream is not there: run 01_streams first.",
            "The stream is not there: run 01_streams first.",
        ),
        ("SystemExit", "0", "the cell called sys.exit, so nothing after it ran; take the call out and run again."),
        ("MemoryError", "", "MemoryError; the traceback is in runs/latest/01_x.ipynb."),
        ("ValueError", "Bad.", "ValueError: Bad; the traceback is in runs/latest/01_x.ipynb."),
        ("OddError", "\x1b[31mtwo\n lines\x1b[0m", "OddError: two lines; the traceback is in runs/latest/01_x.ipynb."),
    ],
)
def test_an_error_is_one_sentence(ename, evalue, said):
    failure = verdict(code("f()", error(ename, evalue)), CHECKED).failure
    assert failure.sentence == f"01_x, code cell 1 (`f()`): {said}"
    assert failure.died


def test_a_failed_check_is_not_a_death():
    failed = code("c()", display(CHECK, check(passed=False)), error("CheckFailed", "1 check of 01_x failed: wait."))
    failure = verdict(failed, code("later()", count=None)).failure
    assert failure.sentence == "01_x, code cell 1 (`c()`): 1 check of 01_x failed: wait."
    assert not failure.died


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        (Stop("kernel died", "", 0), "01_x, code cell 1 (`f()`): the kernel died"),
        (Stop("timeout", "600", 0), "01_x, code cell 1 (`f()`): the cell was still running after 600 s"),
        (Stop("interrupted", "", 0), "01_x, code cell 1 (`f()`): the run was interrupted here"),
        (Stop("kernel did not start", "no answer"), "01_x: its kernel did not start (no answer)"),
        (Stop("runner", "OSError: disk full"), "01_x: it could not be executed (OSError: disk full)"),
    ],
)
def test_a_stop_names_the_cell_it_happened_in(stop, said):
    failure = verdict(code("f()"), CHECKED, stop=stop).failure
    assert failure.sentence.startswith(said) and failure.sentence.endswith(".")
    assert failure.died


def test_steps_are_those_of_this_run():
    def timing(**item):
        return display(TIMING, {"run_id": RUN, "name": "StartApplication to RUNNING", "seconds": 9.25} | item)

    result = verdict(code("1", timing(), timing(run_id="other"), timing(seconds="soon")), CHECKED)
    assert result.steps == (Step("StartApplication to RUNNING", 9.25),)


def series(*notebooks, ended=None):
    return SeriesResult(RUN, "2026-11-23T23:21:31+00:00", 40.0, notebooks, ended=ended)


def test_the_score_counts_passed_checks_and_is_zero_when_anything_died():
    good = verdict(CHECKED)
    half = verdict(code("1", display(CHECK, {"checks": [check("a", points=3), check("b", passed=False, points=4)]})))
    dead = verdict(CHECKED, code("f()", error("ValueError", "x")))
    assert (series(good).passed, series(good).score, series(good).max_score) == (True, 5, 5)
    assert (series(good, half).passed, series(good, half).score, series(good, half).max_score) == (False, 8, 12)
    assert (series(good, dead).passed, series(good, dead).score) == (False, 0)
    assert (series(good, ended="The disk is full.").passed, series(good, ended="The disk is full.").score) == (False, 0)
    assert not series(good, NotebookResult("02_y", "not run")).passed
    assert not series().passed


def test_the_first_line_of_a_cell_is_short():
    assert first_line("\n\n  x = 1\ny = 2") == "x = 1"
    assert first_line("y" * 100) == "y" * 59 + "…"


def test_a_blank_lets_the_series_go_on_and_is_its_sentence_at_the_end():
    blank = check("key", passed=False, message="Not attempted yet: fill the blank.", attempted=False)
    first = verdict(code("lab.check('01')", display(CHECK, {"checks": [check(), blank]})))
    assert (first.status, first.failure.blank, first.failure.died) == ("failed", True, False)
    assert not first.checks[1].attempted
    series = SeriesResult(RUN, "2026-11-23T23:21:31+00:00", 3.0, (first, verdict(CHECKED)))
    assert series.sentence == "1 check waits for an exercise. 01_x: “key”: Not attempted yet: fill the blank."
    assert (series.passed, series.score, series.max_score) == (False, 10, 15)


def test_a_failed_check_is_said_before_a_blank():
    blank = check("key", passed=False, message="Not attempted yet.", attempted=False)
    wrong = check("other", passed=False, message="do this")
    first = verdict(code("1", display(CHECK, {"checks": [blank]})))
    second = verdict(code("1", display(CHECK, {"checks": [wrong]})))
    series = SeriesResult(RUN, "2026-11-23T23:21:31+00:00", 3.0, (first, second))
    assert series.sentence == "01_x: the check “other” failed: do this."
    assert not second.failure.blank


def test_a_passed_check_cannot_be_unattempted():
    result = verdict(code("1", display(CHECK, {"checks": [check(attempted=False)]})))
    assert result.checks[0].attempted and result.status == "passed"
