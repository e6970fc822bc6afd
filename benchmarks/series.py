"""The whole series, ``make lab``, beside the same steps done the plain way.

    python -m benchmarks.series [--times 2] [--quick]

Set up, nothing running, an account of its own for each. The plain way: the account, then papermill's own command for
01, 02 and 04, one after the other; in place of 03 the scripts ``start-cluster.sh`` and ``flink run -py`` and the first
version of the function, which puts one record at a time. So it is spared 03's kernel and packaging, and of 04 the three
cells that ask Managed Flink; the account warms a cluster that it does not use. Both compare every window with the
reference. With --quick ours alone.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from benchmarks.managed_flink import account_up, plain_files
from benchmarks.producer import original_zip
from benchmarks.rows import Row, arguments, ratio_row, report, row
from lab.core.names import GROUP_STREAM, GROUPS_GROUP
from lab.streams.reading import load_position, read_stream, save_position
from lab.streams.records import read_reviews
from lab.validation.comparison import compare_windows
from lab.validation.completion import wait_for_windows
from lab.validation.reference import windows
from tests.support.account import PROJECT, EmbeddedAccount, free_port
from tests.support.pipeline import BUCKET, LANDING_ZONE, ROLE, WINDOW, Pipeline
from tests.support.plain_flink import PlainFlink

SHARDS = 4  # of an on-demand stream, which 01 creates
START = "2026-02-01T00:00:00.000"  # after everything 02 sends
END = "2026-03-01T00:00:00.000"  # an event there moves the watermark past every window
ASKS_MANAGED_FLINK = re.compile(r"\bflink\b|lab\.check\(")  # the control plane's client; the checks ask it, too


def ours(folder: Path) -> float:
    """Seconds of ``make lab``; its exit code says that every cell ran and every window was right."""
    account = EmbeddedAccount(free_port(), folder / "home")
    command = ["make", "--no-print-directory", "lab", f"ARGS=--out {folder / 'runs'}"]
    began = time.monotonic()
    done = subprocess.run(command, cwd=PROJECT, env=account.environment, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    account.command("down")
    if done.returncode:
        raise RuntimeError(f"make lab ended with {done.returncode}: {done.stdout[-1500:]} {done.stderr[-500:]}")
    return seconds


def papermill(account: EmbeddedAccount, notebook: Path, folder: Path) -> None:
    """One notebook by papermill's command."""
    command = [sys.executable, "-m", "papermill", str(notebook), str(folder / notebook.name), "--cwd", str(PROJECT)]
    environment = {**account.environment, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"papermill on {notebook.name} ended with {done.returncode}: {done.stderr[-2000:]}")


def without_managed_flink(notebook: Path, folder: Path) -> Path:
    """A copy of the notebook without the cells that ask Managed Flink."""
    content = json.loads(notebook.read_text())
    content["cells"] = [
        cell
        for cell in content["cells"]
        if cell["cell_type"] != "code" or not ASKS_MANAGED_FLINK.search("".join(cell["source"]))
    ]
    copy = folder / f"plain-{notebook.name}"
    copy.write_text(json.dumps(content))
    return copy


def put_one_by_one(pipeline: Pipeline) -> None:
    """The first version of the function, then an event on each shard that closes the last windows."""
    pipeline.lambda_.create_function(
        FunctionName="original", Runtime="python3.12", Role=ROLE, Handler="producer_original.lambda_handler",
        MemorySize=512, Timeout=900, Code={"ZipFile": original_zip()},
    )  # fmt: skip
    event = {"bucket": LANDING_ZONE, "key": "sample.json", "stream": "reviews", "start": START}
    answer = pipeline.lambda_.invoke(FunctionName="original", Payload=json.dumps(event).encode())
    if "FunctionError" in answer:
        raise RuntimeError(f"The first version of the function failed: {answer['Payload'].read()[-1000:]}")
    for shard in pipeline.kinesis.list_shards(StreamName="reviews")["Shards"]:
        marker = {"review_id": f"end-marker-{shard['ShardId']}", "reviewer": None, "event_time": END}
        pipeline.kinesis.put_record(
            StreamName="reviews", Data=json.dumps(marker).encode(), PartitionKey=shard["ShardId"],
            ExplicitHashKey=shard["HashKeyRange"]["StartingHashKey"],
        )  # fmt: skip


def plain(folder: Path) -> float:
    """Seconds of the plain way; raises RuntimeError where a window is wrong."""
    notebooks = PROJECT / "notebooks"
    began = time.monotonic()
    with pytest.MonkeyPatch.context() as environment, account_up(folder) as account:
        pipeline = Pipeline(account, folder, environment, SHARDS)
        papermill(account, notebooks / "01_streams.ipynb", folder)
        pipeline.s3.create_bucket(Bucket=BUCKET)
        save_position(BUCKET)
        papermill(account, notebooks / "02_producer.ipynb", folder)
        pipeline.kinesis.create_stream(StreamName=GROUP_STREAM, ShardCount=1)  # as 03 does
        groups = pipeline.property_groups()
        properties = {group["PropertyGroupId"]: group["PropertyMap"] for group in groups}
        # Flink alone does not say when a source has its position, so LATEST could miss the first reviews.
        properties["consumer.config.0"]["scan.stream.initpos"] = "TRIM_HORIZON"
        second = properties["producer.config.0"] | {"output.stream.name": GROUP_STREAM}
        groups.append({"PropertyGroupId": GROUPS_GROUP, "PropertyMap": second})
        flink = PlainFlink(folder / "flink", free_port(), free_port(), slots=SHARDS)
        try:
            flink.start(*plain_files(folder, groups))
            put_one_by_one(pipeline)
            position = load_position(BUCKET)
            reference = windows(read_reviews(read_stream("reviews", position)), **WINDOW)
            output = wait_for_windows(reference, position)
            papermill(account, without_managed_flink(notebooks / "04_validate.ipynb", folder), folder)
            seconds = time.monotonic() - began
        finally:
            flink.stop()
    compared = compare_windows(reference, output)
    if not compared.equal or not compared.expected:
        raise RuntimeError(f"The plain way: {compared.sentence}")
    return seconds


def measure(times: int, plain_times: int) -> list[Row]:
    fast: list[float] = []
    slow: list[float] = []
    for turn in range(times):
        with tempfile.TemporaryDirectory() as folder:
            fast.append(ours(Path(folder)))
        if turn < plain_times:
            with tempfile.TemporaryDirectory() as folder:
                slow.append(plain(Path(folder)))
        print(f"turn {turn + 1}: {fast[-1]:.1f} s, plain {slow[-1:]}, load {os.getloadavg()[0]:.1f}", flush=True)
    beside = "the plain way"
    rows = [row("series_seconds", fast, "s", 45, slow or None, beside if slow else "")]
    if slow:
        rows.append(ratio_row("series_ratio", fast, slow, beside, 0.75, unit="of the plain way"))
        rows.append(row("plain_series_seconds", slow, "s"))
    return rows


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--times", type=int, default=2, help="turns of ours (default 2, with --quick 1)")
    parser.add_argument("--plain-times", type=int, default=1, help="turns of the plain way (default 1, with --quick 0)")
    options = parser.parse_args()
    times, plain_times = (1, 0) if options.quick else (options.times, options.plain_times)
    return report(measure(times, plain_times), options.out)


if __name__ == "__main__":
    sys.exit(main())
