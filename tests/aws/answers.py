"""Whether an answer is what botocore's service model says an operation answers: members, types, enums, errors."""

import base64
import binascii
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import cbor2
from botocore.model import Shape

from tests.aws.calls import Call, service_model

# Errors that any operation of a service may end in, so that its model does not list them for each.
_COMMON = {"AccessDeniedException", "ThrottlingException", "ValidationException", "InternalFailure"}
_NOT_IN_THE_BODY = ("header", "headers", "statusCode")


def complaints(call: Call) -> list[str]:
    """What is wrong with the call's answer, in sentences; empty where nothing is, or where its body was not kept."""
    if call.answer is None or call.status == 304:
        return []
    return [f"{call} ({call.status}): {one}" for one in _complaints(call, call.answer)]


def _complaints(call: Call, body: bytes) -> Iterator[str]:
    protocol = service_model(call.service).metadata["protocol"]
    if call.status >= 400:
        yield from _error(call, body, protocol)
        return
    shape = call.model.output_shape
    if protocol in ("json", "rest-json"):
        if shape is None or _payload(shape):
            return
        if "cbor" in call.answer_type:
            yield from _value(shape, cbor2.loads(body, semantic_decoders={1: lambda moment, _: moment}), "answer")
        else:
            yield from _value(shape, json.loads(body or b"{}"), "answer")
    elif body and "xml" in call.answer_type and shape is not None:
        root = ElementTree.fromstring(body)
        if protocol == "query":
            wrapper = root.find(f"{{*}}{shape.serialization.get('resultWrapper', call.operation + 'Result')}")
            if wrapper is None:
                yield f"there is no {call.operation}Result"
                return
            root = wrapper
        payload = _payload(shape)
        yield from _element(shape.members[payload] if payload else shape, root, "answer")


def _payload(shape: Shape) -> str | None:
    """The member that is the whole body, if there is one."""
    return shape.serialization.get("payload")


def _error(call: Call, body: bytes, protocol: str) -> Iterator[str]:
    if not body or protocol not in ("json", "rest-json"):
        return
    said = cbor2.loads(body) if "cbor" in call.answer_type else json.loads(body)
    code = str(said.get("__type") or said.get("code") or said.get("Type") or "").rpartition("#")[2]
    known = {shape.error_code for shape in call.model.error_shapes} | _COMMON
    if code and code not in known:
        yield f"the error {code} is none of this operation's"
    if not code and protocol == "json":
        yield "the error has no __type"


def _value(shape: Shape, value: Any, where: str) -> Iterator[str]:
    if value is None:
        return
    kind = shape.type_name
    if kind == "structure":
        yield from _structure(shape, value, where)
    elif kind == "list":
        if not isinstance(value, list):
            yield f"{where} is no list but {value!r}"
            return
        for number, one in enumerate(value):
            yield from _value(shape.member, one, f"{where}[{number}]")
    elif kind == "map":
        for key, one in value.items():
            yield from _value(shape.value, one, f"{where}[{key}]")
    elif not _fits(kind, value):
        yield f"{where} is no {kind} but {value!r:.80}"
    elif kind == "string" and shape.enum and value not in shape.enum:
        yield f"{where} is {value!r}, none of {', '.join(shape.enum)}"


def _structure(shape: Shape, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{where} is no structure but {value!r:.80}"
        return
    names = {
        member.serialization.get("name", name): (name, member)
        for name, member in shape.members.items()
        if member.serialization.get("location") not in _NOT_IN_THE_BODY
    }
    for key in value:
        if key not in names:
            yield f"{where}.{key} is not in the model"
    for key, (name, member) in names.items():
        if key in value:
            yield from _value(member, value[key], f"{where}.{key}")
        elif name in shape.required_members:
            yield f"{where}.{key} is required but not there"


def _fits(kind: str, value: Any) -> bool:
    match kind:
        case "string" | "character":
            return isinstance(value, str)
        case "integer" | "long":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float" | "double" | "bigdecimal":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "timestamp":
            return isinstance(value, int | float) or (isinstance(value, str) and _is_moment(value))
        case "blob":
            return isinstance(value, bytes) or (isinstance(value, str) and _is_base64(value))
    raise NotImplementedError(f"a {kind} in a service model: teach it to _fits")


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text.replace("+0000", "+00:00"))
    except ValueError:
        return False
    return True


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    return True


def _element(shape: Shape, element: ElementTree.Element, where: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure":
        members = {}
        for name, member in shape.members.items():
            if member.serialization.get("location") in _NOT_IN_THE_BODY or member.serialization.get("xmlAttribute"):
                continue
            tag = member.serialization.get("name", name)
            if member.type_name == "list" and member.serialization.get("flattened"):
                tag = member.serialization.get("name") or member.member.serialization.get("name", name)
            members[tag] = member
        for child in element:
            tag = child.tag.rpartition("}")[2]
            if tag not in members:
                yield f"{where}.{tag} is not in the model"
                continue
            member = members[tag]
            flat = member.type_name == "list" and member.serialization.get("flattened")
            yield from _element(member.member if flat else member, child, f"{where}.{tag}")
    elif kind == "list":
        wanted = shape.member.serialization.get("name", "member")
        for child in element:
            tag = child.tag.rpartition("}")[2]
            if tag != wanted:
                yield f"{where} holds {tag}, not {wanted}"
            else:
                yield from _element(shape.member, child, f"{where}[]")
    else:
        yield from _text(kind, shape, element.text or "", where)


def _text(kind: str, shape: Shape, text: str, where: str) -> Iterator[str]:
    if kind in ("integer", "long") and not text.lstrip("-").isdigit():
        yield f"{where} is no {kind} but {text!r}"
    elif kind == "boolean" and text not in ("true", "false"):
        yield f"{where} is no boolean but {text!r}"
    elif kind == "timestamp" and not _is_moment(text):
        yield f"{where} is no timestamp but {text!r}"
    elif kind == "string" and shape.enum and text and text not in shape.enum:
        yield f"{where} is {text!r}, none of {', '.join(shape.enum)}"
