"""Close a caller's connection without an answer, which no ASGI message can ask for."""

import contextvars
from collections.abc import Awaitable, Callable
from typing import Any

from hypercorn.protocol.events import StreamClosed

Send = Callable[[dict[str, Any]], Awaitable[None]]

_wanted_resets: contextvars.ContextVar[list[bool] | None] = contextvars.ContextVar("wanted_resets", default=None)


def reset_connection() -> None:
    """Close the connection of the request being answered at the moment when its answer would begin."""
    wanted = _wanted_resets.get()
    if wanted is not None:
        wanted.append(True)


def resettable(send: Send) -> Send:
    """Wrap ``send`` of one request: it closes the connection once ``reset_connection`` was called."""
    wanted: list[bool] = []
    _wanted_resets.set(wanted)

    async def send_or_reset(message: dict[str, Any]) -> None:
        if not wanted:
            await send(message)
        elif message["type"] == "http.response.start":
            # The server's stream object behind its ASGI callable: told that it is closed before anything was
            # sent, it ends the connection, and the client sees it reset.
            stream = send.__self__  # type: ignore[attr-defined]
            stream.closed = True
            await stream.send(StreamClosed(stream_id=stream.stream_id))

    return send_or_reset
