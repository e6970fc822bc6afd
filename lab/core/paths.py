"""Resolve the project's paths: its root, a path of a parameter, and a path as the reader types it."""

import contextlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
CACHE = ROOT / ".cache"


def project_path(path: str) -> Path:
    """Resolve a path of a parameter: relative ones start at the project's root, wherever the notebook runs."""
    return (ROOT / Path(path).expanduser()).resolve()


def shown(path: Path) -> str:
    """Shorten a path to what the reader types: relative to the working directory where it is inside it."""
    with contextlib.suppress(ValueError):
        return str(path.absolute().relative_to(Path.cwd()))
    return str(path)


def write_atomically(path: Path, content: str) -> None:
    """Replace the file by `content` as a whole.

    After a crash or on a full disk the old content is still there.
    """
    fresh = path.with_name(f".{path.name}.tmp")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
