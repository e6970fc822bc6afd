"""Write a zip that appears under its name only when it is whole: two runs may build the same one at once."""

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: the same input gives the same bytes everywhere


@contextmanager
def whole_zip(
    target: Path, compression: int = zipfile.ZIP_STORED, level: int | None = None
) -> Iterator[zipfile.ZipFile]:
    """Open a zip to write to; it replaces `target` when the block ends well, else it is deleted.

    `compression` and `level` are the members' default. The file may be read by everybody, as one made by `open` would.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as partial:
        part = Path(partial.name)
        try:
            with zipfile.ZipFile(partial, "w", compression, compresslevel=level) as out:
                yield out
            part.chmod(0o644)
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
