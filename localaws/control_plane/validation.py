"""Requests against the API's own model, as botocore carries it: required members, lengths, ranges, patterns, values."""

import functools
import re
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape

from localaws.control_plane.errors import ApiError

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "timestamp": (int, float),
    "double": (int, float),
}


@functools.cache
def service_model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("kinesisanalyticsv2")


def check_request(operation: str, data: dict[str, Any]) -> None:
    """Raise ApiError (ValidationException or SerializationException) for a request that breaks the model."""
    shape = service_model().operation_model(operation).input_shape
    problems = list(_problems(shape, data, ""))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise ApiError("ValidationException", count + "; ".join(problems))


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        yield from _structure_problems(shape, _of_kind(value, dict, path), path)
    elif shape.type_name == "list":
        items = _of_kind(value, list, path)
        yield from _range_problems(shape, len(items), value, path, "have length")
        for number, item in enumerate(items, 1):
            yield from _problems(shape.member, item, f"{path}.{number}.member")
    elif shape.type_name == "map":
        entries = _of_kind(value, dict, path)
        yield from _range_problems(shape, len(entries), value, path, "have length")
        for key, member in entries.items():
            yield from _problems(shape.key, key, f"{path}.key")
            yield from _problems(shape.value, member, f"{path}.{key}.member")
    else:
        yield from _scalar_problems(shape, value, path)


def _structure_problems(shape: Any, value: dict[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield _problem(None, _join(path, name), "not be null")
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _problems(member, value[name], _join(path, name))


def _scalar_problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    kinds = _KINDS.get(shape.type_name)
    if kinds is None:
        return
    if type(value) not in kinds:  # not isinstance: a bool is an int, too
        raise ApiError("SerializationException", f"{path} is not of the type {shape.type_name}.")
    metadata: dict[str, Any] = shape.metadata
    if "enum" in metadata and value not in metadata["enum"]:
        yield _problem(value, path, f"satisfy enum value set: [{', '.join(metadata['enum'])}]")
    if "pattern" in metadata and not re.fullmatch(metadata["pattern"], value):
        yield _problem(value, path, f"satisfy regular expression pattern: {metadata['pattern']}")
    if shape.type_name == "string":
        yield from _range_problems(shape, len(value), value, path, "have length")
    else:
        yield from _range_problems(shape, value, value, path, "have value")


def _range_problems(shape: Shape, measure: float, value: Any, path: str, verb: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and measure < least:
        yield _problem(value, path, f"{verb} greater than or equal to {least}")
    if most is not None and measure > most:
        yield _problem(value, path, f"{verb} less than or equal to {most}")


def _problem(value: Any, path: str, rule: str) -> str:
    shown = "null" if value is None else str(value)
    return f"Value '{shown[:200]}' at '{path}' failed to satisfy constraint: Member must {rule}"


def _join(path: str, name: str) -> str:
    member = name[:1].lower() + name[1:]
    return f"{path}.{member}" if path else member


def _of_kind(value: Any, kind: type, path: str) -> Any:
    if not isinstance(value, kind):
        raise ApiError("SerializationException", f"{path or 'The request'} is not a {kind.__name__}.")
    return value
