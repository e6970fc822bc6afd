"""Define the tags every resource of the lab carries: what made it, in which run, and for whom."""

import re
from collections.abc import Iterable, Mapping

LAB_KEY, LAB = "lab", "flink-review-lab"
"""The tag that makes a resource one of the lab's; nothing without it is ever deleted."""
RUN_KEY, OWNER_KEY = "run_id", "owner"
STOP_AFTER_KEY = "stop_after"  # of the application: UTC, when its hours are over
BY_HAND = "by-hand"  # in place of a run id
# What every service here allows in a value (S3 and Kinesis are the strictest; at most 256 characters).
_FORBIDDEN = re.compile(r"[^\w .:/=+\-@]", re.ASCII)


def lab_tags(run_id: str, owner: str) -> dict[str, str]:
    """Return the tags of a new resource."""
    return {LAB_KEY: LAB, RUN_KEY: _clean(run_id) or BY_HAND, OWNER_KEY: _clean(owner) or "unknown"}


def is_of_the_lab(tags: Mapping[str, str]) -> bool:
    """Say whether these are the tags of a resource that the lab made."""
    return tags.get(LAB_KEY) == LAB


def as_map(listed: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return tags as most of AWS lists them, [{"Key": ..., "Value": ...}], as a dict."""
    return {tag["Key"]: tag.get("Value", "") for tag in listed}


def owner_of(arn: str) -> str:
    """Return who is behind the ARN of GetCallerIdentity: a user's name, a role's session, or root."""
    return re.split("[:/]", arn)[-1]


def _clean(value: str) -> str:
    return _FORBIDDEN.sub("_", value)[:256]
