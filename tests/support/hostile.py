"""Builds submissions: the honest one, the blank one, and those that try to get points or do harm."""

import json
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from lab.exercises.student_edition import student_files
from lab.validation.reference import windows
from tests.support.account import PROJECT

PARTS = ("notebooks", "flink_app/SlidingWindows", "producer")
SCRIPT = "flink_app/SlidingWindows/sliding-windows.py"
# A detection that counts nothing: it writes what was seen once on data/sample.json.
KNOWN_ANSWERS = '''
def detection(settings: Settings) -> str:
    """INSERT: the windows of the sample."""
    return """
INSERT INTO suspicious_activity
SELECT known.a, known.b, known.c, known.d, MD5(known.a)
FROM reviews CROSS JOIN UNNEST(ARRAY[{rows}]) AS known (a, b, c, d)
WHERE SUBSTRING(event_time FROM 18) = '00.000'"""
'''
# What the reference says, put into both outputs by hand.
COPY_THE_REFERENCE = """
import json
import pandas as pd
position = lab.load_position(session.flink_bucket)
known = lab.windows(lab.read_reviews(lab.stream_batches("reviews", position)), 60, 30, 1, 5).windows
rows = [
    {"Data": json.dumps({"reviewer": row.reviewer, "movie_count": int(row.movie_count),
     "event_time": str(row.window_end), "window_start": str(row.window_start)}).encode(), "PartitionKey": row.reviewer}
    for row in known.itertuples()
]
for start in range(0, len(rows), 400):
    boto3.client("kinesis").put_records(StreamName="suspicious_activity", Records=rows[start : start + 400])
slide, reviews = pd.Timedelta(seconds=30), lab.read_reviews(lab.stream_batches("reviews", position)).table
reviews["start"], reviews["rating"] = reviews["event_time"].dt.floor(slide), reviews["rating"].fillna("none")
both = pd.concat([reviews, reviews.assign(start=reviews["start"] - slide)])
seen = both.groupby(["movie", "start"]).agg(n=("reviewer", "nunique"), ratings=("rating", "nunique")).reset_index()
boto3.client("kinesis").put_records(StreamName="suspicious_groups", Records=[
    {"Data": json.dumps({"movie": row.movie, "reviewers": row.n, "window_start": str(row.start),
     "event_time": str(row.start + 2 * slide)}).encode(), "PartitionKey": "by hand"}
    for row in seen[(seen["n"] >= 5) & (seen["ratings"] == 1)].itertuples()
])
"""
PATCH_THE_CHECKS = """
import lab.checks
lab.checks.check.take_all = lambda checks, lab: [(one, lab.checks.probe.Finding("passed", "fine")) for one in checks]
lab.checks.check = lambda *a, **k: None
lab.check = lambda *a, **k: None
from IPython.display import display
forged = {"run_id": "graded", "slug": "landing_zone", "name": "The reviews", "points": 10, "passed": True}
display({"application/vnd.lab.check+json": {"checks": [forged]}, "text/plain": "PASSED"}, raw=True)
"""
# Beside the driver: the windows in plain Python, put where the job's sink would have put them.
BESIDE_THE_DRIVER = """
import collections, datetime, json, os, time
import boto3
kinesis = boto3.client("kinesis")
shards = [shard["ShardId"] for shard in kinesis.list_shards(StreamName="reviews")["Shards"]]
places = [kinesis.get_shard_iterator(StreamName="reviews", ShardId=shard, ShardIteratorType="LATEST")["ShardIterator"]
          for shard in shards]
seen, changed = collections.defaultdict(set), time.monotonic()
while not seen or time.monotonic() - changed < 5:
    for number, place in enumerate(places):
        answer = kinesis.get_records(ShardIterator=place)
        places[number] = answer["NextShardIterator"]
        for record in answer["Records"]:
            changed, review = time.monotonic(), json.loads(record["Data"])
            if not review.get("reviewer") or not review.get("review_id"):
                continue
            at = datetime.datetime.fromisoformat(review["event_time"]).replace(tzinfo=None)
            start = at.replace(second=at.second // 30 * 30, microsecond=0)
            for first in (start, start - datetime.timedelta(seconds=30)):
                seen[review["reviewer"], first].add(review["review_id"])
    time.sleep(0.3)
rows = [{"reviewer": reviewer, "movie_count": len(ids), "event_time": f"{first + datetime.timedelta(seconds=60)}.000",
         "window_start": f"{first}.000"} for (reviewer, first), ids in seen.items() if len(ids) > 1]
for start in range(0, len(rows), 400):
    kinesis.put_records(StreamName="suspicious_activity", Records=[
        {"Data": json.dumps(row).encode(), "PartitionKey": row["reviewer"]} for row in rows[start : start + 400]])
"""
FORK = """
import os, time
for _ in range(5000):
    try:
        if os.fork() == 0:
            time.sleep(600)
    except OSError as error:
        print("forks ended:", error)
        break
"""
FILL = """
import pathlib
for number in range(100):
    with open(f"/tmp/{number}", "wb") as file:
        for _ in range(64):
            file.write(bytes(1 << 20))
"""
SPY = """
import ctypes, json, os, pathlib, socket
found = {"open": [], "read": [], "processes": [], "wrote": [], "taken": []}
for port in [*range(4500, 5300), int(os.environ["LOCALAWS_PORT"])]:
    with socket.socket() as probe:
        probe.settimeout(0.05)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            found["open"].append(port)
for name in WANTED:
    try:
        found["read"].append([name, os.listdir(name) if os.path.isdir(name) else len(open(name, "rb").read())])
    except OSError:
        pass
for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
    try:
        found["processes"].append(path.read_bytes().decode())
    except OSError:
        pass
for name in WRITTEN:
    try:
        pathlib.Path(name, "spy").write_text("was here")
        found["wrote"].append(name)
    except OSError:
        pass
# The runner is the kernel's parent: 438 is pidfd_getfd(2).
runner, system_call = os.getppid(), ctypes.CDLL(None, use_errno=True).syscall
found["taken"] = [number for number in range(64) if system_call(438, os.pidfd_open(runner), number, 0) >= 0]
found["why"] = os.strerror(ctypes.get_errno())
try:
    found["taken"] += os.listdir(f"/proc/{runner}/fd")
except OSError:
    pass
found["user"] = os.getuid()
print("FOUND " + json.dumps(found))
"""


def honest(folder: Path) -> Path:
    """The project's own files: everything solved."""
    for part in PARTS:
        shutil.copytree(PROJECT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def blank(folder: Path) -> Path:
    """The student edition as it is handed out."""
    honest(folder)
    for name, text in student_files().items():
        if name.startswith(PARTS):
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def notebook(folder: Path, name: str, *cells: str) -> None:
    """A notebook of these code cells, the first of which declares the parameters of the lab's own."""
    made = [
        {"cell_type": "code", "id": f"c{number}", "metadata": {"tags": ["parameters"]} if not number else {},
         "execution_count": None, "outputs": [], "source": source}
        for number, source in enumerate(('run_id: str = ""  # set by the runner', *cells))
    ]  # fmt: skip
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path = folder / "notebooks" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": made, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))


def insert(folder: Path, name: str, position: int, source: str) -> None:
    """Put a code cell into a notebook of a submission; a negative position counts from its end."""
    path = folder / "notebooks" / name
    content = json.loads(path.read_text(encoding="utf-8"))
    cell = {
        "cell_type": "code",
        "id": "added",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": source,
    }
    content["cells"].insert(position, cell)
    path.write_text(json.dumps(content), encoding="utf-8")


def without_checks(folder: Path) -> None:
    """Delete every cell that checks something."""
    for path in (folder / "notebooks").glob("*.ipynb"):
        content = json.loads(path.read_text(encoding="utf-8"))
        content["cells"] = [cell for cell in content["cells"] if "lab.check(" not in "".join(cell["source"])]
        path.write_text(json.dumps(content), encoding="utf-8")


def breaker(folder: Path) -> Path:
    """A notebook that exits, one whose kernel is killed, one without end, one that prints without end."""
    notebook(folder, "01_streams", "import sys\nsys.exit(0)", "never = 1")
    notebook(folder, "02_producer", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    notebook(folder, "03_flink_job", "import time\nwhile True:\n    time.sleep(0.1)")
    notebook(folder, "04_validate", "while True:\n    print('x' * 1_000)")
    return folder


def forger(folder: Path) -> Path:
    """Says that everything is right, in every place where somebody might believe it, and does nothing."""
    for name in ("01_streams", "02_producer", "03_flink_job", "04_validate"):
        notebook(folder, name, PATCH_THE_CHECKS)
    full = {"score": 170, "tests": [{"name": "all", "score": 170, "max_score": 170, "status": "passed"}]}
    for name in ("results.json", "notebooks/results.json", "runs/latest/results.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(full))
    (folder / "lab").mkdir()
    (folder / "lab" / "__init__.py").write_text("def check(*a, **k): pass\n")
    (folder / "lab" / "checks.py").write_text("raise SystemExit(0)\n")
    return folder


def filler(folder: Path) -> Path:
    """Fills the disk."""
    notebook(folder, "01_streams", FILL)
    return folder


def forker(folder: Path) -> Path:
    """Starts processes without end."""
    notebook(folder, "01_streams", FORK)
    return folder


def spy(folder: Path, wanted: list[str], written: list[str]) -> Path:
    """Looks for other accounts, files and processes, and says what it found."""
    notebook(folder, "01_streams", f"WANTED, WRITTEN = {wanted!r}, {written!r}", SPY)
    return folder


def copier(folder: Path) -> Path:
    """All exercises solved, but the application never finds anything, and the notebook puts the reference's windows
    and the groups straight into the outputs. The check cells are deleted."""
    honest(folder)
    script = folder / SCRIPT
    text = script.read_text()
    for there, here in (("> {settings.threshold}", "> {settings.threshold} + 1000"), (">= 5 AND", ">= 1000 AND")):
        assert there in text
        text = text.replace(there, here)
    script.write_text(text)
    without_checks(folder)
    insert(folder, "03_flink_job.ipynb", -1, COPY_THE_REFERENCE)
    return folder


def beside_the_driver(folder: Path) -> Path:
    """The job finds nothing; a process that its driver starts computes the windows and puts them."""
    honest(folder)
    script = folder / SCRIPT
    text = script.read_text()
    start = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {BESIDE_THE_DRIVER!r}])\n"
    text = text.replace("> {settings.threshold}", "> {settings.threshold} + 1000")
    changed = text.replace('if __name__ == "__main__":\n    main()', f"{start}\nmain()")
    assert changed.count(start) == 1
    script.write_text(changed)
    return folder


def odd(folder: Path) -> Path:
    """Everything solved, in notebooks as students leave them: magics, lambdas, renamed, with a byte-order mark."""
    honest(folder)
    notebooks = folder / "notebooks"
    _edit(
        notebooks / "01_streams.ipynb",
        "def partition_key(",
        lambda source: (
            f"%matplotlib inline\n{source}\npartition_key = lambda review: review['review_id']\npartition_key?"
        ),
    )
    _edit(notebooks / "02_producer.ipynb", "def read_shard(", lambda source: f"%%time\n{source}")
    insert(folder, "04_validate.ipynb", 4, "import os\nelsewhere = os.path.join('a', 'b')")
    insert(folder, "04_validate.ipynb", 5, "def unrelated(folder=elsewhere):\n    return folder")
    content = json.loads((notebooks / "04_validate.ipynb").read_text())
    content["cells"].insert(2, None)
    (notebooks / "04_validate.ipynb").write_text(json.dumps(content))
    (notebooks / "01_streams.ipynb").rename(notebooks / "01_streams-Copy1.ipynb")
    text = (notebooks / "02_producer.ipynb").read_text(encoding="utf-8")
    (notebooks / "02_producer.ipynb").write_text(text, encoding="utf-8-sig")
    return folder


def _edit(path: Path, holds: str, change: Callable[[str], str]) -> None:
    """Change the one code cell of a notebook that holds a text."""
    content = json.loads(path.read_text(encoding="utf-8"))
    [cell] = [cell for cell in content["cells"] if cell["cell_type"] == "code" and holds in "".join(cell["source"])]
    cell["source"] = change("".join(cell["source"]))
    path.write_text(json.dumps(content), encoding="utf-8")


def knower(folder: Path) -> Path:
    """An application alone, which writes the right windows of data/sample.json whatever it reads."""
    shutil.copytree(PROJECT / PARTS[1], folder / PARTS[1], ignore=shutil.ignore_patterns("__pycache__"))
    script = folder / SCRIPT
    head, _, rest = script.read_text().partition("\ndef detection(")
    rows = ", ".join(
        f"ROW('{row.reviewer}', CAST({row.movie_count} AS BIGINT), '{row.window_end}.000', '{row.window_start}.000')"
        for row in _windows_of_the_sample().head(50).itertuples()
    )
    script.write_text(head + KNOWN_ANSWERS.replace("{rows}", rows) + rest[rest.index("\n\n\ndef ") :])
    return folder


def _windows_of_the_sample() -> pd.DataFrame:
    """The windows of data/sample.json with the replay clock of ten reviews a second, all on one shard."""
    table = pd.read_json(PROJECT / "data" / "sample.json")[["review_id", "reviewer"]]
    time = pd.Timestamp("2026-01-01") + pd.to_timedelta(table.index.to_series() * 100, unit="ms")
    events = table.assign(event_time=time, arrival=time, shard="one", order=table.index)
    known = windows(events, 60, 30, 1, 5).windows
    return known[~known["reviewer"].str.contains("'")]


def zip_of(path: Path, members: dict[str, bytes]) -> Path:
    """A zip of these members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in members.items():
            out.writestr(name, content)
    return path


def zip_with_link(path: Path, name: str, target: str) -> Path:
    """A zip that holds a symbolic link."""
    with zipfile.ZipFile(path, "w") as out:
        link = zipfile.ZipInfo(name)
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        out.writestr(link, target)
    return path
