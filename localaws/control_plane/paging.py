"""Page through lists by Limit and NextToken, as all List operations of the API do."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from localaws.control_plane.errors import invalid

DEFAULT_LIMIT = 50

T = TypeVar("T")


def page(items: Sequence[T], data: dict[str, Any], member: str, shown: Callable[[T], Any]) -> dict[str, Any]:
    """Return one page of ``items`` under ``member``, with a NextToken where there are more."""
    token, limit = data.get("NextToken") or "0", data.get("Limit") or DEFAULT_LIMIT
    if not str(token).isdecimal():
        raise invalid(f"NextToken {token} is not one of ours; list from the beginning.")
    first = int(token)
    answer: dict[str, Any] = {member: [shown(item) for item in items[first : first + limit]]}
    if first + limit < len(items):
        answer["NextToken"] = str(first + limit)
    return answer
