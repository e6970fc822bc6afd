"""Look at the reviews file before it is uploaded."""

from collections import Counter
from collections.abc import Generator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from lab.core.errors import BadParameter
from lab.core.names import LABELS_FILE
from lab.core.paths import project_path
from lab.deploy.producer_zip import review_reader
from lab.validation.scores import read_labels


def first_reviews(path: Path, count: int) -> pd.DataFrame:
    """Read the first objects of a reviews file as the function does, one column a field, without reading the rest.

    Raises BadParameter where there is no such file, it is empty, or it does not begin like reviews.
    """
    with closing(_elements(path)) as elements:
        reviews = (element.value for element in elements if isinstance(element.value, dict))
        return pd.DataFrame(list(islice(reviews, count)))


def sendable_reviews(path: Path, count: int) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Read the first reviews that the function would send, and why it would reject others among them.

    Raises BadParameter as ``first_reviews`` does, and where the file holds no such review.
    """
    found: list[dict[str, Any]] = []
    left_out: Counter[str] = Counter()
    with closing(_elements(path)) as elements:
        while len(found) < count and (element := next(elements, None)):
            reason = element.reason or review_reader().defect(element.value)
            if reason:
                left_out[reason] += 1
            else:
                found.append(element.value)
    if not found:
        raise BadParameter("reviews_file", str(path), f"no review in it can be sent ({dict(left_out)}), give another")
    return found, left_out


def _elements(path: Path) -> Generator[Any, None, None]:
    reader = review_reader()
    try:
        with path.open("rb") as file:
            yield from reader.ReviewReader(reader.unpacked(file))
    except FileNotFoundError as error:
        raise BadParameter("reviews_file", str(path), "there is no such file, give the path of one that is") from error
    except OSError as error:
        raise BadParameter("reviews_file", str(path), f"it cannot be read ({error.strerror})") from error
    except reader.NoReviews as error:
        raise BadParameter("reviews_file", str(path), f"the file {error}, give one with reviews in it") from error


def labels_of(labels_file: str, reviews_file: str) -> pd.DataFrame | None:
    """Read the labels of a reviews file; None where there are none.

    They are in ``labels_file``, or where that is empty in ``labels.csv`` beside the reviews. Raises BadParameter for a
    file that was named and is not there or is no label file.
    """
    path = project_path(labels_file) if labels_file else project_path(reviews_file).parent / LABELS_FILE
    if not labels_file and not path.exists():
        return None
    return read_labels(path)
