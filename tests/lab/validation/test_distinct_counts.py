"""Counting by intervals against counting by listing every window."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lab.validation.distinct_counts import count_windows


def columns(rows):
    return (np.array([row[column] for row in rows], dtype="int64") for column in range(4))


row = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(-6, 6), st.integers(-6, 8), st.booleans())


@settings(max_examples=300, deadline=None)
@given(st.lists(row, max_size=25), st.integers(0, 3))
def test_the_same_as_listing_every_window(rows, threshold):
    use = np.array([row[4] for row in rows], dtype=bool)
    got = count_windows(*columns(rows), use, threshold)
    members = defaultdict(set)
    for group, item, start, stop, used in rows:
        for window in range(start, stop) if used else ():
            members[group, window].add(item)
    wanted = sorted((*key, len(items)) for key, items in members.items() if len(items) > threshold)
    assert list(zip(*(column.tolist() for column in got), strict=True)) == wanted


@pytest.mark.parametrize("rows", [[], [(0, 0, 5, 5)], [(0, 0, 5, 4)]])
def test_nothing(rows):
    assert [len(column) for column in count_windows(*columns(rows), np.ones(len(rows), dtype=bool), 0)] == [0, 0, 0]


def test_memory_does_not_grow_with_the_length_of_a_window():
    many = 10**12
    rows = [(0, 0, 0, many), (0, 1, many - 2, 2 * many)]
    group, window, count = count_windows(*columns(rows), np.array([True, True]), 1)
    assert (group.tolist(), window.tolist(), count.tolist()) == ([0, 0], [many - 2, many - 1], [2, 2])
