"""`import lab` loads nothing, and every error is one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

import lab
from lab.core.errors import AccountRefused, AccountSilent, BadParameter, CheckFailed, LabError, StepMissing, StreamGone

HEAVY = ["pandas", "numpy", "matplotlib", "boto3", "botocore"]


def modules_after(program):
    program = f"import sys\n{program}\nprint(*(name for name in {HEAVY} if name in sys.modules))"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()


def test_importing_the_package_loads_nothing():
    assert modules_after("import lab; dir(lab); lab.LabError") == []


def test_a_name_is_loaded_when_it_is_used():
    assert modules_after("import lab; lab.read_reviews") == ["pandas", "numpy"]
    assert lab.read_stream is lab.streams.reading.read_stream
    assert lab.compare_windows is lab.validation.comparison.compare_windows
    assert {"read_stream", "DataViewer", "windows", "connect"} <= set(dir(lab))


@pytest.mark.parametrize("name", lab.__all__)
def test_every_name_leads_somewhere(name):
    assert getattr(lab, name) is not None


def test_no_name_is_hidden_by_a_room():
    """Importing a room makes it an attribute of the package, so no function can be offered under its name."""
    assert not {path.name for path in Path(lab.__file__).parent.iterdir()} & set(lab.__all__)


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="No lab attribute nothing"):
        lab.nothing  # noqa: B018


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            StepMissing("The stream `reviews` does not exist", "01_streams"),
            "The stream `reviews` does not exist: run 01_streams first, then run this cell again.",
        ),
        (
            BadParameter("slide_seconds", 7, "it must divide the window."),
            "slide_seconds = 7 cannot work: it must divide the window.",
        ),
        (CheckFailed("01_streams", ["Do this."]), "1 check of 01_streams failed: Do this."),
        (CheckFailed("01_streams", ["a", "b"]), "2 checks of 01_streams failed: a / b"),
        (
            AccountSilent("reading it", "http://127.0.0.1:4566"),
            "Reading it did not work, nothing answers at http://127.0.0.1:4566: the embedded account ended, and what "
            "it held is gone with it, so run the notebooks again from 01_streams, whose first cells start it anew.",
        ),
        (
            AccountSilent("reading it", None),
            "Reading it did not work, AWS could not be reached: look at the network and the region, then run this "
            "cell again.",
        ),
        (AccountRefused("reading it", "Denied", "no.", "ask"), "Reading it was refused (Denied: no): ask."),
        (AccountRefused("reading it", "no region", "", "ask"), "Reading it was refused (no region): ask."),
    ],
)
def test_sentences(error, sentence):
    assert isinstance(error, LabError) and str(error) == sentence


def test_a_stream_that_is_gone_names_stream_and_shard():
    assert str(StreamGone("reviews")).startswith("The stream `reviews` went away while it was being read")
    assert str(StreamGone("reviews", "shardId-1")).startswith("Shard shardId-1 of the stream `reviews` went away")
