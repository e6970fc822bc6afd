"""What the recording account wrote down, as calls of botocore's service models: who called what, on what."""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import botocore.session
from botocore.model import OperationModel, ServiceModel

_CREDENTIAL = re.compile(r"Credential=(\w+)/\d+/([\w-]+)/([\w-]+)/aws4_request")
_EXECUTED = re.compile(r"exec-env/(\w+)")
# The name a service signs with, where botocore calls its model something else.
_MODELS = {"kinesisanalytics": "kinesisanalyticsv2", "monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi"}


@dataclass(frozen=True)
class Call:
    """One request and its answer. `caller` is "student", "producer", "flink" or "account" (the embedded one itself)."""

    caller: str
    account: str
    region: str
    service: str
    operation: str
    parameters: dict[str, Any]
    status: int
    answer_type: str = ""
    answer: bytes | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.service} {self.operation}"

    @property
    def model(self) -> OperationModel:
        return service_model(self.service).operation_model(self.operation)


_SIGNED_AS = {"servicequotas": "service-quotas"}  # the name in a signature -> botocore's, where they differ


@cache
def service_model(name: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(_SIGNED_AS.get(name, name))


def read_calls(path: Path) -> list[Call]:
    """Every signed call in the file; what is not signed (the Flink dashboard asks nothing here) would raise."""
    return [_call(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def _call(line: dict[str, Any]) -> Call:
    headers = line["headers"]
    credential = _CREDENTIAL.search(headers.get("authorization", ""))
    assert credential, f"a request without a signature: {line['method']} {line['path']}"
    account, region, signing = credential.groups()
    service = _MODELS.get(signing, signing)
    if target := headers.get("x-amz-target"):
        operation, parameters = target.rpartition(".")[2], dict(line["body"])
    elif "Action" in line["body"]:
        operation, parameters = line["body"]["Action"], dict(line["body"])
    else:
        operation, parameters = _rest_operation(service, line)
        parameters |= line["body"]
    return Call(
        _caller(headers.get("user-agent", "")), account, region, service, operation, parameters,
        line["status"], line["answer_type"], None if line["answer"] is None else base64.b64decode(line["answer"]),
    )  # fmt: skip


def _caller(user_agent: str) -> str:
    if user_agent.endswith("localaws"):
        return "account"
    executed = _EXECUTED.search(user_agent)
    if executed is None:
        return "student"
    return "producer" if executed[1].startswith("AWS_Lambda") else "flink"


def _rest_operation(service: str, line: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The operation whose method, path and needed query members fit, the most particular one; its path's parameters."""
    query = dict(parse_qsl(line["query"], keep_blank_values=True))
    fitting = []
    for method, path, needed, name in _routes(service):
        found = path.fullmatch(line["path"]) if method == line["method"] else None
        if found and all(key in query and value in (None, query[key]) for key, value in needed.items()):
            fitting.append((len(needed), name, {key: unquote(text) for key, text in found.groupdict().items()}))
    assert fitting, f"no operation of {service} fits {line['method']} {line['path']}?{line['query']}"
    fitting.sort(key=lambda one: one[0])
    _, name, parameters = fitting[-1]
    if service == "s3" and "x-amz-copy-source" in line["headers"]:
        name = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}[name]
    return name, {**query, **parameters}


@cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], dict[str, str | None], str]]:
    """(method, path, query members it needs with their value or None, name) of each operation of a REST service."""
    return list(_read_routes(service))


def _read_routes(service: str) -> Iterator[tuple[str, re.Pattern[str], dict[str, str | None], str]]:
    model = service_model(service)
    for name in model.operation_names:
        operation = model.operation_model(name)
        if service == "s3" and name in ("CopyObject", "UploadPartCopy", "ListDirectoryBuckets"):
            continue  # told from PutObject and UploadPart by a header; from ListBuckets by another host name
        uri, _, fixed = operation.http["requestUri"].partition("?")
        needed: dict[str, str | None] = {
            key: value or None for key, value in parse_qsl(fixed, keep_blank_values=True) if key != "x-id"
        }
        shape = operation.input_shape
        for member in shape.required_members if shape else []:
            serialization = shape.members[member].serialization
            if serialization.get("location") == "querystring":
                needed.setdefault(serialization["name"], None)
        pattern = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", uri.rstrip("/") or "/")
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
        yield operation.http["method"], re.compile(pattern + "/?"), needed, name
