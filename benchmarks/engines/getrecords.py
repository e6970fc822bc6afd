"""The ceiling: the records are fetched and thrown away, nothing is decoded."""

from collections.abc import Iterable, Iterator
from typing import Any


def windows(batches: Iterable[list[dict[str, Any]]]) -> Iterator[tuple[str, int, int]]:
    for _ in batches:
        pass
    return iter(())
