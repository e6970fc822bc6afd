"""Check 01_streams and 02_producer: the landing zone, the streams, the function and what it sent."""

import hashlib
import json
from typing import Any

import boto3

from lab.checks.pipeline import Pipeline
from lab.checks.probe import Finding, Place, probe
from lab.core.account import required
from lab.core.names import FUNCTION, INPUT_STREAM, OUTPUT_STREAM, REVIEWS_FILE, ROLE
from lab.core.paths import project_path
from lab.streams.reading import stream_batches
from lab.streams.records import read_reviews

# What the lab sets; the rest is the service's default.
SETTINGS = {"Runtime": "python3.12", "Architectures": ["x86_64"], "MemorySize": 512, "Timeout": 300}


@probe("The reviews are in the landing zone", "01_streams", 5)
def landing_zone(lab: Pipeline) -> Finding:
    path = project_path(lab["reviews_file"])
    bucket = lab.session.landing_zone
    where = f"s3://{bucket}/{REVIEWS_FILE}"
    there, size = hashlib.sha256(), 0
    with required(f"reading {bucket}", f"There is no {where}", "01_streams", lab.session):
        body = boto3.client("s3").get_object(Bucket=bucket, Key=REVIEWS_FILE)["Body"]
        for chunk in body.iter_chunks(1 << 20):
            there.update(chunk)
            size += len(chunk)
    with path.open("rb") as file:
        here = hashlib.file_digest(file, "sha256")
    place = Place(f"{where} and {path.name}")
    if there.digest() != here.digest():
        return place.failed(
            f"The object ({size:,} bytes) differs from the file ({path.stat().st_size:,} bytes): upload the file again."
        )
    return place.passed(f"Same {size:,} bytes, same SHA-256.")


@probe(f"The stream {INPUT_STREAM} is ACTIVE", "01_streams", 5)
def reviews_active(lab: Pipeline) -> Finding:
    return _active(lab, INPUT_STREAM)


@probe(f"The stream {OUTPUT_STREAM} is ACTIVE", "01_streams", 5)
def output_active(lab: Pipeline) -> Finding:
    return _active(lab, OUTPUT_STREAM)


def _active(lab: Pipeline, name: str) -> Finding:
    summary = lab.stream(name)
    mode = summary.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED")
    status, shards = summary["StreamStatus"], summary["OpenShardCount"]
    wanted = lab["shards"]
    place = Place(f"the stream {name}: {status}, {mode}, {shards} open shards")
    if status != "ACTIVE":
        return place.failed(f"It is {status}: wait until it is ACTIVE.")
    if mode != ("PROVISIONED" if wanted else "ON_DEMAND"):
        return place.failed(f"It is {mode}: run 05_cleanup, then 01_streams with shards = {wanted}.")
    if wanted and shards != wanted:
        return place.failed(f"It has {shards} shards, not {wanted}: run 05_cleanup, then 01_streams again.")
    return place.passed("ACTIVE in the mode that was asked for.")


@probe("The function is Active with the lab's settings", "02_producer", 5)
def function_settings(lab: Pipeline) -> Finding:
    found = lab.function()
    wanted: dict[str, Any] = {**SETTINGS, "Role": lab.session.role_arn}
    wrong = [
        f"{name} is {found.get(name)!r}, not {value!r}" for name, value in wanted.items() if found.get(name) != value
    ]
    place = Place(f"the configuration of {FUNCTION}: {found.get('State')}")
    if wrong:
        return place.failed(f"{'; '.join(wrong)}: update the function's configuration.")
    if found.get("State") != "Active":
        return place.failed(f"It is {found.get('State')}: wait until it is Active.")
    return place.passed(f"Python 3.12, x86_64, 512 MB, 300 s, {ROLE}.")


@probe("Every review the function sent is in the stream", "02_producer", 10)
def records_arrived(lab: Pipeline) -> Finding:
    finished = _finished_runs(lab)
    if not finished:
        return Place("the function's state in the landing zone").failed("No run of the function has ended: invoke it.")
    runs, sent, rejected = finished["runs"], finished["sent"], finished["read"] - finished["sent"]
    found = len(read_reviews(stream_batches(INPUT_STREAM)).table)
    place = Place(f"{runs} finished run{'s' * (runs != 1)} of the function and all records of {INPUT_STREAM}")
    if found < sent:
        return place.failed(
            f"{found:,} reviews are in the stream and {sent:,} were sent: look at the function's log, then invoke it "
            "again."
        )
    if not sent:
        return place.failed(
            f"All {rejected:,} reviews were rejected: look under rejected/ in the landing zone for the reasons."
        )
    return place.passed(f"{sent:,} sent, {found:,} in the stream, {rejected:,} rejected with a reason.")


def _finished_runs(lab: Pipeline) -> dict[str, int]:
    """Read what the function's finished runs read and sent in all, from its state in the landing zone."""
    bucket, key = lab.session.landing_zone, f"state/{INPUT_STREAM}/clock.json"
    with required(f"reading {key} of {bucket}", f"{FUNCTION} was not run yet", "02_producer", lab.session):
        return json.load(boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"]).get("finished", {})
