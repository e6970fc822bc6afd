"""Check requests against a service's own model, as botocore carries it: types, lengths, ranges, patterns.

Every request to an API that takes JSON or CBOR is checked here before any code of ours or of the emulator sees it.
Each shape of the model is turned into one function the first time it is asked for: a PutRecords has 500 records.
"""

import re
from collections.abc import Callable
from typing import Any

import botocore.session
import orjson
import pybase64
from botocore.model import Shape

from localaws.errors import ApiError

Path = tuple[Any, ...]  # of members, each around the path of what it is in
Check = Callable[[Any, Path, list[str]], Any]  # (value, its path, problems found) -> the value as it is to be used

_INTEGERS = {"integer": 1 << 31, "long": 1 << 63}
_LATEST_TIMESTAMP = 253_402_300_799  # 9999-12-31T23:59:59Z in seconds
_MAX_SHOWN = 20  # problems of one request that its answer names
# The models' patterns are Java's.
_JAVA_CLASSES = (("\\p{L}", "\\w"), ("\\p{N}", "\\d"), ("\\p{Z}", "\\s"), ("\\w-_", "\\w_-"))


def read_json(body: bytes | str) -> dict[str, Any]:
    """Return a request's members; raises ApiError (SerializationException) for what is no JSON object."""
    try:
        data = orjson.loads(body or b"{}")
    except ValueError as error:
        raise serialization(f"The request is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise serialization("The request is not an object.")
    return data


def serialization(message: str) -> ApiError:
    return ApiError("SerializationException", message)


class RequestModel:
    """Check the requests one service takes."""

    def __init__(self, service: str, violation: str = "ValidationException") -> None:
        """Read the service's model; ``violation`` is the service's code for a request that breaks it."""
        self._violation = violation
        self.service = botocore.session.get_session().get_service_model(service)
        self._shapes: dict[str, Check] = {}

    def check(self, operation: str, data: dict[str, Any]) -> dict[str, Any]:
        """Return the request with its nulls left out and its blobs as bytes.

        Raises ApiError: UnknownOperationException, SerializationException for a value of a wrong type, or
        the service's code for a violation, with each rule of the model that is broken.
        """
        if operation not in self.service.operation_names:
            raise ApiError("UnknownOperationException", f"There is no operation {operation[:200]!r}.")
        shape = self.service.operation_model(operation).input_shape
        if shape is None:
            return data
        problems: list[str] = []
        checked = self._check_of(shape)(data, (), problems)
        if problems:
            count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
            raise ApiError(self._violation, count + "; ".join(problems[:_MAX_SHOWN]))
        return checked

    def _check_of(self, shape: Shape) -> Check:
        check = self._shapes.get(shape.name)
        if check is None:
            kinds = {"structure": self._structure, "list": self._list, "map": self._map, "string": _string}
            check = self._shapes[shape.name] = kinds.get(shape.type_name, _scalar)(shape)
        return check

    def _structure(self, shape: Any) -> Check:
        required, members = shape.required_members, shape.members
        checks: dict[str, Check] = {}
        union = getattr(shape, "is_tagged_union", False)

        def check(value: Any, path: Path, problems: list[str]) -> Any:
            if not isinstance(value, dict):
                raise _wrong_type(path, "structure")
            for name in required:
                if value.get(name) is None:
                    problems.append(_problem(None, (path, name), "not be null"))
            found = {}
            for name, member in value.items():
                if member is None or name not in members:
                    continue
                if name not in checks:
                    checks[name] = self._check_of(members[name])
                found[name] = checks[name](member, (path, name), problems)
            if union and len(found) != 1:
                raise serialization(f"{_written(path)} takes exactly one of {', '.join(members)}.")
            return found

        return check

    def _list(self, shape: Any) -> Check:
        element, in_range = self._check_of(shape.member), _range(shape, "have length")

        def check(value: Any, path: Path, problems: list[str]) -> Any:
            if not isinstance(value, list):
                raise _wrong_type(path, "list")
            if not in_range(len(value), "[...]", path, problems):
                return value
            return [
                _present(one, (path, number), problems) and element(one, (path, number), problems)
                for number, one in enumerate(value, 1)
            ]

        return check

    def _map(self, shape: Any) -> Check:
        key, member = self._check_of(shape.key), self._check_of(shape.value)
        in_range = _range(shape, "have length")

        def check(value: Any, path: Path, problems: list[str]) -> Any:
            if not isinstance(value, dict):
                raise _wrong_type(path, "map")
            if not in_range(len(value), "{...}", path, problems):
                return value
            for name in value:
                key(name, (path, "key"), problems)
            return {
                name: _present(one, (path, name), problems) and member(one, (path, name), problems)
                for name, one in value.items()
            }

        return check


def _present(value: Any, path: Path, problems: list[str]) -> bool:
    if value is None:
        problems.append(_problem(None, path, "not be null"))
    return value is not None


def _string(shape: Shape) -> Check:
    values, in_range = shape.metadata.get("enum"), _range(shape, "have length")
    pattern = shape.metadata.get("pattern")
    for java, python in _JAVA_CLASSES if pattern else ():
        pattern = pattern.replace(java, python)
    matches = re.compile(pattern).fullmatch if pattern else None

    def check(value: Any, path: Path, problems: list[str]) -> Any:
        if not isinstance(value, str):
            raise _wrong_type(path, "string")
        if not in_range(len(value), value, path, problems):
            return value  # too long for a pattern to be tried on
        if values and value not in values:
            problems.append(_problem(value, path, f"satisfy enum value set: [{', '.join(values)}]"))
        if matches and not matches(value):
            problems.append(_problem(value, path, f"satisfy regular expression pattern: {shape.metadata['pattern']}"))
        return value

    return check


def _scalar(shape: Shape) -> Check:
    kind = shape.type_name
    in_range = _range(shape, "have length" if kind == "blob" else "have value")
    largest = _INTEGERS.get(kind)

    def check(value: Any, path: Path, problems: list[str]) -> Any:
        if kind == "boolean":
            right = isinstance(value, bool)
        elif kind == "blob":
            value = _bytes(value, path)
            in_range(len(value), "...", path, problems)
            return value
        elif largest is not None:
            right = type(value) is int and -largest <= value < largest
        else:  # a timestamp, a double or a float
            right = type(value) in (int, float) and (kind != "timestamp" or abs(value) <= _LATEST_TIMESTAMP)
        if not right:
            raise _wrong_type(path, kind)
        if kind != "boolean":
            in_range(value, value, path, problems)
        return value

    return check


def _bytes(value: Any, path: Path) -> bytes:
    """Return a blob, which JSON carries as base64 and CBOR as it is."""
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise _wrong_type(path, "blob")
    try:
        return pybase64.b64decode(value, validate=True)
    except ValueError as error:
        raise serialization(f"{_written(path)} is not base64: {error}.") from error


def _range(shape: Shape, verb: str) -> Callable[[float, Any, Path, list[str]], bool]:
    least, most = shape.metadata.get("min", float("-inf")), shape.metadata.get("max", float("inf"))

    def check(measure: float, value: Any, path: Path, problems: list[str]) -> bool:
        if least <= measure <= most:
            return True
        bound = f"greater than or equal to {least}" if measure < least else f"less than or equal to {most}"
        problems.append(_problem(value, path, f"{verb} {bound}"))
        return False

    return check


def _wrong_type(path: Path, kind: str) -> ApiError:
    return serialization(f"{_written(path)} is not of the type {kind}.")


def _problem(value: Any, path: Path, rule: str) -> str:
    shown = "null" if value is None else f"'{str(value)[:200]}'"
    return f"Value {shown} at '{_written(path)}' failed to satisfy constraint: Member must {rule}"


def _written(path: Path) -> str:
    """Return a path as AWS writes it: records.1.member.partitionKey."""
    parts: list[str] = []
    while path:
        path, part = path
        parts.insert(0, part[:1].lower() + part[1:] if isinstance(part, str) else f"{part}.member")
    return ".".join(parts) or "The request"
