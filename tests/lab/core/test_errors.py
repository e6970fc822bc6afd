"""A step that is missing names the notebook that makes it, or the cells above where that notebook is the open one."""

import pytest

from lab.core.errors import StepMissing


@pytest.mark.parametrize(
    ("opened", "first"),
    [
        ("", "01_streams"),
        ("/project/notebooks/02_producer.ipynb", "01_streams"),
        ("/project/notebooks/01_streams.ipynb", "the cells above this one"),
    ],
)
def test_a_missing_step_is_made_in_another_notebook_or_above(
    monkeypatch: pytest.MonkeyPatch, opened: str, first: str
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", opened)  # as Jupyter sets it for the kernel of a notebook
    missing = StepMissing("The stream `exercises` does not exist", "01_streams")
    assert str(missing) == f"The stream `exercises` does not exist: run {first} first, then run this cell again."
