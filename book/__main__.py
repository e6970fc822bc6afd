"""Build the site of a run into build/book/site: `python -m book RUN`."""

import argparse
import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

from book.pages import stage
from lab.core.errors import LabError
from lab.core.paths import ROOT

OUT = ROOT / "build" / "book"


def build(run: Path, out: Path = OUT) -> Path:
    """Build the site of a run in `out`, in place of the one before, and return its start page.

    Raises NoRun for a run that is not whole, LabError where Sphinx finds fault with a page; what it says is printed.
    """
    for folder in (out / "pages", out / "site"):
        shutil.rmtree(folder, ignore_errors=True)
    stage(run, out / "pages")
    options = ["-q", "-W", "--keep-going", "-b", "html", "-d", str(out / "doctrees")]
    if build_main([*options, str(out / "pages"), str(out / "site")]):
        raise LabError(f"The book of {run} was not built: Sphinx says above which page is at fault.")
    return out / "site" / "index.html"


def main() -> int:
    """Read the command line, build, and say where the start page is."""
    parser = argparse.ArgumentParser(prog="python -m book", description="Build the lab's site from a run.")
    parser.add_argument("run", metavar="RUN", type=Path, nargs="?", default=ROOT / "runs" / "latest")
    try:
        start = build(parser.parse_args().run.resolve())
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The book is in {start}; open it in a browser.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
