"""The one visual language: colours that everybody can tell apart, and never colour alone."""

from itertools import combinations

import numpy as np
import pytest

from lab.charts.style import GROUND, LOOKS, colors

# How a colour looks to people who lack one kind of cone (Machado, Oliveira and Fernandes 2009, severity 1.0).
SEEN_BY = {
    "all cones": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TOGETHER = [("review", "watermark", "open", "closed", "late"), ("not_flagged", "planted", "honest", "missed")]


def linear(color):
    share = np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def luminance(color):
    return float(np.array([0.2126, 0.7152, 0.0722]) @ linear(color))


def cielab(rgb):
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratio = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.9505, 1, 1.089])
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("names", TOGETHER)
@pytest.mark.parametrize("seen", SEEN_BY.values(), ids=SEEN_BY)
def test_colours_that_meet_stay_apart(names, seen):
    for one, other in combinations(names, 2):
        first, second = (cielab(np.array(seen) @ linear(LOOKS[name].color)) for name in (one, other))
        assert np.linalg.norm(first - second) > 15, (one, other)  # 2.3 is a difference one just notices


def test_each_thing_has_a_colour_and_a_mark_or_pattern_of_its_own():
    assert len({look.color for look in LOOKS.values()}) == len(LOOKS)
    for names in TOGETHER:
        cues = {(LOOKS[name].marker, LOOKS[name].line, LOOKS[name].hatch) for name in names}
        assert len(cues) == len(names)


def test_every_colour_is_seen_on_the_ground():
    for name, color in colors().items():
        if name not in ("ground", "grid"):
            assert (luminance(GROUND) + 0.05) / (luminance(color) + 0.05) >= 3, name
