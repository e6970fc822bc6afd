"""Call a student's function in another process, which runs `inside/call_functions.py`.

What comes back is data and nothing else. A Kinesis client that is handed to a function stays here; the function asks
for its calls.
"""

import base64
import json
import os
import select
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from lab.core.errors import LabError
from lab.streams.quiet_time import QuietTime

_LOOK = 0.5  # seconds between two looks at how long a call has taken
_LONGEST = 64 << 20  # bytes of one answer
# What a function may ask of its client; every other call is refused.
_ALLOWED = {"put_records", "get_shard_iterator", "get_records"}
_BLANK = "NotImplementedError"
_SENTENCE = "NotTaken"  # whose text says all


class FunctionFailed(LabError):
    """Say that the student's function did not give a value."""


class FunctionTooSlow(FunctionFailed):
    """Say that the function, or the machine, took longer than a call may take."""


class Functions:
    """Provide functions of one submission, by a pair of file descriptors.

    A call takes `seconds` at most, and the start of their process `start_seconds` (QuietTime).
    """

    def __init__(self, answers: int, requests: int, seconds: float, start_seconds: float) -> None:
        self._answers, self._requests = answers, requests
        self._seconds, self._start_seconds = seconds, start_seconds
        self._rest = b""
        self._number = 0
        self._lost: str | None = None
        os.set_blocking(answers, False)

    def named(self, where: str, function: str) -> Callable[..., Any]:
        """Return a function of a file, to be called like any other.

        Raises NotImplementedError where it is a blank, FunctionFailed where it failed, is not there or took too long.
        """
        return partial(self._call, where, function)

    def value(self, where: str, name: str) -> Any:
        """Return a constant of a file."""
        return self._call(where, name)

    def _call(self, where: str, function: str, *arguments: Any) -> Any:
        if self._lost:
            raise FunctionFailed(self._lost)
        if not self._number:
            self._receive(QuietTime(), self._start_seconds, function)  # it says when it is ready
        self._number += 1
        client = next((one for one in arguments if hasattr(one, "put_records") or hasattr(one, "get_records")), None)
        self._send(
            {
                "id": self._number,
                "where": where,
                "function": function,
                "arguments": [{"$client": True} if one is client and client is not None else _packed(one)
                              for one in arguments],
            }
        )  # fmt: skip
        running = QuietTime()
        while True:
            message = self._receive(running, self._seconds, function)
            if message.get("id") != self._number:
                continue
            if "call" in message:
                self._send(_done_for(client, message))
            elif message.get("error") == _BLANK:
                raise NotImplementedError
            elif message.get("error"):
                kind, said = str(message["error"])[:100], str(message.get("said") or "")[:500]
                sentence = f"`{function}` of {where} failed ({f'{kind}: {said}'.rstrip(': ')}): correct it."
                raise FunctionFailed(said if kind == _SENTENCE else sentence)
            else:
                return _unpacked(message.get("value"))

    def _send(self, message: dict[str, Any]) -> None:
        try:
            data = json.dumps(message).encode() + b"\n"
            while data:
                data = data[os.write(self._requests, data) :]
        except OSError as error:
            self._lost = "The process that calls the functions ended; a function may have ended it."
            raise FunctionFailed(self._lost) from error

    def _receive(self, running: QuietTime, most: float, function: str) -> dict[str, Any]:
        while b"\n" not in self._rest:
            if running.seconds() > most:
                self._lost = f"`{function}` took longer than {most:.0f} s: correct it."
                raise FunctionTooSlow(self._lost)
            if len(self._rest) > _LONGEST:
                self._lost = f"`{function}` answered without end: correct it."
                raise FunctionFailed(self._lost)
            if not select.select([self._answers], [], [], _LOOK)[0]:
                continue
            chunk = os.read(self._answers, 1 << 20)
            if not chunk:
                self._lost = f"The process ended while it called `{function}`; correct the function."
                raise FunctionFailed(self._lost)
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        return message if isinstance(message, dict) else {}


def _done_for(client: Any, message: dict[str, Any]) -> dict[str, Any]:
    """Make the call a function asks for."""
    name = message["call"]
    if client is None or name not in _ALLOWED or not hasattr(client, name):
        return {"error": f"{name} is not a call that the exercise needs"}
    try:
        return {"value": _packed(getattr(client, name)(**_unpacked(message.get("arguments") or {})))}
    except Exception as error:  # noqa: BLE001 - whatever the service says, the function is told
        return {"error": f"{type(error).__name__}: {error}"}


def _packed(value: Any) -> Any:
    """Return a value as JSON can carry it; see `call_functions.unpacked`."""
    if isinstance(value, bytes | bytearray):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, pd.DataFrame):
        times = [name for name in value.columns if pd.api.types.is_datetime64_any_dtype(value[name])]
        plain = value.assign(**{name: value[name].astype(str) for name in times})
        return {"$table": plain.to_json(orient="table", index=False), "times": times}
    if isinstance(value, dict):
        return {str(key): _packed(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_packed(one) for one in value]
    if isinstance(value, np.generic):
        return value.item()
    return value.isoformat() if isinstance(value, datetime) else value


def _unpacked(value: Any) -> Any:
    """Return what a function answered; tables become DataFrames of plain values."""
    if isinstance(value, dict):
        if "$bytes" in value:
            return base64.b64decode(str(value["$bytes"]))
        if "$table" in value:
            table = json.loads(value["$table"])
            return pd.DataFrame(table["data"], columns=[field["name"] for field in table["schema"]["fields"]])
        return {key: _unpacked(one) for key, one in value.items()}
    return [_unpacked(one) for one in value] if isinstance(value, list) else value
