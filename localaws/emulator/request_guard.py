"""Guard the account's port: local names only, no page of another site, no administrative path."""

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
_SCOPE = re.compile(r"Credential=[^/,\s]+/\d{8}/[\w-]*/([\w-]+)/aws4_request")
# Bytes of one request's body, which the account holds in memory: an object of S3 in one part, and any other request
# (the largest that AWS takes is a function's zip of 50 MB in base64).
MAX_OBJECT_BYTES, MAX_BYTES = 1 << 30, 80 << 20


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
            body = _BoundedBody(receive, _most_bytes(headers))
            await inner(scope, body.receive, resettable(send))
            if body.too_large:
                await _refuse_body(send, body.most)

    return application


def signed_service(headers: dict[bytes, str]) -> str | None:
    """Return the service that the credential scope of a request's signature names; None where none does."""
    scope = _SCOPE.search(headers.get(b"authorization", ""))
    return scope[1] if scope else None


def _most_bytes(headers: dict[bytes, str]) -> int:
    """Return how many bytes a request's body may hold; a request without a signature is for S3."""
    is_s3 = b"authorization" not in headers or signed_service(headers) == "s3"
    return MAX_OBJECT_BYTES if is_s3 and b"x-amz-target" not in headers else MAX_BYTES


class _BoundedBody:
    """Pass a request's body on up to ``most`` bytes; the rest of a larger one is read and not kept.

    The account then sees that its client has gone.
    """

    def __init__(self, receive: Any, most: int) -> None:
        self._receive, self.most, self._bytes = receive, most, 0

    @property
    def too_large(self) -> bool:
        return self._bytes > self.most

    async def receive(self) -> Any:
        message = await self._receive()
        self._bytes += len(message.get("body", b""))
        if not self.too_large:
            return message
        if message.get("more_body", False):
            await read_to_end(self._receive)
        return {"type": "http.disconnect"}


async def read_to_end(receive: Any) -> None:
    """Read what is left of a request's body: a client hears no answer before it has sent everything."""
    while (await receive()).get("more_body", False):
        pass


def _from_elsewhere(headers: dict[bytes, str]) -> bool:
    """Say whether a browser asks on behalf of a page of another site, which the emulator would allow."""
    origin = headers.get(b"origin")
    if origin is not None and not _LOCAL_HOST.match(urlsplit(origin).netloc):
        return True
    return headers.get(b"sec-fetch-site") == "cross-site"


async def _refuse(scope: Scope, send: Any, code: int, message: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await _answer(send, code, {"message": message})


async def _refuse_body(send: Any, most: int) -> None:
    message = f"The embedded account takes at most {most >> 20} MiB in one request: send less, or an object in parts."
    if most == MAX_OBJECT_BYTES:
        text = f"<Error><Code>EntityTooLarge</Code><Message>{message}</Message></Error>".encode()
        await send_answer(send, 400, text, "application/xml")
    else:
        await _answer(send, 413, {"__type": "RequestEntityTooLargeException", "message": message})


async def _answer(send: Any, code: int, body: dict[str, Any]) -> None:
    await send_answer(send, code, json.dumps(body).encode(), "application/json")


async def send_answer(send: Any, code: int, text: bytes, kind: str, *more: tuple[bytes, bytes]) -> None:
    """Send a whole answer of this content type, with ``more`` headers."""
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(text)).encode()), *more]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": text})
