"""Who may ask the account what: local names only, no page of another site, and no administrative path."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from localaws.machine.connection_reset import resettable

Scope = dict[str, Any]
Asgi = Callable[[Scope, Callable[..., Awaitable[Any]], Callable[..., Awaitable[None]]], Awaitable[None]]

# A page in the user's browser can be made to resolve its own name to 127.0.0.1 (DNS rebinding); the Host header
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
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if not _LOCAL_HOST.match(headers.get(b"host", "")):
            host = headers.get(b"host", "")
            await _refuse(scope, send, 403, f"The embedded account answers local names only, not {host!r}.")
        elif _from_elsewhere(headers):
            await _refuse(scope, send, 403, "The embedded account does not answer pages of other sites.")
        elif scope["path"].startswith(_ADMINISTRATIVE):
            await _refuse(scope, send, 404, "The emulator's administrative paths are closed.")
        elif scope["path"] == STATUS_PATH:
            await _answer(send, 200, status())
        elif scope["type"] == "websocket":
            await inner(scope, receive, send)
        else:
            await inner(scope, receive, resettable(send))

    return application


def _from_elsewhere(headers: dict[bytes, str]) -> bool:
    """A browser asks on behalf of a page that is not local: it says so, and the emulator allows every origin."""
    origin = headers.get(b"origin")
    if origin is not None and not _LOCAL_HOST.match(urlsplit(origin).netloc):
        return True
    return headers.get(b"sec-fetch-site") == "cross-site"


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
