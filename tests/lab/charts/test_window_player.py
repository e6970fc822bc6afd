"""The window player: what each position of its sliders shows, and the still picture it leaves."""

import json
import warnings

import pytest

from lab.charts.window_player import DELAYS, SIZES, SLIDES, cost_table, example_events, window_player
from lab.charts.window_steps import steps
from lab.core.cell_outputs import MOVING
from lab.core.errors import BadParameter
from tests.lab.charts.pictures import assert_readable


def test_a_longer_delay_loses_less_and_waits_longer():
    table = cost_table(example_events(), 60, 30)
    assert len(example_events()) == 60
    assert table["late (event, window) pairs"].tolist() == [7, 5, 5, 5, 4, 4, 2, 1, 0]
    assert table["a result waits, s"].is_monotonic_increasing
    assert table["a result waits, s"].iloc[-1] > 10 * table["a result waits, s"].iloc[0]


def test_every_position_of_the_sliders_is_computed():
    data, events = window_player().moving.data, example_events()
    assert len(data["scenes"]) == len(DELAYS) * len(SIZES) * len(SLIDES)
    for delay, size, slide in ((0, 60, 30), (5, 60, 30), (5, 20, 10), (12, 60, 10), (20, 40, 20)):
        found, scene = (
            steps(events, size * 1000, slide * 1000, delay * 1000),
            data["scenes"][f"{delay} s|{size} s|{slide} s"],
        )
        assert sum(pairs for _, pairs in scene["late"]) == found.late_pairs
        closes = [None if one.closed_by is None else events[one.closed_by].arrival for one in found.windows]
        assert scene["windows"] == [
            list(pair) for pair in zip((one.start for one in found.windows), closes, strict=True)
        ]
    assert data["scenes"]["5 s|40 s|30 s"]["error"].startswith("Flink refuses this: a window of 40 s")


def test_the_sliders_begin_where_the_notebook_says():
    picture = window_player(10, 60, 10)
    scene = "|".join(one["values"][one["at"]] for one in picture.moving.data["choices"])
    assert scene == "10 s|60 s|10 s" and scene in picture.moving.data["scenes"]
    with pytest.raises(BadParameter, match="the player has 20, 30, 40, 60 seconds"):
        window_player(5, 61, 30)


def test_where_nothing_moves_the_still_picture_is_left():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = window_player()
        assert_readable(picture)
    assert "4 events come too late, for 4 (event, window) pairs." in picture.alt
    shown = picture._repr_mimebundle_()
    assert json.loads(json.dumps(shown[MOVING])) == {"kind": "windows", "data": picture.moving.data}
    assert len(shown["text/html"]) < 200_000 and "http://" not in shown["text/html"].replace(
        "http://www.w3.org/2000/svg", ""
    )
