"""The producer's run manifests: what each finished run read, sent and rejected, kept in the landing zone."""

import json
from typing import Any

import boto3

from lab.core.aws_errors import endpoint_of, plain_words
from lab.core.errors import StepMissing
from lab.core.names import INPUT_STREAM


def read_manifests(landing_zone: str, stream: str = INPUT_STREAM) -> list[dict[str, Any]]:
    """The manifests of all finished runs for a stream, oldest first; each is the producer's answer of its last
    invocation (``run``, ``read``, ``sent``, ``rejected`` ...). Raises StepMissing without a landing zone."""
    s3 = boto3.client("s3")
    missing = StepMissing(f"The bucket {landing_zone} does not exist", "01_streams")
    manifests = []
    with plain_words(f"reading the run manifests of {landing_zone}", endpoint_of(s3), gone=missing):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=landing_zone, Prefix=f"state/{stream}/runs/")
        for page in pages:
            for entry in page.get("Contents", []):
                manifests.append(json.load(s3.get_object(Bucket=landing_zone, Key=entry["Key"])["Body"]))
    return sorted(manifests, key=lambda manifest: manifest["run"])
