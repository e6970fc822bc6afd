"""What every picture must be: drawn without a warning, small, with a table and a description beside it."""

import contextlib
import io
import re
import warnings

from PIL import Image


@contextlib.contextmanager
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # What is collected meanwhile is of other tests; no chart holds a file.
        warnings.simplefilter("ignore", ResourceWarning)
        yield


def assert_readable(picture):
    assert len(picture.png) <= 60_000
    assert Image.open(io.BytesIO(picture.png)).width == 880
    assert len(picture.alt) > 30 and picture.alt.endswith(".")
    shown = picture._repr_mimebundle_()
    assert shown["text/plain"] == picture.alt
    assert re.findall(r'<img alt="([^"]+)" src="data:image/png;base64,', shown["text/html"])
    assert "<table" in shown["text/html"] and "<caption" in shown["text/html"]
