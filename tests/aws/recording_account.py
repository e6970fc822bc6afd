"""The embedded account, unchanged, with a scribe at its door: every request and answer becomes a line of a file.

A program with the arguments of ``localaws.server`` and ``--calls FILE``. What the notebooks, the Lambda function and
the Flink job ask of the account all comes through this door, whatever language asks.
"""

import base64
import json
import os
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import cbor2

from localaws import assembly, server
from localaws.emulator.request_guard import STATUS_PATH, Asgi

LAMBDA = "AWS_Lambda_python3.12"  # what AWS says in a function's AWS_EXECUTION_ENV, so in its User-Agent
KEPT_ANSWERS = 30  # of each kind of call, with their bodies
LONGEST_ANSWER = 400_000  # bytes
_BULKY = ("Records", "ZipFile", "logEvents")  # members of requests that say nothing about permissions
_HEADERS = ("authorization", "x-amz-target", "user-agent", "content-type", "x-amz-copy-source")


class Scribe:
    """An ASGI application that writes down what passes through it."""

    def __init__(self, inner: Asgi, path: Path) -> None:
        self._inner = inner
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self._seen: Counter[tuple[str, ...]] = Counter()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] == STATUS_PATH:
            await self._inner(scope, receive, send)
            return
        asked, answered, status = bytearray(), bytearray(), [0, ""]

        async def listen() -> Any:
            message = await receive()
            if message["type"] == "http.request":
                asked.extend(message.get("body", b""))
            return message

        async def speak(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
                status[:] = [message["status"], headers.get("content-type", "")]
            elif message["type"] == "http.response.body":
                answered.extend(message.get("body", b""))
            await send(message)

        try:
            await self._inner(scope, listen, speak)
        finally:
            self._write(scope, bytes(asked), status, bytes(answered))

    def _write(self, scope: dict[str, Any], asked: bytes, status: list[Any], answered: bytes) -> None:
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        target = headers.get("x-amz-target", "")
        query = scope["query_string"].decode()
        kind = (scope["method"], target or scope["path"], query.partition("=")[0], str(status[0]))
        self._seen[kind] += 1
        keep = self._seen[kind] <= KEPT_ANSWERS and len(answered) <= LONGEST_ANSWER
        line = {
            "method": scope["method"],
            "path": (scope.get("raw_path") or scope["path"].encode()).decode(),
            "query": query,
            "headers": {name: headers[name] for name in _HEADERS if name in headers},
            "body": _readable(headers.get("content-type", ""), asked),
            "status": status[0],
            "answer_type": status[1],
            "answer": base64.b64encode(answered).decode() if keep else None,
        }
        with self._lock:
            self._file.write(json.dumps(line, default=str) + "\n")
            self._file.flush()


def _readable(kind: str, body: bytes) -> dict[str, Any]:
    """The members of a request's body, without the bulky ones; empty where it has none."""
    if "cbor" in kind:
        members = cbor2.loads(body, semantic_decoders={1: lambda moment, _: moment})  # AWS: milliseconds
    elif "json" in kind and body:
        members = json.loads(body)
    elif "form-urlencoded" in kind:
        members = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    else:
        return {}
    return {name: value for name, value in members.items() if name not in _BULKY}


def main(arguments: list[str]) -> None:
    at = arguments.index("--calls")
    calls = Path(arguments[at + 1])
    sys.argv[1:] = arguments[:at] + arguments[at + 2 :]
    assemble = assembly.assemble

    def recorded(*given: Any) -> tuple[Asgi, Any]:
        os.environ["AWS_EXECUTION_ENV"] = LAMBDA  # inherited by functions; a Flink cluster has its own
        application, dataplane = assemble(*given)
        return Scribe(application, calls), dataplane

    assembly.assemble = recorded
    server.main()


if __name__ == "__main__":
    main(sys.argv[1:])
