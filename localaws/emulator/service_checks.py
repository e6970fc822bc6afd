"""Check requests to the services the emulator serves itself against their models before it sees them.

Lambda's documented limits that its model does not carry are here too (developer guide, "Lambda quotas").
"""

import functools
import io
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import orjson
import pybase64

from localaws.errors import ApiError
from localaws.machine.zips import ZipRefused, open_zip
from localaws.validation import RequestModel, read_json, serialization

Handler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[Any]]
Members = dict[str, Any]

_NOT_IN_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SYNCHRONOUS_PAYLOAD = 6 << 20  # bytes
_ASYNCHRONOUS_PAYLOAD = 1 << 20
_ZIPPED = 50 << 20
_ENVIRONMENT = 4 << 10
_LARGEST = {"Timeout": 900, "MemorySize": 10_240}  # seconds and MB of a function that AWS runs on its own machines


def checked_json(service: str, violation: str, serve: Handler) -> Handler:
    """Wrap ``serve`` for requests that keep to the model of a service with the JSON protocol."""
    model = RequestModel(service, violation)

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        try:
            data = model.check(headers.get("x-amz-target", "").rpartition(".")[2], read_json(body))
        except ApiError as error:
            return _refusal(error)
        return await serve(method, path, headers, _json(data), query)

    return handle


def checked_s3(serve: Handler) -> Handler:
    """Wrap ``serve`` for requests whose texts an XML answer can carry and whose numbers are numbers."""

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]], **more: Any
    ) -> Any:
        texts = [("path", unquote(path)), *((name, text) for name, values in query.items() for text in values)]
        for name, text in texts:
            if _NOT_IN_XML.search(text):
                return _xml_error("InvalidArgument", f"The {name} {text[:100]!r} holds a control character.")
            if name in _numbers_in_queries() and not re.fullmatch(r"-?\d{1,19}", text):
                return _xml_error("InvalidArgument", f"The {name} {text[:100]!r} is not a number.")
        return await serve(method, path, headers, body, query, **more)

    return handle


@functools.cache
def _numbers_in_queries() -> set[str]:
    """Return the names of S3's whole numbers in queries."""
    model = RequestModel("s3").service
    shapes = (model.operation_model(name).input_shape for name in model.operation_names)
    return {
        member.serialization["name"]
        for shape in shapes
        if shape is not None
        for member in shape.members.values()
        if member.type_name in ("integer", "long") and member.serialization.get("location") == "querystring"
    }


def well_formed(serve: Handler) -> Handler:
    """Wrap ``serve`` so that answers are XML: the emulator puts the texts of a request into them as they are."""

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        answer = await serve(method, path, headers, body, query)
        try:
            ElementTree.fromstring(answer[2])  # noqa: S314 - our own emulator wrote it
        except ElementTree.ParseError:
            return _xml_error("ValidationError", "The request names something with characters that no name has.")
        return answer

    return handle


def _xml_error(code: str, message: str) -> tuple[int, dict[str, str], bytes]:
    error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    text = error if code == "InvalidArgument" else f"<ErrorResponse>{error}</ErrorResponse>"
    return 400, {"Content-Type": "application/xml"}, text.encode()


def checked_lambda(serve: Handler, fetch: Callable[[str, str, str | None], bytes | None]) -> Handler:
    """Wrap ``serve`` for requests that keep to Lambda's model and to its limits; ``fetch`` reads an object of S3."""
    model = RequestModel("lambda")
    routes = list(_routes(model))

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        try:
            for operation, verb, pattern in routes:
                found = pattern.fullmatch(path) if verb == method else None
                if found:
                    shape = model.service.operation_model(operation).input_shape
                    request = _members(shape, found.groupdict(), headers, query, body)
                    data = model.check(operation, request)
                    _check_limits(operation, data, body)
                    _check_code(data.get("Code", data), fetch)
                    body = body if shape is None or shape.serialization.get("payload") else _body(shape, data)
                    break
        except ApiError as error:
            return _refusal(error)
        return await serve(method, path, headers, body, query)

    return handle


def _routes(model: RequestModel) -> Iterator[tuple[str, str, re.Pattern[str]]]:
    """Yield name, method and path of every operation; the paths without parameters first."""
    operations = [model.service.operation_model(name) for name in model.service.operation_names]
    for one in sorted(operations, key=lambda one: one.http["requestUri"].count("{")):
        path = re.escape(one.http["requestUri"].partition("?")[0].rstrip("/"))
        yield one.name, one.http["method"], re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", path) + "/?")


def _members(shape: Any, uri: dict[str, str], headers: dict[str, str], query: Any, body: bytes) -> Members:
    """Return a request's members, from where the model says that each of them is."""
    if shape is None:
        return {}
    payload = shape.serialization.get("payload")
    # A payload is the body itself, and what one has to be is said by _check_limits.
    found: Members = {payload: body} if payload else read_json(body)
    for name, member in shape.members.items():
        place, key = member.serialization.get("location"), member.serialization.get("name", name)
        text: str | None = None
        if place == "uri":
            text = unquote(uri[key])
        elif place == "header":
            text = headers.get(key.lower())
        elif place == "querystring" and member.type_name not in ("list", "map"):
            text = next(iter(query.get(key, [])), None)
        elif place is None:
            continue
        found[name] = None if text is None else _typed(text, member.type_name, name)
    return found


def _body(shape: Any, data: Members) -> bytes:
    """Return what of a checked request is in its body; nothing where it had none."""
    inside = {name: value for name, value in data.items() if "location" not in shape.members[name].serialization}
    return _json(inside) if inside else b""


def _json(data: Members) -> bytes:
    return orjson.dumps(data, default=lambda blob: pybase64.b64encode(blob).decode())


def _typed(text: str, kind: str, name: str) -> Any:
    if kind in ("integer", "long"):
        if not re.fullmatch(r"-?\d{1,19}", text):
            raise serialization(f"{name} is not of the type {kind}.")
        return int(text)
    return text == "true" if kind == "boolean" else text


def _check_limits(operation: str, data: Members, body: bytes) -> None:
    """Raise ApiError for a request that is above a limit of Lambda."""
    if operation in ("Invoke", "InvokeAsync", "InvokeWithResponseStream"):
        _check_payload(data, body)
    for name, largest in _LARGEST.items():
        if data.get(name, 0) > largest and "CapacityProviderConfig" not in data:
            member = name[0].lower() + name[1:]
            raise ApiError(
                "InvalidParameterValueException",
                f"1 validation error detected: Value '{data[name]}' at '{member}' failed to satisfy constraint: "
                f"Member must have value less than or equal to {largest}",
            )
    variables = data.get("Environment", {}).get("Variables", {})
    if sum(len(name.encode()) + len(value.encode()) for name, value in variables.items()) > _ENVIRONMENT:
        raise ApiError(
            "InvalidParameterValueException",
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided exceeded the 4KB limit.",
        )


def _check_code(code: Members, fetch: Callable[[str, str, str | None], bytes | None]) -> None:
    packed = code.get("ZipFile")
    if packed is not None and len(packed) > _ZIPPED:
        raise ApiError(
            "RequestEntityTooLargeException",
            f"A zip sent with the request may have {_ZIPPED >> 20} MB; put a larger one into S3.",
            413,
        )
    if packed is None and "S3Bucket" in code and "S3Key" in code:
        packed = fetch(code["S3Bucket"], code["S3Key"], code.get("S3ObjectVersion"))
        if packed is None:
            raise ApiError(
                "InvalidParameterValueException",
                "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: There is no object "
                f"s3://{code['S3Bucket']}/{code['S3Key']}; upload the zip first.",
            )
    if packed is not None:
        try:
            open_zip(io.BytesIO(packed)).close()
        except ZipRefused as error:
            raise ApiError("InvalidParameterValueException", f"Could not unzip uploaded file. {error}") from error


def _check_payload(data: Members, body: bytes) -> None:
    asynchronous = data.get("InvocationType") == "Event"
    largest = _ASYNCHRONOUS_PAYLOAD if asynchronous else _SYNCHRONOUS_PAYLOAD
    if len(body) > largest:
        raise ApiError(
            "RequestTooLargeException",
            f"Request must be smaller than {largest} bytes for the InvokeFunction operation",
            413,
        )
    try:
        json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise ApiError(
            "InvalidRequestContentException",
            f"Could not parse request body into json: {error}; send the payload as JSON.",
        ) from error


def _refusal(error: ApiError) -> tuple[int, dict[str, str], bytes]:
    body = {"__type": error.code, "message": str(error), "Type": "User", "Message": str(error)}
    headers = {"Content-Type": "application/json", "x-amzn-errortype": error.code}
    return error.status, headers, json.dumps(body).encode()
