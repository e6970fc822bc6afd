"""Call the functions a submission wrote for the exercises, one request a line. A program.

    call_functions.py      requests on standard input, answers on standard output, one JSON object a line

A request is {"id", "function", "arguments"}; the answer {"id", "value"} or {"id", "error", "said"}. In between the
function may ask for a call of its Kinesis client, {"id", "call", "arguments"}, which the grader answers with
{"value"} or {"error"}. This process has no network and no data but what it is given: what a function answers, it has
computed.

A function of a notebook is taken with what it needs of the notebook's top level, and with nothing else: the statements
that bind the names it uses, those that bind the names they use, and so on (`StudentNotebook`). A statement that fills
a dict, list or set counts as one that binds its name.
"""

import ast
import base64
import codeop
import dis
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

import pandas as pd

from lab.core.code_files import NO_PYTHON, code_file, python_of

_CONTAINERS = {"dict", "list", "set", "defaultdict", "Counter", "deque", "OrderedDict"}
_FILLING = {"update", "setdefault", "append", "extend", "insert", "add", "pop", "popitem", "remove", "discard", "clear"}
_FILLING |= {"sort", "reverse", "appendleft", "extendleft", "popleft"}
_STATEMENT_SECONDS = 20  # for a statement of the top level that a function needs


class Asked(Exception):
    """Say that the grader refused a call of the client."""


class Client:
    """Hold what a function gets as its Kinesis client: each call is made by the grader."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name == "exceptions":
            return NoExceptions()

        def call(**arguments: Any) -> Any:
            say({"id": self._number, "call": name, "arguments": packed(arguments)})
            answer = json.loads(INPUT.readline())
            if "error" in answer:
                raise Asked(answer["error"])
            return unpacked(answer["value"])

        return call


def packed(value: Any) -> Any:
    """Return a value as JSON can carry it. Raises TypeError where there is no such value."""
    if isinstance(value, bytes | bytearray):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, pd.DataFrame):
        return {"$table": value.to_json(orient="table", index=False, date_unit="ns")}
    if isinstance(value, dict):
        return {str(key): packed(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [packed(one) for one in value]
    if hasattr(value, "item") and not isinstance(value, str):
        return value.item()
    if isinstance(value, datetime):
        return str(value)
    if isinstance(value, str | int | float | bool | None):
        return value
    raise TypeError(f"a value of the type {type(value).__name__} is none that can be handed on")


def unpacked(value: Any, number: int = 0) -> Any:
    """Return the value that `packed` packed; `$client` is a client of this call."""
    if isinstance(value, dict):
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
        if "$table" in value:
            table = pd.DataFrame(json.loads(value["$table"])["data"])
            for name in value.get("times", ()):
                table[name] = pd.to_datetime(table[name], format="ISO8601")
            return table
        if "$client" in value:
            return Client(number)
        return {key: unpacked(one, number) for key, one in value.items()}
    return [unpacked(one, number) for one in value] if isinstance(value, list) else value


class NoExceptions:
    """Hold the classes of a client's errors by their names, none of which is raised here."""

    def __getattr__(self, name: str) -> type[Exception]:
        return type(name, (Exception,), {})


class NotTaken(Exception):
    """Say in a sentence that the notebook lacks what was asked for, or needs something the grader cannot give."""

    def __init__(self, said: str) -> None:
        super().__init__(f"{said[:450]}: correct it.")


class StudentNotebook:
    """Provide the statements of a notebook's top level, read as IPython reads them, and what each binds and uses."""

    def __init__(self, path: Path) -> None:
        self._statements: list[tuple[CodeType, set[str], set[str]]] = []
        self._unread: list[str] = []
        try:
            cells = [cell for cell in json.loads(path.read_bytes())["cells"] if cell.get("cell_type") == "code"]
        except (*NO_PYTHON, KeyError, TypeError, AttributeError) as error:
            raise NotTaken(f"{path.name} is no notebook in format 4 ({type(error).__name__}: {error})") from error
        compiled: Any = codeop.Compile()  # as IPython's: remembers `from __future__`, awaits outside a function
        compiled.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        containers: set[str] = set()
        for number, cell in enumerate(cells, 1):
            try:
                body = ast.parse(python_of("".join(cell["source"]))).body
                codes = [compiled(ast.Module([node], []), path.name, "exec") for node in body]
            except NO_PYTHON as error:
                self._unread.append(f"code cell {number} is no Python ({error})")
            else:
                containers |= set().union(*map(_containers, body))
                self._statements += [
                    (code, _bound(code) | (_filled(node) & containers), _used(code))
                    for node, code in zip(body, codes, strict=True)
                ]

    def value(self, name: str) -> Any:
        """Return the value of a name.

        Raises NotTaken, NotImplementedError, or what the statement that binds it raised.
        """
        needed, before = {name, "*"}, 0
        while len(needed) > before:
            before = len(needed)
            for _, binds, uses in self._statements:
                if binds & needed:
                    needed |= uses
        space: dict[str, Any] = {"__name__": "__main__"}
        failed: list[str] = []
        for code, binds, _ in self._statements:
            if binds & needed:
                try:
                    with time_limit(_STATEMENT_SECONDS):
                        exec(code, space)  # noqa: S102 - this process is for that alone
                except Exception as error:  # noqa: BLE001 - named, if the function turns out to need it
                    failed.append(f"{', '.join(sorted(binds))} ({type(error).__name__}: {error})")
        if name not in space:
            why = [f"it needs {one}" for one in failed] or self._unread or ["no cell defines it"]
            raise NotTaken(f"`{name}` cannot be taken from the notebook: {'; '.join(why)}")
        value = space[name]
        return _explained(value, failed) if failed and callable(value) else value


def _explained(function: Any, failed: list[str]) -> Any:
    """Return a function that says, where it misses a name, which statement should have bound it."""

    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except NameError as error:
            raise NotTaken(f"{error}; outside the function could not be run: {'; '.join(failed)}") from error

    return call


def _names(code: CodeType, opname: str) -> set[str]:
    return {one.argval for one in dis.get_instructions(code) if one.opname == opname}


def _bound(code: CodeType) -> set[str]:
    """Return the names of the top level that code binds; what `import *` binds, nobody knows before."""
    star = any(one.opname == "IMPORT_STAR" for one in dis.get_instructions(code))
    return _names(code, "STORE_NAME") | _names(code, "STORE_GLOBAL") | ({"*"} if star else set())


def _used(code: CodeType) -> set[str]:
    """Return the names of the top level that code uses, in the functions inside it as well."""
    inside = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return _names(code, "LOAD_NAME") | _names(code, "LOAD_GLOBAL") | set().union(*map(_used, inside))


def _containers(node: ast.AST) -> set[str]:
    """Return the names that a statement binds to a dict, list or set that it makes."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or not node.value:
        return set()
    called = node.value.func if isinstance(node.value, ast.Call) else None
    name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
    literal = isinstance(node.value, ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp | ast.SetComp)
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {one.id for one in targets if isinstance(one, ast.Name)} if literal or name in _CONTAINERS else set()


def _filled(node: ast.AST) -> set[str]:
    """Return the names at whose values a statement stores or deletes an item, or calls a method that does."""
    stored = [
        one.value for one in ast.walk(node) if isinstance(one, ast.Subscript) and not isinstance(one.ctx, ast.Load)
    ]
    called = [one.func for one in ast.walk(node) if isinstance(one, ast.Call)]
    stored += [one.value for one in called if isinstance(one, ast.Attribute) and one.attr in _FILLING]
    return {_root(one) for one in stored}


def _root(node: ast.expr) -> str:
    """Return the name at which an expression such as `TABLE["a"]["b"]` begins; empty where it begins with none."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Raise TimeoutError in what runs for longer."""

    def end(_number: int, _frame: object) -> None:
        raise TimeoutError(f"it took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@cache
def function_of(where: str, name: str) -> Any:
    """Return a function or constant of a notebook or of a code file. Raises NotTaken where there is none."""
    path = Path(where)
    if path.suffix != ".py":
        return notebook(path).value(name)
    module = code_file(path)
    if not hasattr(module, name):
        raise NotTaken(f"{path.name} defines no `{name}`")
    return getattr(module, name)


notebook = cache(StudentNotebook)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Do one request."""
    number = request["id"]
    try:
        found = function_of(request["where"], request["function"])
        value = found(*unpacked(request["arguments"], number)) if callable(found) else found
        return {"id": number, "value": packed(value)}
    except NotImplementedError:
        return {"id": number, "error": "NotImplementedError", "said": ""}
    except BaseException as error:  # noqa: B036 - sys.exit in a function is an answer too
        return {"id": number, "error": type(error).__name__, "said": str(error)[:500]}


def say(message: dict[str, Any]) -> None:
    """Write one line for the grader."""
    OUT.write(json.dumps(message).encode() + b"\n")
    OUT.flush()


def main() -> None:
    say({"id": 0, "value": "ready"})
    while line := INPUT.readline():
        say(answer(json.loads(line)))


if __name__ == "__main__":
    # Own descriptors: what a function prints or reads does not get between them.
    OUT, INPUT = os.fdopen(os.dup(1), "wb"), os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.path.insert(0, str(Path.cwd() / "producer"))
    main()
