"""What tests and benchmarks import of each other: `tests/support`, and nothing else across."""

import ast
from pathlib import Path

from tests.support.account import PROJECT

FILES = [path for room in ("tests", "benchmarks") for path in sorted((PROJECT / room).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """The modules a file imports, by their full names; `from a import b` may name a module or a name in one."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return found


def not_allowed(path: Path) -> set[str]:
    """What a file imports and must not: a test; from a test a benchmark; from a benchmark anything but the support."""
    names = {name for name in imported(path) if name.split(".")[0] in ("tests", "benchmarks")}
    tests = {name for name in names if PROJECT.joinpath(*name.split(".")).with_suffix(".py").is_file()}
    wrong = {name for name in tests if name.split(".")[-1].startswith("test_")}
    if path.is_relative_to(PROJECT / "benchmarks"):
        return wrong | {name for name in names if name.startswith("tests.") and not name.startswith("tests.support")}
    return wrong | {name for name in names if name.startswith("benchmarks")}


def test_no_test_is_imported_and_no_benchmark_by_a_test() -> None:
    found = {path.relative_to(PROJECT).as_posix(): not_allowed(path) for path in FILES}
    assert len(found) > 100
    assert not {name: sorted(wrong) for name, wrong in found.items() if wrong}


def test_a_wrong_import_is_seen(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import benchmarks.rows\nfrom tests import test_imports\nfrom tests.support import account\n")
    assert not_allowed(wrong) == {"benchmarks.rows", "tests.test_imports"}
