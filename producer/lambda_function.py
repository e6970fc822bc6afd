"""The Lambda `reviewProducer`: reviews from S3 to Kinesis (handler lambda_function.lambda_handler)."""

import os
import sys
import uuid
from typing import Any

import boto3
from botocore.config import Config
from event_settings import settings_of
from producer_run import ProducerRun
from run_opening import Surroundings
from run_state import LEASE_SECONDS
from shard_lanes import MOST_LANES

_clients: dict[tuple[str, str | None, str | None], Any] = {}


def _client(service: str, **options: Any) -> Any:
    """One client for each service, kept while the function is warm."""
    where = (service, os.environ.get("AWS_ENDPOINT_URL"), os.environ.get("AWS_REGION"))
    if where not in _clients:
        # Timeouts stay below the seconds that a run keeps in hand for its clean stop.
        _clients[where] = boto3.client(service, config=Config(connect_timeout=3, read_timeout=8, **options))
    return _clients[where]


def _landing_zone(context: Any) -> str:
    """The account's bucket, from the function's own ARN; STS is asked only where there is none."""
    if bucket := os.environ.get("LANDING_ZONE_BUCKET"):
        return bucket
    parts = str(getattr(context, "invoked_function_arn", "")).split(":")
    account = parts[4] if len(parts) > 4 and parts[4].isdigit() else _client("sts").get_caller_identity()["Account"]
    return f"{account}-landing-zone"


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Send the reviews, or go on where the last invocation with the same event stopped.

    The settings of the event and the keys of the answer are described in README.md. Raises ProducerError with one
    sentence; what was sent until then is known to the next invocation.
    """
    settings = settings_of(event, lambda: _landing_zone(context))
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    around = Surroundings(
        s3=_client("s3", retries={"mode": "standard", "total_max_attempts": 5}),
        # Records that fail are sent again by their lane, in order; a retry by boto3 would not be counted.
        kinesis=_client(
            "kinesis",
            parameter_validation=False,
            max_pool_connections=MOST_LANES + 1,
            retries={"mode": "standard", "total_max_attempts": 1},
        ),
        owner=f"{getattr(context, 'aws_request_id', None) or 'direct'}/{uuid.uuid4().hex[:8]}",
        remaining=(lambda: remaining() / 1000) if remaining else (lambda: float("inf")),
        write_log=_write_log,
        # AWS throttles a shard for certain: keep to its limit from the beginning. A local account may have none.
        limited="AWS_ENDPOINT_URL" not in os.environ and "AWS_ENDPOINT_URL_KINESIS" not in os.environ,
        lease_seconds=float(os.environ.get("PRODUCER_LEASE_SECONDS", LEASE_SECONDS)),
    )
    return ProducerRun(settings, around).execute()


def _write_log(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
