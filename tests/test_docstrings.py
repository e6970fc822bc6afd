"""Read the first line of every docstring: it begins with a verb, is one line, and has at most twenty words."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("lab", "grader", "reviewgen", "localaws", "producer", "flink_app", "book")
MOST_WORDS = 20
# In the imperative, as docstrings of this project begin; a new one is added here.
VERBS = """
Adapt Add Allow Answer Apply Ask Assert Average Be Become Begin Block Bound Bring Build Call Cancel Carry Charge Check
Choose Close Compare Compute Configure Connect Convert Copy Count Create Decide Decode Define Delete Describe Diagnose
Dispatch Display Do Draw Drive Drop Embed End Estimate Execute Fill Find Follow Forget Furnish Generate Get Give Go
Grade Guard Hand Handle Have Hold Import Inject Install Interpolate Invent Invoke Join Judge Keep Kill Know Leave Let
Limit List Listen Load Log Look Make Merge Model Multiply Name Note Number Offer Open Page Parse Pass Place Plan Play
Print Probe Prove Provide Put Raise Read Reap Redirect Refuse Release Remember Remove Renew Repeat Replace Resolve
Restart Return Rewrite Round Run Save Say Score Scramble Seal Send Serve Set Settle Ship Shorten Show Size Stand Start
Stop Submit Sum Switch Take Tell Terminate Turn Undo Wait Watch Wrap Write Yield
"""


def first_lines(path: Path) -> list[tuple[int, str]]:
    """List line number and first paragraph of each docstring in a file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                found.append((getattr(node, "lineno", 1), text.partition("\n\n")[0]))
    return found


def fault(paragraph: str) -> str:
    """Say what is wrong with a first paragraph; empty where nothing is."""
    sentence = re.split(r"(?<=[.!?])\s", paragraph)[0]
    if "\n" in paragraph:
        return "is longer than one line"
    if re.split(r"\W", paragraph)[0] not in VERBS.split():
        return "does not begin with a verb"
    return f"has more than {MOST_WORDS} words" if len(sentence.split()) > MOST_WORDS else ""


@pytest.mark.parametrize("package", PACKAGES)
def test_a_docstring_begins_with_a_verb_and_is_short(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} {why}: {paragraph}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for line, paragraph in first_lines(path)
        if (why := fault(paragraph))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("paragraph", "said"),
    [
        ("Return the sum.", ""),
        ("The sum.", "does not begin with a verb"),
        ("Returns the sum.", "does not begin with a verb"),
        ("Return the\nsum.", "is longer than one line"),
        ("Return " + "the " * 20 + "sum.", "has more than 20 words"),
        ("Return the sum. Raises " + "one of " * 20 + "them.", ""),
    ],
)
def test_the_rule_itself(paragraph: str, said: str) -> None:
    assert fault(paragraph) == said
