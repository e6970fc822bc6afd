"""The functions of a submission, called in another process: what they answer is data, whatever they do."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from grader.hidden_run.student_functions import FunctionFailed, Functions
from tests.support.account import PROJECT

INSIDE = PROJECT / "grader" / "inside" / "call_functions.py"
CELLS = (
    "import pandas as pd\nfrom math import sqrt as root\nLIMIT = 3\nwhy = 'because'\n1 / 0",
    "%matplotlib inline",
    "def helper(x):\n    return x + LIMIT\n\ndef add(a, b):\n    print('noise')\n    return helper(a) + b",
    "def blank(x):\n    raise NotImplementedError()",
    "def wrong(x):\n    return root(-1)",
    "def leaves(x):\n    import os\n    os._exit(0)",
    "def exits(x):\n    import sys\n    sys.exit(0)",
    "def hangs(x):\n    while True:\n        pass",
    "def later(table):\n    return table.assign(end=table['time'] + pd.Timedelta(seconds=60))[['movie', 'end']]",
    "def reads(client):\n    return client.get_records(ShardIterator='i')['Records']",
    "def meddles(client):\n    return client.delete_stream(StreamName='reviews')",
    "def peeks(client):\n    return client._kinesis",
    "%%time\ndef timed(x):\n    return x + 1",
    "%%writefile other.py\ndef timed(x):\n    return 'never'",
    "doubled = lambda x: x * 2\ndoubled?\n!ls",
    "import json as of_json, not_installed_here",
    "try:\n    import ujson_not_here as quick\nexcept ImportError:\n    import json as quick",
    "elsewhere = json_of_another_cell()\ndef unrelated(x=elsewhere):\n    return x",
    "FACTOR = len('abc')\ndef quickly(x):\n    return quick.loads(quick.dumps(x * FACTOR))",
    "def needs_import(x):\n    return not_installed_here.f(x)",
    "def needs_cell(x):\n    return elsewhere + x",
    "def broken(:",
    "import asyncio\nasync with asyncio.Lock():\n    waited = await asyncio.sleep(0)",
    "return 3",
    "deep = " + "-" * 50_000 + "1",
    "from __future__ import annotations",
    "def hinted(x: Unknown) -> Unknown:\n    return x",
    "from dataclasses import dataclass\n@dataclass\nclass Names:\n    one: 'int' = 1",
    "if __name__ == '__main__':\n    ONE = Names().one\nfor LAST in range(4):\n    pass\n(NAMED := 5)",
    "%%capture\n%%time\ndef sums(x):\n    return x + ONE + LAST + NAMED",
    "import collections\nTABLE = {}\nMORE: dict = dict(a=1)\nGROUPS = collections.defaultdict(list)\nSEEN = []",
    "for one in 'ab':\n    TABLE[one] = FACTOR\nMORE.update(b=FACTOR)\nGROUPS['x'].append(2)\nSEEN += [1]",
    "SEEN.append(elsewhere_again())\nSEEN.extend(MORE)\nprint(SEEN.index(1), json_of_another_cell(SEEN))",
    "def looks(x):\n    return [TABLE[x], MORE, SEEN, GROUPS.get('x')]",
    "async def awaited(x):\n    return x",
    "def yields(x):\n    yield x",
    "def retries(client):\n    try:\n        return client.delete_stream()\n"
    "    except client.exceptions.ProvisionedThroughputExceededException:\n        return []",
)


class Client:
    """Answers get_records, and would do harm if it were asked to."""

    deleted = False

    def get_records(self, ShardIterator: str) -> dict[str, object]:  # noqa: N803
        return {"Records": [{"Data": ShardIterator.encode(), "SequenceNumber": "7"}]}

    def delete_stream(self, StreamName: str) -> None:  # noqa: N803
        Client.deleted = True


@pytest.fixture
def functions(tmp_path: Path) -> Iterator[Functions]:
    cells = [{"cell_type": "code", "source": source} for source in CELLS]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells}))
    process = subprocess.Popen([sys.executable, str(INSIDE)], cwd=tmp_path, stdin=-1, stdout=-1, stderr=-3)
    assert process.stdin and process.stdout
    yield Functions(process.stdout.fileno(), process.stdin.fileno(), seconds=5, start_seconds=60)
    process.kill()
    process.communicate()


def test_values_helpers_and_constants_come_from_the_notebook(functions: Functions) -> None:
    assert functions.named("n.ipynb", "add")(1, 2) == 6
    assert functions.value("n.ipynb", "why") == "because"


def test_tables_keep_their_times(functions: Functions) -> None:
    times = pd.to_datetime(["2026-01-01 00:00:00", "2026-01-01 00:00:00.100"], format="ISO8601")
    table = pd.DataFrame({"movie": ["a", "b"], "time": times, "arrival": times.tz_localize("UTC"), "n": [1.5, None]})
    found = functions.named("n.ipynb", "later")(table)
    assert pd.to_datetime(found["end"], format="ISO8601").tolist() == list(times + pd.Timedelta(seconds=60))


def test_a_client_stays_with_the_grader(functions: Functions) -> None:
    assert functions.named("n.ipynb", "reads")(Client()) == [{"Data": b"i", "SequenceNumber": "7"}]
    with pytest.raises(FunctionFailed, match="not a call that the exercise needs"):
        functions.named("n.ipynb", "meddles")(Client())
    assert not Client.deleted
    with pytest.raises(FunctionFailed, match="AttributeError"):
        functions.named("n.ipynb", "peeks")(Client())


def test_a_blank_is_a_blank_and_a_failure_a_sentence(functions: Functions) -> None:
    with pytest.raises(NotImplementedError):
        functions.named("n.ipynb", "blank")(1)
    for name, said in (("wrong", "ValueError"), ("exits", "SystemExit"), ("none", "cannot be taken")):
        with pytest.raises(FunctionFailed, match=said):
            functions.named("n.ipynb", name)(1)
    assert functions.named("n.ipynb", "add")(1, 2) == 6


def test_cells_are_read_as_ipython_reads_them_and_only_what_is_needed_runs(functions: Functions) -> None:
    assert functions.named("n.ipynb", "timed")(1) == 2
    assert functions.named("n.ipynb", "doubled")(4) == 8
    assert functions.named("n.ipynb", "quickly")(2) == 6
    assert functions.named("n.ipynb", "looks")("b") == [3, {"a": 1, "b": 3}, [1, "a", "b"], [2]]


def test_a_cell_that_is_no_python_by_itself_costs_no_other_cell(functions: Functions) -> None:
    assert functions.named("n.ipynb", "hinted")(2) == 2
    assert functions.named("n.ipynb", "sums")(1) == 1 + 1 + 3 + 5


def test_an_answer_that_is_no_data_is_not_made_text(functions: Functions) -> None:
    for name, said in (("awaited", "type coroutine"), ("yields", "type generator")):
        with pytest.raises(FunctionFailed, match=said):
            functions.named("n.ipynb", name)(1)


def test_errors_of_a_client_have_their_classes(functions: Functions) -> None:
    with pytest.raises(FunctionFailed, match="delete_stream is not a call that the exercise needs"):
        functions.named("n.ipynb", "retries")(Client())


def test_what_is_no_notebook_is_said_so(functions: Functions, tmp_path: Path) -> None:
    for content in ("", "null", "[]", '{"worksheets": []}', '{"cells": 3}', "def f(x): pass"):
        (tmp_path / "other.ipynb").write_text(content)
        with pytest.raises(FunctionFailed, match="^other.ipynb is no notebook in format 4 .*: correct it.$"):
            functions.named("other.ipynb", "f")(1)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("needs_import", "not_installed_here.*could not be run.*ModuleNotFoundError"),
        ("needs_cell", "elsewhere.*could not be run.*json_of_another_cell"),
        ("unrelated", "needs elsewhere .NameError.*json_of_another_cell"),
        ("nowhere", "code cell .* is no Python"),
    ],
)
def test_what_cannot_be_taken_is_named(functions: Functions, name: str, said: str) -> None:
    with pytest.raises(FunctionFailed, match=said):
        functions.named("n.ipynb", name)(1)


@pytest.mark.parametrize(("name", "said"), [("leaves", "ended while"), ("hangs", "took longer than")])
def test_one_that_ends_or_hangs_ends_the_calls(functions: Functions, name: str, said: str) -> None:
    assert functions.named("n.ipynb", "add")(1, 2) == 6
    with pytest.raises(FunctionFailed, match=said):
        functions.named("n.ipynb", name)(1)
    with pytest.raises(FunctionFailed):
        functions.named("n.ipynb", "add")(1, 2)
