"""The notebooks under nbval, in order, in one account, the kept outputs compared; about 60 s."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.account import PROJECT, EmbeddedAccount


@pytest.mark.slow  # about 60 s
def test_the_notebooks_run_in_order_and_clean_up(
    make_account: Callable[..., EmbeddedAccount], tmp_path: Path
) -> None:
    account = make_account("home", "--cold")  # the clean-up would warm a cluster for nobody
    names = ["01_streams", "02_producer", "03_flink_job", "04_validate", "05_cleanup"]
    for name in names:  # nbval passes no parameters: in these copies nothing is sent to be watched
        text = (PROJECT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
        text = re.sub(r"demo_seconds: int = \d+", "demo_seconds: int = 0", text)
        (tmp_path / f"{name}.ipynb").write_text(text, encoding="utf-8")
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--nbval-lax",
            "--nbval-current-env",
            "--nbval-cell-timeout=500",
            *(str(tmp_path / f"{name}.ipynb") for name in names),
        ],
        cwd=PROJECT,
        env=account.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-6000:]
    assert account.client("kinesis").list_streams()["StreamNames"] == []
    assert account.client("s3").list_buckets()["Buckets"] == []
    assert account.client("kinesisanalyticsv2").list_applications()["ApplicationSummaries"] == []


@pytest.mark.parametrize(
    ("name", "first"), [("02_producer", "01_streams"), ("03_flink_job", "01_streams"), ("04_validate", "03_flink_job")]
)
@pytest.mark.slow  # about 4 s each
def test_out_of_order_says_what_to_run_first(account: EmbeddedAccount, tmp_path: Path, name: str, first: str) -> None:
    """In an account that holds nothing of the lab."""
    finished = subprocess.run(
        [sys.executable, "-m", "papermill", f"notebooks/{name}.ipynb", str(tmp_path / "out.ipynb")],
        cwd=PROJECT,
        env=account.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    assert f"run {first} first" in finished.stderr
