"""The producer as it is written at first: the whole file in memory, one put_record a review.

Made from the description of the lab's first function, to have something to measure against. Deployed by
``benchmarks.producer`` as a Lambda of its own; the answer says how many reviews it put and the most memory it had.
"""

import json
import os
from datetime import datetime, timedelta
from typing import Any

import boto3


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Put every review of ``event['bucket']/event['key']`` on ``event['stream']``.

    The event time is now, or with ``event['start']`` ten reviews a second from there.
    """
    s3, kinesis = boto3.client("s3"), boto3.client("kinesis")
    body = s3.get_object(Bucket=event["bucket"], Key=event["key"])["Body"].read()
    reviews = json.loads(body.decode("utf-8"))
    start = datetime.fromisoformat(event["start"]) if "start" in event else None
    for number, review in enumerate(reviews):
        moment = start + timedelta(milliseconds=100 * number) if start else datetime.now()
        review["event_time"] = moment.isoformat(timespec="milliseconds")
        kinesis.put_record(StreamName=event["stream"], Data=json.dumps(review), PartitionKey=review["review_id"])
    return {"sent": len(reviews), "peak_memory_mb": _peak_memory_mb(), "process": os.getpid()}


def _peak_memory_mb() -> float:
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024 / 1e6
