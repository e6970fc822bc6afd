"""No account, region or ARN is written into what runs: they come from the credentials and the parameter `region`."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.account import PROJECT

ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
REGION = re.compile(r"\b(?:us|eu|ap|sa|ca|me|af|il|mx)-(?:gov-)?(?:north|south|east|west|central)+-\d\b")
WHOLE_ARN = re.compile(r"arn:aws:[\w-]+:[\w-]*:\d{12}:")

# Where a region or a number may stand, and why.
MAY = {
    "account": {"lab/core/session.py": "the number of the embedded account, used for target local only"},
    "region": {
        "lab/core/session.py": "the default of connect()",
        "lab/account/clean_command.py": "the default of an option",
        "lab/deploy/buckets.py": "S3 takes no LocationConstraint there, and needs one elsewhere",
        "lab/exercises/try_sql.py": "properties of a plan that is only explained: nothing is called",
        "lab/cli.py": "the default of an option, and where the notebooks of a run declare no region",
        "lab/deploy/policies.py": "the default of an option",
        "lab/checks/preflight.py": "the regions a Learner Lab is held to, and one as an example in a sentence",
        "lab/account/size_command.py": "whose prices they are",
    },
}
NOTEBOOK_LINES = (
    'region: str = "us-east-1"',  # the parameter's default
    'place = {} if region == "us-east-1" else',  # S3 takes no LocationConstraint there, and needs one elsewhere
)


def sources() -> Iterator[tuple[str, str]]:
    """(name, text) of everything that runs in or against an account, docstrings left out."""
    for folder in ("lab", "producer", "flink_app/SlidingWindows"):
        for path in sorted((PROJECT / folder).rglob("*.py")):
            yield str(path.relative_to(PROJECT)), without_docstrings(path)
    for path in sorted((PROJECT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        lines = "".join("".join(cell["source"]) + "\n" for cell in cells if cell["cell_type"] == "code").splitlines()
        kept = [line for line in lines if not line.strip().startswith(NOTEBOOK_LINES)]
        yield str(path.relative_to(PROJECT)), "\n".join(kept)


def without_docstrings(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            node.value.value = ""
    return ast.unparse(tree)


@pytest.mark.parametrize(("name", "text"), [pytest.param(*one, id=one[0]) for one in sources()])
def test_no_account_region_or_arn(name: str, text: str) -> None:
    assert not WHOLE_ARN.findall(text)
    if name not in MAY["account"]:
        assert not ACCOUNT.findall(text)
    if name not in MAY["region"]:
        assert not REGION.findall(text)


def test_the_exceptions_are_needed() -> None:
    """An exception nobody needs any more would hide the next mistake."""
    texts = dict(sources())
    assert all(ACCOUNT.search(texts[name]) for name in MAY["account"])
    assert all(REGION.search(texts[name]) for name in MAY["region"])
