"""Series of notebooks for the tests of the runner, put together from the fixtures."""

import shutil
from pathlib import Path

FIXTURES = Path(__file__).parent / "fixtures"


def make_series(folder: Path, *fixtures: str) -> Path:
    """A folder with these fixtures as 01_<fixture>.ipynb, 02_<fixture>.ipynb and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, fixture in enumerate(fixtures, start=1):
        shutil.copy(FIXTURES / f"{fixture}.ipynb", folder / f"{number:02}_{fixture}.ipynb")
    return folder
