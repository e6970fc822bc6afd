"""Ctrl-C at any moment of the lab's start ends in one sentence, or finds the run over; about 10 s."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.account import PROJECT

HOLD = ["env", "--block-signal=INT"]  # as the Makefile starts the lab
SENTENCE = "The run was interrupted before it began; nothing was started.\n"


@pytest.mark.skipif(
    subprocess.run([*HOLD, "true"], capture_output=True, check=False).returncode != 0,
    reason="this system's env cannot hold a signal back",
)
def test_the_start_of_the_lab_is_interrupted_in_one_sentence(tmp_path: Path) -> None:
    answers = []
    for hundredths in range(0, 60, 2):
        process = subprocess.Popen(
            [*HOLD, sys.executable, "-m", "lab", "run", str(tmp_path / "none.yaml")],
            cwd=PROJECT,
            stderr=subprocess.PIPE,
            text=True,
        )
        # Wherever the start is by now on this machine: the moments are spread, none of them is waited for.
        time.sleep(hundredths / 100)
        process.send_signal(signal.SIGINT)
        answers.append(process.communicate(timeout=60)[1])
    assert SENTENCE in answers
    assert all(said in (SENTENCE, "") or "none.yaml" in said for said in answers)  # "": env was interrupted itself
