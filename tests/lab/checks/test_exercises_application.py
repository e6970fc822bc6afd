"""Right and wrong answers to the exercises 4 to 8: the application's SQL, its parallelism, the threshold."""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lab.checks import check
from lab.checks.check import CHECKS
from lab.checks.pipeline import Pipeline
from lab.checks.probe import Finding, Place, probe, take
from lab.core.names import APPLICATION_SCRIPT, GROUPS_GROUP
from lab.core.session import Session
from lab.exercises.attempts import (
    dropped_by_parallelism,
    hand_in_threshold,
)
from lab.exercises.catalog import EXERCISES
from lab.exercises.student_edition import student_files
from lab.streams.reading import Position
from lab.streams.records import Events, Groups, Output, read_groups
from lab.validation.input_files import labels_of
from lab.validation.reference import windows
from lab.validation.scores import score
from tests.support.account import PROJECT
from tests.support.exercises import SAMPLE, SETTINGS, finding


@pytest.fixture(scope="module")
def sample() -> Events:
    """The sample as `reviews` holds it: four shards in turn, ten reviews a second, one marker a shard at the end."""
    table = pd.DataFrame(json.loads(SAMPLE.read_text()))[["review_id", "reviewer", "movie", "rating"]]
    number = pd.Series(range(len(table)))
    time = pd.Timestamp("2026-01-01") + pd.to_timedelta(number * 100, unit="ms")
    table = table.assign(
        shard="shard-" + (number % 4).astype(str), order=number // 4, event_time=time,
        arrival=pd.Timestamp("2026-11-01", tz="UTC") + pd.to_timedelta(number // 400 * 200, unit="ms"),
    )  # fmt: skip
    marker = table.iloc[-4:].assign(reviewer=None, review_id="end-marker", event_time=time.max() + pd.Timedelta("5min"))
    marker["order"] += 1
    return Events(table, marker, pd.DataFrame(), tuple(sorted(table["shard"].unique())), ())


@pytest.fixture(scope="module")
def known(sample: Events) -> dict[str, Any]:
    reference = windows(sample, 60, 30, 1, 5)
    position = Position("student", pd.Timestamp("2026-11-01").to_pydatetime(), "reviews", {})
    return {"position": position, "events": sample, "reference": reference, "output": Output(reference.windows)}


@pytest.mark.parametrize(("chosen", "said"), [(3, ""), (2, "precision is below 0.60"), (4, "a lower one is too")])
def test_the_threshold_is_the_lowest_that_is_precise_enough(
    session: Session, sample: Events, known: dict[str, Any], chosen: int, said: str
) -> None:
    scores = score(windows(sample, 60, 30, 0, 5).windows, labels_of("", "data/sample.json"))
    shown = hand_in_threshold(session, lambda table: chosen, scores) or ""
    assert shown.startswith(f"{'✘ ' * (chosen == 2)}Chosen: keep movie_count > {chosen}. ")
    assert ("The precision is below 0.60" in shown) is (chosen == 2)
    found = finding(session, "threshold", known)
    assert found.passed is not bool(said), found.message
    assert said in found.message


@pytest.mark.parametrize(
    ("choose", "said"),
    [
        (lambda table: table["precision"].max(), "returned 1.0: that is a precision, not a threshold"),
        (lambda table: 0.5, "returned 0.5: return one whole number"),
        (lambda table: table, "returned a DataFrame of 12: return one whole number"),
        (lambda table: None, "returned None (is a `return` missing?)"),
        (lambda table: table[table["precision"] > 1]["threshold"].iloc[0], "with IndexError: single positional"),
        (
            lambda table: table[table["precision"] >= 0.6]["recall"].idxmax(),
            "returned 2: that is the label of a row, as `idxmax` returns it, and not its threshold, so return",
        ),
    ],
    ids=["precision", "half", "table", "nothing", "IndexError", "label"],
)
def test_what_is_no_threshold_is_not_made_one(
    session: Session, sample: Events, capsys: pytest.CaptureFixture[str], choose: Any, said: str
) -> None:
    scores = score(windows(sample, 60, 30, 0, 5).windows, labels_of("", "data/sample.json"))
    assert hand_in_threshold(session, choose, scores) is None
    assert said in capsys.readouterr().out
    found = finding(session, "threshold")
    assert (found.passed, found.attempted) == (False, True) and said in found.message


def test_a_threshold_from_a_row_of_the_table_may_be_a_float(session: Session, sample: Events) -> None:
    scores = score(windows(sample, 60, 30, 0, 5).windows, labels_of("", "data/sample.json"))
    assert "keep movie_count > 3." in (
        hand_in_threshold(session, lambda table: table.iloc[2]["threshold"], scores) or ""
    )


def test_where_no_threshold_is_precise_enough_it_is_said_and_nothing_is_lost(session: Session, sample: Events) -> None:
    """With the wall clock all reviews are of one second, and everybody who writes twice is flagged."""
    at_once = sample.table.assign(event_time=sample.table["event_time"].min())
    events = Events(at_once, sample.markers, sample.unreadable, sample.open_shards, ())
    scores = score(windows(events, 60, 30, 0, 5).windows, labels_of("", "data/sample.json"))

    def choose(table: pd.DataFrame) -> int:
        return table[table["precision"] >= 0.6]["threshold"].iloc[0]

    said = hand_in_threshold(session, choose, scores) or ""
    assert "No threshold reaches a precision of 0.60" in said and 'With `clock = "now"`' in said
    found = finding(session, "threshold", {"events": events})
    assert found.passed and "No threshold reaches a precision of 0.60" in found.message


def crowds(reviews: pd.DataFrame, size: int, slide: int, *, agreed: bool, least: int = 5) -> pd.DataFrame:
    rows = reviews.assign(window_start=reviews["event_time"].dt.floor(f"{slide}s"), rating=reviews["rating"].fillna(""))
    rows = pd.concat([rows, rows.assign(window_start=rows["window_start"] - pd.Timedelta(seconds=slide))])
    counts = rows.groupby(["movie", "window_start"]).agg(n=("reviewer", "nunique"), r=("rating", "nunique"))
    found = counts[(counts["n"] >= least) & ((counts["r"] == 1) | (not agreed))].reset_index()
    return found.rename(columns={"n": "reviewers"}).assign(
        window_end=found["window_start"] + pd.Timedelta(seconds=size)
    )


def package_of(source: str) -> zipfile.ZipFile:
    """The zip of an application whose file is this."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as out:
        out.writestr(APPLICATION_SCRIPT, source)
    return zipfile.ZipFile(package)


def with_groups(known: dict[str, Any], groups: pd.DataFrame, **more: Any) -> dict[str, Any]:
    """What is known of an account whose application has written these groups."""
    source = (PROJECT / "flink_app" / APPLICATION_SCRIPT).read_text()
    there = {"package": package_of(source), "properties": {GROUPS_GROUP: {}}, "parallelism": (4, 4)}
    return {**known, **there, "groups": Groups(groups), **more}


@pytest.mark.parametrize(
    ("agreed", "least", "said"),
    [(True, 5, "30 of the 30 reviewers who burst together are caught, 0 others too."),
     (False, 5, "look how the ratings of a plot differ"), (True, 50, "let the count go down")],
    ids=["right", "opening nights too", "nobody"],
)  # fmt: skip
def test_groups_are_caught_and_opening_nights_are_not(
    session: Session, sample: Events, known: dict[str, Any], agreed: bool, least: int, said: str
) -> None:
    found = finding(session, "groups", with_groups(known, crowds(sample.table, 60, 30, agreed=agreed, least=least)))
    assert found.passed is (least == 5 and agreed), found.message
    assert said in found.message


def test_groups_that_one_subtask_lost_are_the_matter_of_exercise_6(session: Session, known: dict[str, Any]) -> None:
    nobody = pd.DataFrame(columns=["movie", "reviewers", "window_start", "window_end"])
    found = finding(session, "groups", with_groups(known, nobody, parallelism=(1, 4), rows_dropped=1435))
    assert not found.passed and not found.attempted
    assert "1,435 rows were dropped as late" in found.message


def test_a_second_output_that_cannot_be_judged_says_why(
    session: Session, sample: Events, known: dict[str, Any]
) -> None:
    right = crowds(sample.table, 60, 30, agreed=True)
    none = finding(session, "groups", with_groups(known, right, properties={}))
    assert not none.passed and none.attempted
    assert "has no property group producer.config.1, so it looks for no groups: run 03_flink_job again" in none.message
    odd = read_groups(pd.DataFrame({"shard": ["s"], "sequence_number": ["1"], "data": [b'{"movie": "m"}']}))
    unreadable = finding(session, "groups", {**with_groups(known, right), "groups": odd})
    assert not unreadable.passed and "1 records cannot be read (the first: reviewers is 'None')" in unreadable.message


@pytest.mark.parametrize(("solved", "waits_for"), [((), "groups"), (("bursting_groups",), "window")])
def test_a_blank_second_statement_is_not_attempted(
    session: Session, known: dict[str, Any], solved: tuple[str, ...], waits_for: str
) -> None:
    """Where it is solved and the window is blank, the application writes nothing, and that is the exercise to do."""
    source = student_files()["flink_app/SlidingWindows/sliding-windows.py"]
    for name in solved:
        begin = source.index("raise NotImplementedError()", source.index(f"def {name}("))
        source = source[:begin] + source[begin:].replace("raise NotImplementedError()", "return ''", 1)
    found = finding(session, "groups", {**known, "package": package_of(source)})
    assert (found.passed, found.attempted) == (False, False)
    assert found.message == EXERCISES[waits_for].not_attempted


@pytest.mark.parametrize("slug", ["window", "watermark", "groups"])
def test_an_edited_file_does_not_pass_by_what_ran_before(
    session: Session, known: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slug: str
) -> None:
    """Compared is what stands in the files, and the zip in the bucket with the one that the application has."""
    folder = tmp_path / "SlidingWindows"
    folder.mkdir()
    source = (PROJECT / "flink_app" / APPLICATION_SCRIPT).read_text()
    script = folder / "sliding-windows.py"
    script.write_text(source.replace(' = 1"""', ' <= 2"""'))
    (check,) = [check for check in CHECKS if check.slug == slug]

    def found(runs: bytes) -> Finding:
        digest = hashlib.md5(runs, usedforsecurity=False).hexdigest()
        code = {"ApplicationCodeConfigurationDescription": {"CodeContentDescription": {"CodeMD5": digest}}}
        detail = {"ApplicationConfigurationDescription": code}
        monkeypatch.setattr(Pipeline, "application", lambda lab: detail)
        there = with_groups(known, crowds(known["events"].table, 60, 30, agreed=True), package_bytes=b"zip")
        return take(check, Pipeline(session, {**SETTINGS, "reviews_file": "data/sample.json"}, there, folder))

    edited = found(b"zip")
    assert (edited.passed, edited.attempted) == (False, True)
    assert edited.message == (
        "Your file SlidingWindows/sliding-windows.py is newer than the zip in the bucket, so what ran is not what you "
        "wrote: run 03_flink_job again from 'Package and upload' on, then this notebook."
    )
    script.write_text(source)
    assert "The zip in the bucket is newer than the one that runs" in found(b"older").message
    if slug != "watermark":  # which asks the running job
        assert found(b"zip").passed


@pytest.mark.parametrize("slug", ["window", "watermark", "windows_equal", "nothing_lost", "output_visible", "groups"])
def test_a_notebook_with_another_threshold_than_the_application_is_told_so(
    session: Session, known: dict[str, Any], slug: str
) -> None:
    there = with_groups(known, crowds(known["events"].table, 60, 30, agreed=True))
    found = finding(session, slug, there, threshold=3, slide_seconds=20)
    assert not found.passed and found.attempted
    assert found.message == (
        "The application runs with slide_seconds = 30 and threshold = 1, and this notebook says slide_seconds = 20 and "
        "threshold = 3: set the same parameters in 03_flink_job and 04_validate, then run both again."
    )


def test_fewer_subtasks_than_shards_drop_rows_and_as_many_drop_none(sample: Events) -> None:
    table = sample.table
    # Each shard's answer holds 100 s of event time: the second shard of a subtask is that late.
    late_first = sample.table.assign(arrival=table["arrival"].dt.floor("2s"))
    dropped = dropped_by_parallelism(
        Events(late_first, sample.markers, sample.unreadable, sample.open_shards), **SETTINGS
    )["late rows dropped"]
    assert dropped[4] == 0
    assert len(table) > dropped[1] > dropped[2] > 500


@pytest.mark.parametrize("dropped", [1435, 0])
def test_one_subtask_as_asked_says_what_it_cost(
    session: Session, monkeypatch: pytest.MonkeyPatch, dropped: int
) -> None:
    """The exercise begins with parallelism 1: the checks that it spoils say so, and not to fill a blank."""
    monkeypatch.setattr("lab.checks.blanks.uploaded_source", lambda lab: "")
    known = {"parallelism": (1, 4), "rows_dropped": dropped}
    for slug in ("windows_equal", "nothing_lost"):
        found = finding(session, slug, known)
        assert (found.passed, found.attempted) == (False, False)
        assert "You ran with parallelism 1, as exercise 6 asks" in found.message
        assert ("1,435 rows were dropped as late" in found.message) is (dropped == 1435)
        assert "fill the blank" not in found.message
    assert ("1,435 rows" in finding(session, "parallelism", known).message) is (dropped == 1435)


def test_a_blank_is_shown_with_its_hint_and_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[tuple[Any, ...]] = []
    blank = probe("key", "01_streams", 5)(lambda lab: Place("there").open("Not attempted yet"))
    monkeypatch.setattr(check, "CHECKS", (blank,))
    monkeypatch.setattr(check, "leave", lambda *given: left.append(given))
    check.check("01", Session("local", "us-east-1", "000000000000", "http://127.0.0.1:1", "run-1"))
    ((_, data, text, html),) = left
    assert (data["checks"][0]["passed"], data["checks"][0]["attempted"]) == (False, False)
    assert text.startswith("  not attempted  key") and "○ not attempted" in html
