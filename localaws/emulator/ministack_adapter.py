"""Adapt MiniStack: make its server answer with our Managed Flink and our Kinesis.

Every name used here is private to MiniStack, so the version is pinned exactly, and ``check_ministack`` says in a
sentence what differs when another version is installed. A contract test calls it. What is put in is in
``control_plane`` and ``kinesis``; nothing there knows MiniStack.
"""

import importlib
import importlib.metadata
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from localaws.emulator.service_checks import checked_json, checked_lambda, checked_s3, well_formed
from localaws.errors import MiniStackChanged
from localaws.job_description import ApplicationKey
from localaws.kinesis import shards

MINISTACK = "1.5.33"
SERVICES = "s3,kinesis,lambda,iam,sts,logs,monitoring,kinesisanalyticsv2"

# module -> names used from it, with the parameters we rely on (None: not a function)
_HANDLE = ("method", "path", "headers", "body", "query_params")
_CONTRACT: dict[str, dict[str, tuple[str, ...] | None]] = {
    "ministack.services.kinesisanalyticsv2": {"handle_request": _HANDLE},
    "ministack.services.kinesis": {
        "handle_request": _HANDLE,
        "_streams": None,
        "_consumers": None,
        "_create_stream": ("data",),
        "_resolve_stream": ("data",),
        "_next_sequence_number": (),
        "_expire_records": ("stream",),
        "_route_to_shard": ("hash_key_int", "stream"),
    },
    "ministack.services.lambda_svc": {"handle_request": _HANDLE},
    "ministack.services.cloudwatch_logs": {"handle_request": _HANDLE},
    "ministack.services.iam": {"handle_request": _HANDLE},
    "ministack.services.sts": {"handle_request": _HANDLE},
    "ministack.services.s3": {"_get_object_data": ("bucket_name", "key", "version_id")},
    "ministack.core.responses": {
        "request_scope": ("account_id", "region"),
        "get_account_id": (),
        "get_region": (),
    },
    "ministack.core.concurrency": {"esm_wake": None},
}


def check_ministack() -> None:
    """Compare the installed MiniStack with what this module was made for; raises MiniStackChanged with what differs."""
    version = importlib.metadata.version("ministack")
    if version != MINISTACK:
        raise MiniStackChanged(
            f"MiniStack {version} is installed, but the embedded account was made for {MINISTACK}; install "
            "requirements.txt as it is, or carry localaws/emulator/ministack_adapter.py over to the new version."
        )
    for module_name, names in _CONTRACT.items():
        module = importlib.import_module(module_name)
        for name, parameters in names.items():
            if not hasattr(module, name):
                raise MiniStackChanged(f"{module_name} has no {name} any more; {__name__} must follow.")
            if parameters is None:
                continue
            found = tuple(inspect.signature(getattr(module, name)).parameters)
            if found != parameters:
                raise MiniStackChanged(f"{module_name}.{name} takes {found}, not {parameters}; {__name__} must follow.")


class MiniStackAccount:
    """Give the data plane what it needs of the account: objects of S3 and shards of Kinesis."""

    def fetch_object(self, key: ApplicationKey, bucket: str, name: str, version: str | None) -> bytes | None:
        """Return the bytes of an object, or None where it does not exist."""
        with _scope(key):
            return _service("s3")._get_object_data(bucket, name, version)

    def streams(self, key: ApplicationKey) -> "MiniStackStreams":
        return MiniStackStreams(key)


class MiniStackStreams:
    """Provide the Kinesis streams of one account and region."""

    def __init__(self, key: ApplicationKey) -> None:
        self._key = key

    def exists(self, name: str) -> bool:
        with _scope(self._key):
            return name in _service("kinesis")._streams

    def open_shards(self, name: str) -> Iterable[str]:
        with _scope(self._key):
            stream = _service("kinesis")._streams.get(name)
            return shards.open_shards(stream) if stream else []


class MiniStackKinesis:
    """Provide the streams of the account and region of the request being answered; see ``kinesis.backend``."""

    def __init__(self) -> None:
        self._kinesis = _service("kinesis")
        self._responses = importlib.import_module("ministack.core.responses")
        self._wake = importlib.import_module("ministack.core.concurrency").esm_wake

    @property
    def account(self) -> str:
        return self._responses.get_account_id()

    def stream(self, data: dict[str, Any]) -> shards.Stream | None:
        return self._kinesis._resolve_stream(data)[1]

    def streams(self) -> list[shards.Stream]:
        return self._kinesis._streams.values()

    def stream_named(self, name: str) -> shards.Stream | None:
        return self._kinesis._streams.get(name)

    def create(self, name: str, shard_count: int, mode: str) -> shards.Stream:
        details = {"StreamMode": mode}
        self._kinesis._create_stream({"StreamName": name, "ShardCount": shard_count, "StreamModeDetails": details})
        return self._kinesis._streams[name]

    def stored(self) -> int:
        return sum(stream.get("stored", 0) for _, stream in self._kinesis._streams.all_items())

    def consumers(self, stream: shards.Stream) -> list[dict[str, Any]]:
        return [one for one in self._kinesis._consumers.values() if one["StreamARN"] == stream["StreamARN"]]

    def wake_readers(self) -> None:
        self._wake.set()


def request_account() -> tuple[str, str]:
    """Return account and region of the request being answered."""
    responses = importlib.import_module("ministack.core.responses")
    return responses.get_account_id(), responses.get_region()


def emulator_kinesis() -> Any:
    """Return MiniStack's own handler of Kinesis requests, for the operations that are not ours."""
    return _service("kinesis").handle_request


def install(managed_flink: Any, kinesis: Any) -> Callable[..., Any]:
    """Install both request handlers, check the requests of MiniStack's, and return its ASGI application."""
    check_ministack()
    functions, logs, objects = _service("lambda_svc"), _service("cloudwatch_logs"), _service("s3")
    functions.handle_request = checked_lambda(functions.handle_request, objects._get_object_data)
    logs.handle_request = checked_json("logs", "InvalidParameterException", logs.handle_request)
    objects.handle_request = checked_s3(objects.handle_request)
    for name in ("iam", "sts"):
        service = _service(name)
        service.handle_request = well_formed(service.handle_request)
    _service("kinesisanalyticsv2").handle_request = managed_flink
    emulator = _service("kinesis")
    emulator.handle_request = kinesis
    # What remains MiniStack's works on the same streams: it must keep their closed shards and its own time short.
    emulator._expire_records = shards.expire
    emulator._route_to_shard = lambda hash_key, stream: shards.route(stream, hash_key)
    emulator._next_sequence_number = shards.next_sequence_number
    return importlib.import_module("ministack.app").app


def _service(name: str) -> Any:
    return importlib.import_module(f"ministack.services.{name}")


def _scope(key: ApplicationKey) -> Any:
    return importlib.import_module("ministack.core.responses").request_scope(key.account, key.region)
