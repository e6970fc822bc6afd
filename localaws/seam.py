"""The one place that touches MiniStack's inside: our data plane behind its control plane, and a few closer defaults.

Every name used here is private to MiniStack, so the version is pinned exactly and ``check_seam`` says in a sentence
what moved when another version is installed. A contract test calls it.
"""

import contextvars
import importlib
import importlib.metadata
import inspect
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import cbor2

from localaws.errors import ApplicationRefused, SeamMoved
from localaws.managed_flink.application import ApplicationKey
from localaws.managed_flink.dataplane import DataPlane
from localaws.managed_flink.sources import caller_of

MINISTACK = "1.5.33"
ON_DEMAND_SHARDS = 4  # an on-demand stream starts with four shards on AWS, with one in MiniStack
SERVICES = "s3,kinesis,lambda,iam,sts,logs,monitoring,kinesisanalyticsv2"

# module -> names used from it, with the parameters we rely on (None: not a function)
_CONTRACT: dict[str, dict[str, tuple[str, ...] | None]] = {
    "ministack.services.kinesisanalyticsv2": {
        "_dataplane": None,
        "_HANDLERS": None,
        "_applications": None,
        "_get": ("name",),
        "_error": ("code", "message", "status"),
        "_not_found": ("name",),
        "_dataplane_view": ("record",),
        "_start_application": ("data",),
        "json_response": None,
    },
    "ministack.services.kinesis": {
        "handle_request": ("method", "path", "headers", "body", "query_params"),
        "_streams": None,
        "_shard_iterators": None,
        "_create_stream": ("data",),
        "_list_shards": ("data",),
        "_get_records": ("data",),
        "_resolve_stream": ("data",),
    },
    "ministack.services.s3": {"_get_object_data": ("bucket_name", "key", "version_id")},
    "ministack.core.responses": {"request_scope": ("account_id", "region")},
}

_caller: contextvars.ContextVar[str | None] = contextvars.ContextVar("caller", default=None)


def check_seam() -> None:
    """Compare the installed MiniStack with what this module was made for; raises SeamMoved with what differs."""
    version = importlib.metadata.version("ministack")
    if version != MINISTACK:
        raise SeamMoved(
            f"MiniStack {version} is installed, but the embedded account was made for {MINISTACK}; install "
            "requirements.txt as it is, or carry localaws/seam.py over to the new version."
        )
    for module_name, names in _CONTRACT.items():
        module = importlib.import_module(module_name)
        for name, parameters in names.items():
            if not hasattr(module, name):
                raise SeamMoved(f"{module_name} has no {name} any more; localaws/seam.py has to follow.")
            found = tuple(inspect.signature(getattr(module, name)).parameters) if parameters else None
            if found != parameters:
                raise SeamMoved(
                    f"{module_name}.{name} takes {found}, not {parameters}; localaws/seam.py has to follow."
                )


class MiniStackAccount:
    """What the data plane needs of the account: objects of S3 and shards of Kinesis, read inside the process."""

    def fetch_object(self, key: ApplicationKey, bucket: str, name: str, version: str | None) -> bytes | None:
        """The bytes of an object, or None where there is none."""
        with _scope(key):
            return _module("s3")._get_object_data(bucket, name, version)

    def streams(self, key: ApplicationKey) -> "MiniStackStreams":
        return MiniStackStreams(key)


class MiniStackStreams:
    """The Kinesis streams of one account and region."""

    def __init__(self, key: ApplicationKey) -> None:
        self._key = key

    def exists(self, name: str) -> bool:
        with _scope(self._key):
            return name in _module("kinesis")._streams

    def open_shards(self, name: str) -> Iterable[str]:
        with _scope(self._key):
            stream = _module("kinesis")._streams.get(name)
            return list(stream["shards"]) if stream else []


def install(dataplane: DataPlane) -> Callable[..., Any]:
    """Put the data plane behind ``kinesisanalyticsv2`` and return MiniStack's ASGI application."""
    check_seam()
    _install_managed_flink(_module("kinesisanalyticsv2"), dataplane)
    _install_kinesis(_module("kinesis"), dataplane)
    return importlib.import_module("ministack.app").app


def _install_managed_flink(control: ModuleType, dataplane: DataPlane) -> None:
    control._dataplane = dataplane
    start = control._start_application

    def checked_start(data: dict[str, Any]) -> Any:
        record = control._get(data.get("ApplicationName"))
        if record is not None and record["ApplicationStatus"] == "READY":
            try:
                dataplane.check(control._dataplane_view(record))
            except ApplicationRefused as refused:
                return control._error("InvalidArgumentException", str(refused))
        return start(data)

    def list_applications(data: dict[str, Any]) -> Any:
        records = sorted(control._applications.values(), key=lambda record: record["ApplicationName"])
        first, limit = int(data.get("NextToken") or 0), int(data.get("Limit") or 50)
        kept = (
            "ApplicationName",
            "ApplicationARN",
            "ApplicationStatus",
            "ApplicationVersionId",
            "RuntimeEnvironment",
            "ApplicationMode",
        )
        page = records[first : first + limit]
        answer: dict[str, Any] = {"ApplicationSummaries": [{name: record[name] for name in kept} for record in page]}
        if first + limit < len(records):
            answer["NextToken"] = str(first + limit)
        return control.json_response(answer)

    def create_presigned_url(data: dict[str, Any]) -> Any:
        record = control._get(data.get("ApplicationName"))
        if record is None:
            return control._not_found(data.get("ApplicationName"))
        if data.get("UrlType") != "FLINK_DASHBOARD_URL":
            return control._error("InvalidArgumentException", "UrlType must be FLINK_DASHBOARD_URL.")
        if record["ApplicationStatus"] != "RUNNING":
            return control._error(
                "ResourceInUseException",
                f"The dashboard is there while the application is RUNNING; it is {record['ApplicationStatus']}.",
            )
        view = control._dataplane_view(record)
        url = dataplane.dashboard(ApplicationKey(view["AccountId"], view["Region"], view["ApplicationName"]))
        return control.json_response({"AuthorizedUrl": url})

    control._HANDLERS["StartApplication"] = checked_start
    control._HANDLERS["ListApplications"] = list_applications
    control._HANDLERS["CreateApplicationPresignedUrl"] = create_presigned_url


def _install_kinesis(kinesis: ModuleType, dataplane: DataPlane) -> None:
    handle, create = kinesis.handle_request, kinesis._create_stream
    list_shards, get_records = kinesis._list_shards, kinesis._get_records

    async def handle_request(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        _caller.set(caller_of(headers.get("user-agent", "") + " " + headers.get("x-amz-user-agent", "")))
        if "cbor" in headers.get("content-type", "") and headers.get("x-amz-target", "").endswith("GetShardIterator"):
            body = _seconds_for_milliseconds(body)
        return await handle(method, path, headers, body, query)

    def create_stream(data: dict[str, Any]) -> Any:
        if data.get("StreamModeDetails", {}).get("StreamMode") == "ON_DEMAND":
            data = {**data, "ShardCount": ON_DEMAND_SHARDS}
        return create(data)

    def seen_list_shards(data: dict[str, Any]) -> Any:
        caller = _caller.get()
        if caller:
            name, stream = kinesis._resolve_stream(data)
            if stream:
                dataplane.tracker.listed(caller, stream["StreamName"])
        return list_shards(data)

    def seen_get_records(data: dict[str, Any]) -> Any:
        answer = get_records(data)
        caller = _caller.get()
        if caller and answer[0] == 200:
            iterator = kinesis._shard_iterators.get(data.get("ShardIterator"))
            if iterator:
                dataplane.tracker.read(caller, iterator["stream"], iterator["shard_id"])
        return answer

    kinesis.handle_request = handle_request
    kinesis._create_stream = create_stream
    kinesis._list_shards = seen_list_shards
    kinesis._get_records = seen_get_records


def _seconds_for_milliseconds(body: bytes) -> bytes:
    """AWS's CBOR counts a timestamp (tag 1) in milliseconds; the standard, and so MiniStack's decoder, in seconds."""
    return cbor2.dumps(cbor2.loads(body, semantic_decoders={1: lambda millis, immutable: millis / 1000}))


def _module(service: str) -> ModuleType:
    return importlib.import_module(f"ministack.services.{service}")


def _scope(key: ApplicationKey) -> Any:
    return importlib.import_module("ministack.core.responses").request_scope(key.account, key.region)
