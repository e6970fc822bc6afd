"""Read the parameters of the series from the notebooks, and check those that the user gave.

Every notebook declares its parameters in the cell tagged `parameters`, one a line, `name: type = value  # help`, which
papermill and people read alike. A parameter of one name is the same everywhere: type, default and help.
"""

import ast
import difflib
import json
import math
import re
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from lab.core.errors import UsageError

Value = str | int | float | bool

TYPES: dict[str, type[Value]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
}
SET_BY_RUNNER = "run_id"
UNWATCHED: dict[str, Value] = {"demo_seconds": 0}  # where nobody steps through, nothing is sent to be watched
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class NotebooksDisagree(UsageError):
    """Say that the notebooks themselves are inconsistent: a mistake in the project or in an edited notebook."""


@dataclass(frozen=True)
class Parameter:
    """Describe one declared parameter: its name, the name of its type (a key of TYPES), default and help."""

    name: str
    type: str
    default: Value
    help: str

    def parse(self, text: str) -> Value:
        """Return the value that `text` (from the command line) means.

        Raises UsageError where it is none of the type.
        """
        try:
            if self.type == "bool":
                return _BOOLEANS[text.strip().lower()]
            value = TYPES[self.type](text)
        except (ValueError, KeyError) as error:
            raise self._mistyped(text) from error
        if isinstance(value, float) and not math.isfinite(value):
            raise self._mistyped(text)
        return value

    def accept(self, value: Any) -> Value:
        """Return the value that `value` (from YAML) means.

        Text is read as on the command line, other types must fit.
        """
        if isinstance(value, str):
            return self.parse(value)
        if self.type == "float" and type(value) in (int, float) and math.isfinite(value):
            return float(value)
        if isinstance(value, str | int | float | bool) and type(value) is TYPES[self.type]:
            return value
        raise self._mistyped(value)

    def _mistyped(self, value: Any) -> UsageError:
        wanted = {
            "str": "a text (in YAML: put it in quotes)",
            "int": "a whole number",
            "float": "a number",
            "bool": "true or false",
        }[self.type]
        return UsageError(f"The parameter {self.name} takes {wanted}, not {value!r}: correct it and run again.")


def declared(path: Path) -> dict[str, Parameter]:
    """Return the parameters of one notebook, in its order; {} where no cell is tagged `parameters`.

    Raises NotebooksDisagree when the cell holds anything that is not `name: type = literal  # help`.
    """
    for cell in _cells(path):
        if cell.get("cell_type") == "code" and "parameters" in cell.get("metadata", {}).get("tags", []):
            source = cell["source"]
            return parse_cell(source if isinstance(source, str) else "".join(source), path.stem)
    return {}


def _cells(path: Path) -> list[dict[str, Any]]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise NotebooksDisagree(
            f"{path.name} is not a notebook in format 4: copy the file from the lab again, put your answers in and run."
        ) from error


def parse_cell(source: str, notebook: str) -> dict[str, Parameter]:
    """Return the parameters in the source of a parameters cell of `notebook` (its name is only for the messages)."""
    try:
        statements = ast.parse(source).body
        comments = _comments(source)
    except (SyntaxError, tokenize.TokenError) as error:
        raise NotebooksDisagree(
            f"The parameters cell of {notebook} is not valid Python ({error}): correct it."
        ) from error
    lines = source.splitlines()
    found: dict[str, Parameter] = {}
    for statement in statements:
        parameter = _parameter(statement, comments)
        line = lines[statement.lineno - 1]
        if parameter is None or line.count("=") > 1:
            raise NotebooksDisagree(
                f"The parameters cell of {notebook} holds `{line.strip()}`, which is not of the form "
                "`name: type = literal  # help` with one equals sign and a str, int, float or bool: rewrite that line."
            )
        found[parameter.name] = parameter
    return found


def _parameter(statement: ast.stmt, comments: Mapping[int, str]) -> Parameter | None:
    if not (
        isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and isinstance(statement.annotation, ast.Name)
        and statement.annotation.id in TYPES
        and statement.value is not None
    ):
        return None
    try:
        value = ast.literal_eval(statement.value)
    except ValueError:
        return None
    kind = statement.annotation.id
    if not isinstance(value, str | int | float | bool) or type(value) is not TYPES[kind]:
        return None
    return Parameter(statement.target.id, kind, value, comments.get(statement.lineno, ""))


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ").strip() for token in tokens if token.type == tokenize.COMMENT}


def consistent(notebooks: Mapping[str, Mapping[str, Parameter]]) -> dict[str, Parameter]:
    """Return all parameters of the series. Raises NotebooksDisagree where two notebooks differ about one."""
    known: dict[str, tuple[str, Parameter]] = {}
    for notebook, parameters in notebooks.items():
        for name, parameter in parameters.items():
            where, first = known.setdefault(name, (notebook, parameter))
            for aspect in ("type", "default", "help"):
                here, there = getattr(parameter, aspect), getattr(first, aspect)
                if here != there:
                    raise NotebooksDisagree(
                        f"The {aspect} of the parameter {name} is {here!r} in {notebook} but {there!r} in {where}: "
                        "make both the same, the runner passes one value to all notebooks."
                    )
    return {name: parameter for name, (_, parameter) in known.items()}


def values(
    known: Mapping[str, Parameter], from_file: Mapping[str, Any], given: Iterable[tuple[str, str]]
) -> dict[str, Value]:
    """Return the values the user set, parsed by declared type.

    `given` (from `-p`) wins over `from_file`, the last one wins.

    Raises UsageError for a name no notebook declares (with the nearest that one does) and for a mistyped value.
    """
    given = list(given)
    for name in [*from_file, *(name for name, _ in given)]:
        if name == SET_BY_RUNNER:
            raise UsageError(f"The parameter {SET_BY_RUNNER} is set by the runner: leave it out and run again.")
        if name not in known:
            raise UsageError(f"No notebook has a parameter {name}{_nearest(name, known)}.")
    result = {name: known[name].accept(value) for name, value in from_file.items()}
    return result | {name: known[name].parse(text) for name, text in given}


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(set(known) - {SET_BY_RUNNER})
    if near := difflib.get_close_matches(str(name), names, n=1, cutoff=0.5):
        return f": did you mean {near[0]}"
    return f": they have {', '.join(names)}" if names else ": they have none"


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a parameters file.

    Raises UsageError where there is no file, no YAML or no mapping of names.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise UsageError(f"The parameters file {path} cannot be read ({reason}): correct the path after -f.") from error
    except yaml.YAMLError as error:
        detail = re.sub(r"\s+", " ", str(error))
        raise UsageError(f"The parameters file {path} is not valid YAML ({detail}): correct it.") from error
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise UsageError(f"The parameters file {path} must hold lines of the form `name: value`: correct it.")
    return content


def find_series(directory: Path, expected: Sequence[str] = ()) -> list[Path]:
    """Return the notebooks 01 to 04 in `directory`, in order.

    Raises UsageError where one of `expected` numbers is not there exactly once, or where there is none at all.
    """
    series = sorted(directory.glob("0[1-4]_*.ipynb"))
    numbers = [path.name[:2] for path in series]
    for number in sorted({*expected, *numbers}):
        if numbers.count(number) != 1:
            found = " and ".join(path.name for path in series if path.name.startswith(number)) or "nothing"
            raise UsageError(
                f"{directory} must hold exactly one notebook {number}_*.ipynb but holds {found}: restore the folder."
            )
    if not series:
        raise UsageError(f"{directory} holds no notebook 01_*.ipynb to 04_*.ipynb: correct the folder.")
    return series
