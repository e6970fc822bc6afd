"""The film of a run: the same numbers as the reference and the model of parallelism."""

import json

import pandas as pd
import pytest

from lab.charts import run_film as module
from lab.charts.run_film import run_film
from lab.exercises.attempts import dropped_by_parallelism
from lab.streams.records import Events, Output
from lab.validation.reference import windows
from tests.lab.charts.films import SETTINGS, SHARDS, START, film, replay
from tests.lab.charts.pictures import assert_readable, warnings_are_errors


def test_the_film_has_the_numbers_of_the_reference_and_of_the_model():
    events = replay()
    with warnings_are_errors():
        picture = film(events)
        assert_readable(picture)
    dropped = dropped_by_parallelism(events, **SETTINGS)["late rows dropped"]
    assert picture.table.set_index("subtasks")["dropped: late for every window"].to_dict() == {
        4: dropped[4],
        1: dropped[1],
    }
    assert dropped[4] == 0 < dropped[1]
    each, one = (picture.moving.data["scenes"][name] for name in ("4", "1"))
    assert each["late"] == [] and sum(pairs for _, pairs in one["late"]) == picture.table.iloc[1, 2]
    reference = windows(events, **SETTINGS).windows
    written = {START.floor("30s") + pd.Timedelta(milliseconds=at): count for at, _, count in each["windows"]}
    assert {at: count for at, count in written.items() if count} == reference["window_start"].value_counts().to_dict()
    assert len(picture.moving.data["lines"]["4"]) == 4 and len(picture.moving.data["lines"]["1"]) == 1
    json.dumps(picture.moving.data)  # plain JSON, no number of numpy


def test_a_chosen_reviewer_has_the_counts_of_the_reference():
    events = replay()
    chosen = film(events).moving.data["reviewers"][0]
    counts = windows(events, **{**SETTINGS, "threshold": 0}).windows
    assert (
        chosen["most"]
        == counts.loc[counts["reviewer"] == chosen["name"], "movie_count"].max()
        == counts["movie_count"].max()
    )
    assert len(chosen["at"]) == (events.table["reviewer"] == chosen["name"]).sum()


def test_a_long_run_shows_its_beginning(monkeypatch):
    monkeypatch.setattr(module, "MOST_RECORDS", 100)
    picture = film(replay())
    assert "the first 100 of 1,204 records" in picture.alt
    assert len(picture.moving.data["sets"]["4"]) == 100


@pytest.mark.parametrize("count", [0, 1])
def test_hardly_anything(count):
    events = replay()
    shard = SHARDS[:1]
    few = Events(events.table.iloc[:count], events.markers.iloc[:0], events.unreadable, shard)
    with warnings_are_errors():
        picture = run_film(few, Output(windows(few, **SETTINGS).windows), **SETTINGS)
        assert_readable(picture)
    assert (picture.moving is None) == (count == 0)
