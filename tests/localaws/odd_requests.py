"""Requests that break botocore's models in one place each, made from the models themselves.

For each operation a request that keeps to the model, and then, for each member of it however deep, the same request
with that member of a wrong type, null, empty, too long, out of its pattern or out of its range.
"""

import copy
import http.client
import itertools
import json
import re
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import botocore.session
import cbor2

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:odd"
ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/odd"
CODE = "arn:aws:s3:::bucket"
# Values of members whose patterns a plain word does not match, tried in this order.
_WORDS = (
    "odd",
    "1",
    ARN,
    f"{ARN}/consumer/c:1",
    f"{ARN.replace('stream', 'channel')}",
    "arn:aws:iam::000000000000:role/LabRole",
    "arn:aws:kinesisanalytics:us-east-1:000000000000:application/odd",
    "arn:aws:logs:us-east-1:000000000000:log-group:odd:log-stream:odd",
    CODE,
    "arn:aws:lambda:us-east-1:000000000000:function:odd",
    "aaaaaaaaaaaaaaaaaaaa-aaa",
    "03:00",
    "MS",
    "s3://bucket/",
    "/aws/odd",
    "000000000000",
    "arn:aws:glue:us-east-1:000000000000:schema/a/b",
    "arn:aws:s3tables:us-east-1:000000000000:bucket/abc",
    "lambda:GetLayerVersion",
    "o-aaaaaaaaaa",
    "subnet-0",
    "sg-0",
    "/mnt/a",
    "arn:aws:lambda:us-east-1:000000000000:layer:a:1",
    "arn:aws:lambda:us-east-1:000000000000:capacity-provider:a",
    "arn:aws:lambda:us-east-1::runtime:a",
    f"arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-{'a' * 17}",
    f"arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-{'a' * 17}",
    "arn:aws:lambda:us-east-1:000000000000:function:f:1/durable-execution/a/b",
    "00000000-0000-0000-0000-000000000000",
    "us-east-1",
)
_WRONG: dict[str, list[Any]] = {
    "string": [5, 1.5, True, [], {}],
    "integer": ["x", 1.5, True, [], {}, 1 << 40, -(1 << 40)],
    "long": ["x", 1.5, True, [], {}, 1 << 63],
    "boolean": ["x", 1, [], {}],
    "timestamp": ["x", True, [], {}, 1e308],
    "double": ["x", True, [], {}],
    "float": ["x", True, [], {}],
    "blob": [5, True, [], {}, "my event", "a", "===="],
    "list": ["x", 5, True, {}],
    "map": ["x", 5, True, [], ["x"]],
    "structure": ["x", 5, True, [], ["x"]],
}


@dataclass(frozen=True)
class OddRequest:
    """A request, and the kind of refusal it has to meet: ``type``, ``rule``, or None where the model allows it."""

    operation: str
    what: str
    data: Any
    refusal: str | None


class Requests:
    """The requests of one service."""

    def __init__(self, service: str, seeds: dict[str, Any]) -> None:
        """``seeds`` are the values to use for members of these names."""
        self.service = botocore.session.get_session().get_service_model(service)
        self._seeds = seeds

    def odd(self, operation: str) -> Iterator[OddRequest]:
        shape = self.service.operation_model(operation).input_shape
        for text in ("[]", "5", "null", '"x"', "{", "[" * 5000, '{"a":' * 5000):
            yield OddRequest(operation, f"the body {text[:20]}", text, "type")
        if shape is None:
            return
        usual = self._usual(shape, 0)
        for path, member, required in self._members(shape, (), 0):
            if "location" in shape.members[path[0]].serialization:
                continue  # always a text
            for what, value, refusal in _odd_values(member, required):
                data = copy.deepcopy(usual)
                self._place(shape, data, path, value)
                yield OddRequest(operation, f"{'.'.join(map(str, path))}: {what}", data, refusal)

    def _usual(self, shape: Any, depth: int) -> Any:
        """A value that keeps to the model, with what is required."""
        match shape.type_name:
            case "structure":
                names = list(shape.required_members)
                if getattr(shape, "is_tagged_union", False):
                    names = list(shape.members)[:1]
                return {name: self._seeds.get(name) or self._usual(shape.members[name], depth + 1) for name in names}
            case "list":
                return [self._usual(shape.member, depth + 1)] * max(1, shape.metadata.get("min", 1))
            case "map":
                keys = itertools.islice(_words(shape.key), max(1, shape.metadata.get("min", 1)))
                return {key: self._usual(shape.value, depth + 1) for key in keys}
            case "string":
                return next(_words(shape))
            case "blob":
                return "eA=="
            case "boolean":
                return False
        return max(1, shape.metadata.get("min", 1))

    def _members(self, shape: Any, path: tuple[Any, ...], depth: int) -> Iterator[tuple[tuple[Any, ...], Any, bool]]:
        """Every member below a structure: its path, its shape, whether it is required."""
        for name, member in shape.members.items():
            here = (*path, name)
            yield here, member, name in shape.required_members
            while member.type_name in ("list", "map") and depth < 4:
                here, member = (*here, 0), member.member if member.type_name == "list" else member.value
                yield here, member, True
            if member.type_name == "structure" and depth < 4:
                yield from self._members(member, here, depth + 1)

    def _place(self, shape: Any, data: Any, path: tuple[Any, ...], value: Any) -> None:
        """Put ``value`` at ``path``, with what has to be around it."""
        for part, following in zip(path, (*path[1:], None), strict=True):
            if shape.type_name == "map":
                part, shape = next(iter(data)), shape.value
            elif shape.type_name == "list":
                shape = shape.member
            else:
                shape = shape.members[part]
            if following is None:
                data[part] = value
                return
            if isinstance(data, dict) and part not in data:
                data[part] = self._usual(shape, 0)
            data = data[part]


def _words(shape: Any) -> Iterator[str]:
    """Texts that keep to a string's model."""
    metadata = shape.metadata
    for word in metadata.get("enum") or (*_WORDS, "x" * metadata.get("min", 1)):
        if metadata.get("min", 0) <= len(word) <= metadata.get("max", 1 << 30) and _matches(metadata, word):
            yield word


def _matches(metadata: dict[str, Any], word: str) -> bool:
    pattern = re.sub(
        r"\\p\{(\w)\}", lambda found: {"L": r"\w", "N": r"\d", "Z": r"\s"}[found[1]], metadata.get("pattern", "")
    )
    return not pattern or re.fullmatch(pattern.replace("\\w-_", "\\w_-"), word) is not None


def _odd_values(shape: Any, required: bool) -> Iterator[tuple[str, Any, str | None]]:
    metadata, kind = shape.metadata, shape.type_name
    for value in _WRONG[kind]:
        yield f"{value!r} for a {kind}", value, "type"
    yield "null", None, "rule" if required else None
    least, most = metadata.get("min"), metadata.get("max")
    if kind == "string":
        refused = (least or 0) > 0 or "enum" in metadata or not _matches(metadata, "")
        yield "empty", "", "rule" if refused else None
        if most is not None and most < 1 << 20:
            yield "too long", "x" * (most + 1), "rule"
        for text in ("\x00", "<>&\u2028 é", "x" * 100_000):
            allowed = "enum" not in metadata and _matches(metadata, text) and len(text) <= (most or 1 << 30)
            yield f"the text {text[:10]!r}", text, None if allowed else "rule"
    elif kind in ("integer", "long"):
        if least is not None:
            yield "below its range", least - 1, "rule"
        if most is not None and most < 1 << 31:
            yield "above its range", most + 1, "rule"
    elif kind == "list":
        yield "empty", [], "rule" if (least or 0) > 0 else None
        if most is not None and most <= 10_000:
            yield "too many", [None] * (most + 1), "rule"
    elif kind == "map":
        yield "empty", {}, "rule" if (least or 0) > 0 else None
    elif kind == "blob" and most is not None:
        yield "too long", "eHh4" * (most // 3 + 1), "rule"


@dataclass(frozen=True)
class Answer:
    status: int
    code: str
    message: str


class Sender:
    """Sends requests as they are, past all that a client checks."""

    def __init__(self, port: int, target: str, service: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._target = target
        signing = botocore.session.get_session().get_service_model(service).signing_name
        credential = f"AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/{signing}/aws4_request"
        self._authorization = f"{credential}, SignedHeaders=host, Signature=0"

    def send(self, operation: str, data: Any, cbor: bool = False) -> Answer:
        body = cbor2.dumps(data) if cbor else (data if isinstance(data, str) else json.dumps(data)).encode()
        kind = "cbor" if cbor else "json"
        headers = {
            "Content-Type": f"application/x-amz-{kind}-1.1",
            "X-Amz-Target": f"{self._target}.{operation}",
            "Authorization": self._authorization,
        }
        return self._answer("POST", "/", body, headers, cbor)

    def send_rest(self, operation: Any, data: dict[str, Any] | str) -> Answer:
        """A request of the REST protocol: its path, query and headers from the members that belong there."""
        path, query = operation.http["requestUri"].partition("?")[0], {}
        headers = {"Authorization": self._authorization}
        shapes = operation.input_shape.members if operation.input_shape else {}
        body = data if isinstance(data, str) else {}
        for name, value in data.items() if isinstance(data, dict) else ():
            place, key = shapes[name].serialization.get("location"), shapes[name].serialization.get("name", name)
            if place == "uri":
                path = path.replace("{" + key + "}", urllib.parse.quote(str(value), safe=""))
            elif place == "querystring":
                query[key] = str(value)
            elif place == "header":
                headers[key] = str(value)
            else:
                body[name] = value
        path = path.replace("{FunctionName}", "odd").replace("{Resource}", urllib.parse.quote(FUNCTION, safe=""))
        where = path + ("?" + urllib.parse.urlencode(query) if query else "")
        content = body if isinstance(body, str) else json.dumps(body)
        return self._answer(operation.http["method"], where, content.encode(), headers, cbor=False)

    def _answer(self, method: str, path: str, body: bytes, headers: dict[str, str], cbor: bool) -> Answer:
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        try:
            told = cbor2.loads(content) if cbor else json.loads(content)
        except (ValueError, cbor2.CBORDecodeError):
            told = {}
        told = told if isinstance(told, dict) else {}
        return Answer(
            answer.status,
            answer.headers.get("x-amzn-errortype") or str(told.get("__type", "")),
            str(told.get("message", told.get("Message", ""))),
        )
