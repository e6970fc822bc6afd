"""Get the packages that an application has pip install beside its tasks, which reach no network."""

import ast
import subprocess
import sys
import threading
from pathlib import Path

from localaws.errors import ApplicationFailed
from localaws.machine.processes import clean_environment
from localaws.managed_flink.failures import explain

_CALL = "set_python_requirements"
_POLL = 0.1  # seconds between two looks whether the application was stopped


def requirements_files(code: Path) -> list[Path]:
    """Return the files that calls of set_python_requirements without a folder of wheels name, below ``code``."""
    named: set[str] = set()
    for path in code.rglob("*.py"):
        text = path.read_text(encoding="utf-8", errors="replace")
        if _CALL in text and _installs_from_index(tree := _parsed(text)):
            constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
            named |= {value.rpartition("/")[2] for value in constants if isinstance(value, str)}
    return sorted(path for path in code.rglob("*.txt") if path.name in named)


def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])  # a main file was checked; of another module Python will tell


def _installs_from_index(tree: ast.Module) -> bool:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(
        isinstance(call.func, ast.Attribute) and call.func.attr == _CALL and len(call.args) + len(call.keywords) == 1
        for call in calls
    )


def fetch_wheels(files: list[Path], wheels: Path, stopping: threading.Event) -> None:
    """Put a wheel of every required package into ``wheels``, by pip with this user's own settings.

    Raises ApplicationFailed with what pip says. Ends early where ``stopping`` is set.
    """
    if not files:
        return
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", str(wheels)]
    for path in files:
        command += ["--requirement", str(path)]
    environment = clean_environment(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
    with subprocess.Popen(  # noqa: S603
        command, env=environment, cwd=files[0].parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        while True:
            try:
                said, _ = pip.communicate(timeout=_POLL)
                break
            except subprocess.TimeoutExpired:
                if stopping.is_set():
                    pip.kill()
    if pip.returncode and not stopping.is_set():
        raise ApplicationFailed(explain(said), said)
