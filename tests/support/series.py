"""Run the whole series as `make lab` does, in an account of its own, and look at what it left."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.account import PROJECT, EmbeddedAccount, free_port


@dataclass(frozen=True)
class Series:
    """A finished run: its exit code, what it printed, and results.json."""

    code: int
    printed: str
    results: dict[str, Any]
    folder: Path

    def check(self, name: str) -> dict[str, Any]:
        (found,) = [test for test in self.results["tests"] if test["name"].endswith(name)]
        return found

    @property
    def comparison(self) -> str:
        return self.check("Every window equals the reference")["output"]


def run_series(account: EmbeddedAccount, out: Path, *arguments: str) -> Series:
    finished = subprocess.run(
        [sys.executable, "-m", "lab", "run", "--out", str(out), *arguments],
        cwd=PROJECT,
        env=account.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    folder = (out / "latest").resolve()
    results = json.loads((folder / "results.json").read_text())
    return Series(finished.returncode, finished.stdout + finished.stderr, results, folder)


def fresh_account(home: Path) -> EmbeddedAccount:
    """An account that `lab run` will start by itself."""
    return EmbeddedAccount(free_port(), home)
