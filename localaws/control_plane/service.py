"""Dispatch requests of ``kinesisanalyticsv2`` to their operations and encode the answers."""

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore import xform_name

from localaws.control_plane import rules
from localaws.control_plane.applications import ApplicationOperations
from localaws.control_plane.errors import ApiError, unsupported
from localaws.control_plane.history import HistoryOperations
from localaws.control_plane.lifecycle import Lifecycle
from localaws.control_plane.store import ApplicationStore
from localaws.job_description import Services
from localaws.validation import RequestModel, read_json

log = logging.getLogger("localaws.control_plane")

Answer = tuple[int, dict[str, str], bytes]


class ControlPlane:
    """Answer the API in threads, because the event loop also serves the jobs' own calls."""

    def __init__(
        self, home: Path, dataplane: Any, services: Services, scope: Callable[[], tuple[str, str]], **options: Any
    ) -> None:
        self.store = ApplicationStore(home)
        self._model = RequestModel("kinesisanalyticsv2")
        self._scope = scope
        lifecycle = Lifecycle(dataplane, self.store, services, **options)
        self._handlers = (
            ApplicationOperations(self.store, lifecycle, services),
            HistoryOperations(self.store, lifecycle),
        )

    async def handle_request(self, method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Answer:
        """Answer one request as the emulator's handlers do: status, headers, body."""
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        account, region = self._scope()
        try:
            answer = await asyncio.to_thread(self.call, operation, account, region, body)
        except ApiError as error:
            return _answer(error.status, {"__type": error.code, "message": str(error)}, error.code)
        except OSError as error:
            log.exception("%s failed", operation)
            message = f"The embedded account cannot use its home ({error}); free some space and call {operation} again."
            return _answer(500, {"__type": "InternalFailure", "message": message}, "InternalFailure")
        return _answer(200, answer)

    def call(self, operation: str, account: str, region: str, body: bytes | str) -> dict[str, Any]:
        """Run one operation and return its answer; raises ApiError."""
        data = read_json(body)
        if operation == "CreateApplication" and isinstance(data.get("RuntimeEnvironment"), str):
            rules.check_runtime(data["RuntimeEnvironment"])
        data = self._model.check(operation, data)
        method = xform_name(operation)  # as boto3 calls it
        for handler in self._handlers:
            if hasattr(handler, method):
                return getattr(handler, method)(account, region, data)
        return self._refuse(operation, account, region, data)

    def _refuse(self, operation: str, account: str, region: str, data: dict[str, Any]) -> dict[str, Any]:
        if "ApplicationName" in data:
            self.store.require(account, region, data)
        if "Vpc" in operation:
            raise unsupported(f"The local account has no VPC; {operation} works on AWS only.")
        raise unsupported(f"{operation} is for SQL applications; this is an application of Apache Flink.")


def _answer(status: int, body: dict[str, Any], error: str | None = None) -> Answer:
    headers = {"Content-Type": "application/x-amz-json-1.1"} | ({"x-amzn-errortype": error} if error else {})
    return status, headers, json.dumps(body).encode()
