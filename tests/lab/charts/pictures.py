"""What every picture must be: drawn without a warning, small, with a table and a description beside it."""

import contextlib
import io
import re
import warnings

from matplotlib.text import Text
from PIL import Image

from lab.charts.style import SMALL


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
    assert min(text.get_fontsize() for text in picture.figure.findobj(Text)) >= SMALL
    assert len(picture.alt) > 30 and picture.alt.endswith(".")
    shown = picture._repr_mimebundle_()
    assert shown["text/plain"] == picture.alt
    assert re.findall(r'<img alt="([^"]+)" src="data:image/png;base64,', shown["text/html"])
    assert "<table" in shown["text/html"] and "<caption" in shown["text/html"]
