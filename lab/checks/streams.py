"""The checks of 01_streams and 02_producer: the landing zone, the streams, the function and what it sent."""

import hashlib
from typing import Any

import boto3

from lab.checks.check import Finding, Lab, register
from lab.core.aws_errors import plain_words
from lab.core.errors import StepMissing
from lab.core.paths import project_path
from lab.core.session import restarted_hint
from lab.streams.reading import read_stream
from lab.streams.records import read_reviews

ON_DEMAND_SHARDS = 4
FUNCTION = "reviewProducer"
# What the lab sets; the rest is the service's default.
SETTINGS = {"Runtime": "python3.12", "Architectures": ["x86_64"], "MemorySize": 512, "Timeout": 300}


@register("01_streams", "The reviews are in the landing zone", 5)
def landing_zone(lab: Lab) -> Finding:
    bucket, path = lab.session.landing_zone, project_path(lab["reviews_file"])
    looked = f"s3://{bucket}/sample.json and {path.name}"
    s3 = boto3.client("s3")
    missing = StepMissing(f"There is no s3://{bucket}/sample.json{restarted_hint(lab.session)}", "01_streams")
    with plain_words(f"reading {bucket}", lab.session.endpoint, gone=missing):
        body = s3.get_object(Bucket=bucket, Key="sample.json")["Body"]
        there, size = hashlib.sha256(), 0
        for chunk in body.iter_chunks(1 << 20):
            there.update(chunk)
            size += len(chunk)
    with path.open("rb") as file:
        here = hashlib.file_digest(file, "sha256")
    if there.digest() != here.digest():
        return Finding(
            False,
            looked,
            f"The object ({size:,} bytes) differs from the file ({path.stat().st_size:,} bytes): "
            "upload the file again.",
        )
    return Finding(True, looked, f"Same {size:,} bytes, same SHA-256.")


def _stream(lab: Lab, name: str) -> Finding:
    kinesis = boto3.client("kinesis")
    missing = StepMissing(f"The stream {name} does not exist{restarted_hint(lab.session)}", "01_streams")
    with plain_words(f"describing {name}", lab.session.endpoint, gone=missing):
        summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    mode = summary.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED")
    status, shards = summary["StreamStatus"], summary["OpenShardCount"]
    wanted = lab["shards"]
    looked = f"the stream {name}: {status}, {mode}, {shards} open shards"
    if status != "ACTIVE":
        return Finding(False, looked, f"It is {status}: wait until it is ACTIVE.")
    if mode != ("PROVISIONED" if wanted else "ON_DEMAND"):
        return Finding(False, looked, f"It is {mode}: run 05_cleanup, then 01_streams with shards = {wanted}.")
    if wanted and shards != wanted:
        return Finding(False, looked, f"It has {shards} shards, not {wanted}: run 05_cleanup, then 01_streams again.")
    return Finding(True, looked, "ACTIVE in the mode that was asked for.")


@register("01_streams", "The stream reviews is ACTIVE", 5)
def reviews_active(lab: Lab) -> Finding:
    return _stream(lab, "reviews")


@register("01_streams", "The stream suspicious_activity is ACTIVE", 5)
def output_active(lab: Lab) -> Finding:
    return _stream(lab, "suspicious_activity")


@register("02_producer", "The function is Active with the lab's settings", 5)
def function_settings(lab: Lab) -> Finding:
    lambda_ = boto3.client("lambda")
    missing = StepMissing(f"The function {FUNCTION} does not exist{restarted_hint(lab.session)}", "02_producer")
    with plain_words(f"reading the settings of {FUNCTION}", lab.session.endpoint, gone=missing):
        found = lambda_.get_function_configuration(FunctionName=FUNCTION)
    wanted: dict[str, Any] = {**SETTINGS, "Role": lab.session.role_arn}
    wrong = [
        f"{name} is {found.get(name)!r}, not {value!r}" for name, value in wanted.items() if found.get(name) != value
    ]
    looked = f"the configuration of {FUNCTION}: {found.get('State')}"
    if wrong:
        return Finding(False, looked, f"{'; '.join(wrong)}: update the function's configuration.")
    if found.get("State") != "Active":
        return Finding(False, looked, f"It is {found.get('State')}: wait until it is Active.")
    return Finding(True, looked, "Python 3.12, x86_64, 512 MB, 300 s, LabRole.")


@register("02_producer", "Every review the function sent is in the stream", 10)
def records_arrived(lab: Lab) -> Finding:
    from lab.streams.manifests import read_manifests

    manifests = read_manifests(lab.session.landing_zone)
    if not manifests:
        return Finding(False, "the run manifests in the landing zone", "The function was not run yet: invoke it.")
    sent = sum(manifest["sent"] for manifest in manifests)
    read = sum(manifest["read"] for manifest in manifests)
    rejected = sum(manifest["rejected"] for manifest in manifests)
    events = read_reviews(read_stream("reviews"))
    found = len(events.table)
    looked = f"{len(manifests)} run manifests and all records of reviews"
    if read != sent + rejected:
        return Finding(
            False, looked, f"{read:,} read is not {sent:,} sent + {rejected:,} rejected: look at the function's log."
        )
    if found < sent:
        return Finding(
            False,
            looked,
            f"{found:,} reviews are in the stream and {sent:,} were sent: look at the "
            "function's log, then invoke it again.",
        )
    if not sent:
        return Finding(
            False,
            looked,
            f"All {rejected:,} reviews were rejected: look under rejected/ in the landing zone for the reasons.",
        )
    return Finding(True, looked, f"{sent:,} sent, {found:,} in the stream, {rejected:,} rejected with a reason.")
