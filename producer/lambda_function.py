"""Send reviews from S3 to Kinesis: the Lambda `reviewProducer` (handler lambda_function.lambda_handler)."""

import os
import sys
import time
from typing import Any

import boto3
from botocore.config import Config
from event_settings import settings_of
from producer_run import ProducerRun
from review_event import iso, make_event
from review_reader import defect
from shard_senders import MAX_RECORD_BYTES, Record

_clients: dict[tuple[str, str | None, str | None], Any] = {}


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Send the reviews, or go on where the last invocation with the same event stopped.

    The settings of the event and the keys of the answer are described in README.md. Raises ProducerError with one
    sentence; what was sent until then is known to the next invocation.
    """
    settings = settings_of(event, lambda: _landing_zone(context))
    # Records that fail are sent again by their sender, in order; a retry by boto3 would not be counted.
    s3, kinesis = _client("s3", attempts=5), _client("kinesis", attempts=1)
    run = ProducerRun(settings, context, s3, kinesis, _write_log)
    run.begin()
    try:
        complete = send_reviews(run)
        done = run.save_cursor() and complete and run.close_windows()
        return run.end(done)
    except BaseException as error:
        run.leave(error)
        raise


def send_reviews(run: ProducerRun) -> bool:
    """Send every review from the cursor on; False when the time to stop came first."""
    settings, cursor = run.settings, run.cursor
    if settings.finish:
        return True
    began, before, due = time.monotonic(), cursor["sent"], 0.0
    for element in run.reader:
        reason = element.reason or defect(element.value)
        if reason is None:
            event_ms = run.clock(cursor["sent"])
            event_time = iso(event_ms)
            event = make_event(element.value, event_time)
            key = element.value["review_id"]
            size = len(event) + len(key.encode())
            if size > MAX_RECORD_BYTES:
                reason = "over 1 MiB"
        if reason is None:
            run.senders.put(Record(event, key, event_ms, size))
            cursor["sent"] += 1
            cursor["first_event_time"] = cursor["first_event_time"] or event_time
            cursor["last_event_time"] = event_time
        else:
            run.reject(element, reason)
        cursor["read"] += 1
        cursor["byte_offset"] = run.reader.offset
        if cursor["read"] == settings.limit:
            break
        if settings.pace:
            due = began + (cursor["sent"] - before) / settings.pace
        if not run.may_go_on(due):
            return False
    return True


def _client(service: str, attempts: int) -> Any:
    """Return one client for each service, kept while the function is warm."""
    where = (service, os.environ.get("AWS_ENDPOINT_URL"), os.environ.get("AWS_REGION"))
    if where not in _clients:
        # Timeouts stay below the seconds that a run keeps in hand for its clean stop.
        retries = {"mode": "standard", "total_max_attempts": attempts}
        config = Config(connect_timeout=3, read_timeout=8, max_pool_connections=64, retries=retries)
        _clients[where] = boto3.client(service, config=config)
    return _clients[where]


def _landing_zone(context: Any) -> str:
    """Return the account's bucket, from the function's own ARN; STS is asked only where there is none."""
    if bucket := os.environ.get("LANDING_ZONE_BUCKET"):
        return bucket
    account = (str(getattr(context, "invoked_function_arn", "")).split(":") + [""] * 5)[4]
    return f"{account or _client('sts', attempts=5).get_caller_identity()['Account']}-landing-zone"


def _write_log(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
