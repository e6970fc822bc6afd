"""Who may ask the account what: local names only, and none of the emulator's administrative paths."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

Scope = dict[str, Any]
Asgi = Callable[[Scope, Callable[..., Awaitable[Any]], Callable[..., Awaitable[None]]], Awaitable[None]]

# A page in the student's browser can be made to resolve its own name to 127.0.0.1 (DNS rebinding); the Host header
# still carries that name. Virtual-hosted buckets are names below localhost.
_LOCAL_HOST = re.compile(r"^(?:[\w.-]+\.)?(?:localhost|127\.0\.0\.1)(?::\d+)?$|^\[::1\](?::\d+)?$")
_ADMINISTRATIVE = ("/_ministack", "/_localstack")
STATUS_PATH = "/_localaws/status"


def guarded(inner: Asgi, status: Callable[[], dict[str, Any]]) -> Asgi:
    """Wrap the account's ASGI application; ``status`` answers ``GET /_localaws/status``."""

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await inner(scope, receive, send)
            return
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        if not _LOCAL_HOST.match(host):
            await _refuse(scope, send, 403, f"The embedded account answers local names only, not {host!r}.")
        elif scope["path"].startswith(_ADMINISTRATIVE):
            await _refuse(scope, send, 404, "The emulator's administrative paths are closed.")
        elif scope["path"] == STATUS_PATH:
            await _answer(send, 200, status())
        else:
            await inner(scope, receive, send)

    return application


async def _refuse(scope: Scope, send: Any, code: int, message: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await _answer(send, code, {"message": message})


async def _answer(send: Any, code: int, body: dict[str, Any]) -> None:
    text = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": text})
