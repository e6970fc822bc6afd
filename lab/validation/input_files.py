"""The reviews file before it is uploaded: is it there, and what does it look like."""

from itertools import islice
from pathlib import Path

import ijson
import pandas as pd

from lab.core.errors import BadParameter
from lab.core.names import LABELS_FILE
from lab.core.paths import project_path
from lab.validation.scores import read_labels


def first_reviews(path: Path, count: int) -> pd.DataFrame:
    """The first reviews of a file (a JSON array or JSON Lines), one column a field, without reading the rest.

    Raises BadParameter where there is no such file, it is empty, or it does not begin like reviews.
    """
    try:
        with path.open("rb") as file:
            start = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
            file.seek(0)
            if not start:
                raise BadParameter("reviews_file", str(path), "the file is empty, give one with reviews in it")
            reviews = list(islice(_elements(file, start), count))
    except FileNotFoundError as error:
        raise BadParameter("reviews_file", str(path), "there is no such file, give the path of one that is") from error
    except (IsADirectoryError, PermissionError) as error:
        raise BadParameter("reviews_file", str(path), f"it cannot be read ({error.strerror})") from error
    except ijson.JSONError as error:
        raise BadParameter(
            "reviews_file", str(path), f"it does not begin like a JSON array of reviews ({error})"
        ) from error
    return pd.DataFrame([review for review in reviews if isinstance(review, dict)])


def _elements(file: object, start: bytes) -> object:
    if start.startswith(b"["):
        return ijson.items(file, "item", use_float=True)
    return ijson.items(file, "", multiple_values=True, use_float=True)


def labels_of(labels_file: str, reviews_file: str) -> pd.DataFrame | None:
    """The labels of a reviews file: ``labels_file``, or where that is empty ``labels.csv`` beside the reviews; None
    where there are none. Raises BadParameter for a file that was named and is not there or is no label file."""
    path = project_path(labels_file) if labels_file else project_path(reviews_file).parent / LABELS_FILE
    if not labels_file and not path.exists():
        return None
    return read_labels(path)
