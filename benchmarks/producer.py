"""The producer beside its first version and beside bare PutRecords, on the same account and the same reviews.

    python -m benchmarks.producer [--times 2] [--quick]

Both functions go through Lambda's Invoke and are warm; every run has a stream of its own (on-demand, four shards), and
afterwards the distinct review_ids on it are counted: a run that lost one ends the benchmark. ``--quick`` leaves out the
runs that take minutes: the first version on 20,000 reviews, ours on 1,000,000. The sizes are those of the embedded
account, which does not throttle unless asked to: on AWS a shard's limit comes first.
"""

import io
import json
import re
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.managed_flink import account_up
from benchmarks.rows import Row, arguments, ratio_row, report, row, table
from lab.deploy.producer_zip import build_producer_zip
from tests.support.account import ACCOUNT, PROJECT, EmbeddedAccount

BUCKET = "landing-zone-of-the-benchmark"
TIMEOUT = 40  # seconds, of which a run keeps 10 in hand: a million reviews then take more than one invocation
_REVIEW_ID = re.compile(rb'"review_id": ?"([^"]+)"')
_PART = 20_000  # reviews a piece of an upload
_WARM_UPS = 3  # invocations of each function before anything is measured
_OURS_A_TURN = 5  # invocations of ours beside one of the original: a tenth of a second each, five seconds that one


def original_zip() -> bytes:
    """The first version, as ``create_function`` takes it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        target.write(Path(__file__).with_name("producer_original.py"), "producer_original.py")
    return packed.getvalue()


class Bench:
    """Functions, objects and streams in one account."""

    def __init__(self, account: EmbeddedAccount, folder: Path) -> None:
        self.s3, self.kinesis, self.lambda_ = (account.client(name) for name in ("s3", "kinesis", "lambda"))
        self.streams = 0
        self.sample = json.loads((PROJECT / "data" / "sample.json").read_text())
        self.s3.create_bucket(Bucket=BUCKET)
        # Its own limit is no part of the comparison: AWS would have ended it after 5 minutes.
        self._create("original", "producer_original.lambda_handler", original_zip(), 900)
        ours = build_producer_zip(folder / "producer.zip").read_bytes()
        self._create("ours", "lambda_function.lambda_handler", ours, TIMEOUT)

    def _create(self, name: str, handler: str, code: bytes, timeout: int) -> None:
        self.lambda_.create_function(
            FunctionName=name, Runtime="python3.12", Role=f"arn:aws:iam::{ACCOUNT}:role/LabRole", Handler=handler,
            MemorySize=512, Timeout=timeout, Code={"ZipFile": code},
        )  # fmt: skip

    def reviews(self, first: int, count: int) -> list[dict[str, Any]]:
        """The lab's sample over and over, each review with an id of its own."""
        size = len(self.sample)
        return [{**self.sample[at % size], "review_id": f"rw{at:07d}"} for at in range(first, first + count)]

    def upload(self, count: int) -> str:
        """One JSON array of ``count`` reviews; its key."""
        key = f"{count}.json"
        upload = self.s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        where, parts = {"Bucket": BUCKET, "Key": key, "UploadId": upload}, []
        for first in range(0, count, _PART):
            some = self.reviews(first, min(_PART, count - first))
            body = b"[" if first == 0 else b", "
            body += json.dumps(some, ensure_ascii=False).encode()[1:-1]
            body += b"]" if first + _PART >= count else b""
            number = len(parts) + 1
            answer = self.s3.upload_part(**where, PartNumber=number, Body=body)
            parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        self.s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
        return key

    def stream(self) -> str:
        self.streams += 1
        name = f"reviews-{self.streams}"
        self.kinesis.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
        while self.kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamStatus"] != (
            "ACTIVE"
        ):
            time.sleep(0.02)
        return name

    def run(self, function: str, count: int) -> tuple[float, list[dict[str, Any]]]:
        """(seconds of all invocations, their answers) until ``count`` reviews are on a new stream, all of them."""
        stream = self.stream()
        event = {"bucket": BUCKET, "key": f"{count}.json", "stream": stream}
        if function == "ours":
            event |= {"state_bucket": BUCKET}
        answers: list[dict[str, Any]] = []
        seconds = 0.0
        while not answers or not answers[-1].get("done", True):
            began = time.monotonic()
            answer = self.lambda_.invoke(FunctionName=function, Payload=json.dumps(event).encode())
            seconds += time.monotonic() - began
            payload = json.load(answer["Payload"])
            if "FunctionError" in answer:
                raise RuntimeError(f"{function} failed on {count:,} reviews: {payload}")
            answers.append(payload)
        self.verify(stream, count, function)
        return seconds, answers

    def ceiling(self, count: int, threads: int) -> float:
        """Records a second of plain ``put_records`` calls of 500 ready-made records, from this process."""
        records = [
            {"Data": json.dumps({**one, "event_time": "2026-01-01T00:00:00.000"}), "PartitionKey": one["review_id"]}
            for one in self.reviews(0, count)
        ]
        batches = [records[at : at + 500] for at in range(0, count, 500)]
        stream = self.stream()
        began = time.monotonic()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda batch: self.kinesis.put_records(StreamName=stream, Records=batch), batches))
        seconds = time.monotonic() - began
        self.verify(stream, count, "bare PutRecords")
        return count / seconds

    def verify(self, stream: str, count: int, who: str) -> None:
        """Count the distinct review_ids on the stream, end it, and raise if one is missing."""
        found: set[bytes] = set()
        for shard in self.kinesis.list_shards(StreamName=stream)["Shards"]:
            question = {"StreamName": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
            iterator = self.kinesis.get_shard_iterator(**question)["ShardIterator"]
            while True:
                answer = self.kinesis.get_records(ShardIterator=iterator, Limit=10_000)
                found.update(_REVIEW_ID.search(record["Data"])[1] for record in answer["Records"])
                iterator = answer["NextShardIterator"]
                if not answer["Records"] and not answer["MillisBehindLatest"]:
                    break
        self.kinesis.delete_stream(StreamName=stream)
        arrived = sum(not one.startswith(b"end-marker") for one in found)
        if arrived != count:
            raise RuntimeError(f"{who} was to put {count:,} reviews on {stream}, but {arrived:,} are there.")


def compare(bench: Bench, count: int, times: int, original_times: int) -> tuple[Row, list[Row], float]:
    """(the ratio's row, the two speeds' rows, the original's peak memory)."""
    bench.upload(count)
    plain, ours, peak = [], [], 0.0
    for turn in range(max(times, original_times)):
        if turn < original_times:
            seconds, answers = bench.run("original", count)
            plain.append(count / seconds)
            peak = max(peak, answers[-1]["peak_memory_mb"])
        if turn < times:
            ours += [count / bench.run("ours", count)[0] for _ in range(_OURS_A_TURN)]
    speeds = [
        row(f"producer_original_{count}", plain, "reviews/s"),
        row(f"producer_ours_{count}", ours, "reviews/s"),
    ]
    least = 20 if count > 5_000 else 15
    middle = [speeds[0]["value"]]
    ratio = ratio_row(
        f"producer_ratio_{count}", ours, middle, "the original", least, unit="times as fast", at_least=True
    )
    return ratio, speeds, peak


def measure(times: int, quick: bool) -> list[Row]:
    """All rows."""
    with tempfile.TemporaryDirectory() as name, account_up(Path(name)) as account:
        bench = Bench(account, Path(name))
        while not json.loads(account.command("status", "--json").stdout)["warm_cluster"]:
            time.sleep(0.2)  # the account's own start is over then
        bench.upload(1000)
        for function in ("original", "ours"):
            for _ in range(_WARM_UPS):
                bench.run(function, 1000)
        rows: list[Row] = []
        for count, turns in ((5_000, times), *(() if quick else ((20_000, 1),))):
            ratio, speeds, plain_peak = compare(bench, count, times, turns)
            rows += [ratio, *speeds]
            print(table(rows[-3:]), flush=True)
        bench.upload(10_000)
        bench.upload(100_000)
        shares, ceilings, large, peaks = [], [], [], []
        for _ in range(times):
            best = max(bench.ceiling(20_000, threads) for threads in (1, 2, 4))
            seconds, answers = bench.run("ours", 100_000)
            if len(answers) != 1:
                raise RuntimeError(f"100,000 reviews took {len(answers)} invocations, not one.")
            ceilings.append(best)
            shares.append(100_000 / seconds / best)
            large.append(seconds)
            peaks.append(answers[-1]["peak_memory_mb"])
        rows.append(row("producer_bare_put_records", ceilings, "records/s"))
        rows.append(row("producer_ceiling_share", shares, "of bare PutRecords"))
        rows.append(row("producer_100k_seconds", large, "s", 30))
        print(table(rows[-3:]), flush=True)
        small = [bench.run("ours", 10_000)[0] for _ in range(2 * times + 1)]
        per_review = [1e6 * seconds / 10_000 for seconds in small]
        rows.append(row("producer_10k_us", per_review, "us a review"))
        if not quick:
            bench.upload(1_000_000)
            seconds, answers = bench.run("ours", 1_000_000)
            peaks += [answer["peak_memory_mb"] for answer in answers]
            rows.append(row("producer_1m_us", [seconds], "us a review"))
            growth = seconds / rows[-2]["value"]
            rows.append(row("producer_1m_flat", [growth], "of the time per review at 10,000", 1.15))
            rows.append(row("producer_1m_invocations", [len(answers)], "invocations"))
        beside = f"{plain_peak:.0f} MB of the original on {count:,} reviews"
        rows.append(row("producer_peak_mb", [max(peaks)], "MB", 150, beside=beside))
    return rows


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--times", type=int, default=2)
    options = parser.parse_args()
    return report(measure(1 if options.quick else options.times, options.quick), options.out)


if __name__ == "__main__":
    sys.exit(main())
