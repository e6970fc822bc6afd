"""Load Python files of the project as modules, and read the cells of a notebook as IPython does."""

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

from lab.core.errors import LabError
from lab.core.paths import project_path

# Cell magics (IPython) whose cell is Python that runs in the notebook's namespace.
_PYTHON_MAGICS = {"time", "capture", "prun", "debug"}
# What Python's parser raises of a text: it is no Python, holds a null byte, or is nested too deep.
NO_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)


def python_of(source: str) -> str:
    """Return the Python that IPython makes of a cell: magics, `!` and `?` become calls. Raises SyntaxError."""
    from IPython.core.inputtransformer2 import TransformerManager  # the command line does without it

    first, _, rest = source.lstrip().partition("\n")
    if first.startswith("%%"):
        return python_of(rest) if first[2:].split(" ")[0].strip() in _PYTHON_MAGICS else ""
    return TransformerManager().transform_cell(source)


def definition(source: str, name: str) -> str:
    """Take one function or class of a Python file's top level; the whole source where it defines no such name."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return ast.get_source_segment(source, node) or source
    return source


def code_file(path: str | Path) -> ModuleType:
    """Load a Python file as it is now; one that was edited is read anew. Raises LabError where Python cannot read it.

    A relative path starts at the project's root.
    """
    where = project_path(str(path))
    spec = importlib.util.spec_from_file_location(where.stem.replace("-", "_"), where)
    if spec is None or spec.loader is None:
        raise LabError(f"{path} is no Python file: give the path of one.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (SyntaxError, OSError) as error:
        raise LabError(f"{path} cannot be read as Python ({error}): correct it, then run this cell again.") from error
    return module
