"""Count distinct things in overlapping windows without listing every (row, window) pair.

A row lies in a run of consecutive windows, so it is an interval of window numbers. The runs of one review (it may occur
several times) are merged, so that it counts once in a window; then a reviewer's count rises by one where a merged run
begins and falls by one where it ends. Only windows above the threshold are ever listed. Time and memory grow with the
rows, not with window size / slide.
"""

import numpy as np


def count_windows(
    group: np.ndarray, item: np.ndarray, start: np.ndarray, stop: np.ndarray, use: np.ndarray, threshold: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return distinct items of each group in each window, where row i lies in windows start[i] <= w < stop[i].

    Groups and items are non-negative integers, `use` says which rows take part. Returns (group, window, count), only
    counts above the threshold, by group and window.
    """
    use = use & (start < stop)
    group, item, start, stop = group[use], item[use], start[use], stop[use]
    group, start, stop = _disjoint(group, item, start, stop)
    at_group = np.concatenate([group, group])
    at_window = np.concatenate([start, stop])
    change = np.concatenate([np.ones(len(start), dtype="int64"), -np.ones(len(stop), dtype="int64")])
    by_window = np.lexsort((at_window, at_group))
    at_group, at_window, count = at_group[by_window], at_window[by_window], np.cumsum(change[by_window])
    if not len(count):
        return at_group, at_window, count
    # Between one change and the next the count stands still; at the last change of a group it is back at 0.
    length = np.diff(at_window, append=at_window[-1])
    keep = (count > threshold) & (length > 0)
    length, first = length[keep], at_window[keep]
    return np.repeat(at_group[keep], length), consecutive(first, length), np.repeat(count[keep], length)


def consecutive(first: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Return runs of consecutive numbers, joined: from 3 two of them and from 7 one are 3, 4, 7."""
    begin = np.cumsum(length) - length
    return np.arange(length.sum()) + np.repeat(first - begin, length)


def _disjoint(
    group: np.ndarray, item: np.ndarray, start: np.ndarray, stop: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the intervals cut so that those of one (group, item) no longer overlap and cover the same windows."""
    if not len(group):
        return group, start, stop
    order = np.lexsort((start, item, group))
    group, item, start, stop = group[order], item[order], start[order], stop[order]
    fresh = np.ones(len(group), dtype=bool)
    fresh[1:] = (group[1:] != group[:-1]) | (item[1:] != item[:-1])
    # One running maximum for all: each (group, item) is moved above everything of the ones before it.
    lift = np.cumsum(fresh) * (int(stop.max()) - int(start.min()) + 1)
    reached = np.maximum.accumulate(stop + lift) - lift
    covered = np.where(fresh[1:], start[1:], reached[:-1])
    start[1:] = np.maximum(start[1:], covered)
    keep = start < stop
    return group[keep], start[keep], stop[keep]
