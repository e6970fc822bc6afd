"""One review: is it one, and its record on the stream."""

import json
from json.encoder import encode_basestring_ascii as quote
from typing import Any

from json_values import dumps
from pybase64 import b64encode

KEYS = (
    "review_id",
    "reviewer",
    "movie",
    "rating",
    "review_summary",
    "review_date",
    "spoiler_tag",
    "review_detail",
    "helpful",
)
# Kinesis: a record is at most 1 MiB, data and partition key together, before base64; a partition key 256 characters.
MAX_RECORD_BYTES = 1 << 20
MAX_PARTITION_KEY = 256


def is_reviewlike(value: Any) -> bool:
    """Whether a decoded JSON value can only be a whole review: how the parser finds its feet after a malformed one."""
    return isinstance(value, dict) and all(key in value for key in KEYS)


def defect(review: Any) -> str | None:
    """Why a decoded JSON value is not a review that can be sent, or None. Keys beyond the nine are ignored."""
    if type(review) is not dict:
        return "not an object"
    try:
        review_id = review["review_id"]
        reviewer = review["reviewer"]
        rating = review["rating"]
        spoiler_tag = review["spoiler_tag"]
        helpful = review["helpful"]
        texts = (review["movie"], review["review_summary"], review["review_date"], review["review_detail"])
    except KeyError:
        return "missing key: " + next(key for key in KEYS if key not in review)
    movie, summary, date, detail = texts
    if not (
        type(review_id) is type(reviewer) is type(movie) is type(summary) is type(date) is type(detail) is str
        and (rating is None or type(rating) is str)
        and type(spoiler_tag) is int
        and (spoiler_tag == 0 or spoiler_tag == 1)
        and type(helpful) is list
        and len(helpful) == 2
        and type(helpful[0]) is type(helpful[1]) is str
    ):
        return "wrong type: " + _wrong_key(review)
    if not review_id:
        return "empty review_id"
    if not reviewer:
        return "empty reviewer"
    if not review_id.isascii() or len(review_id) > MAX_PARTITION_KEY:
        return _key_defect(review_id)
    if len(review) > len(KEYS) and any(_too_deep(value) for value in review.values()):
        return "nested too deeply"
    return None


def _wrong_key(review: dict[str, Any]) -> str:
    for key in KEYS:
        value = review[key]
        if key == "rating":
            fine = value is None or type(value) is str
        elif key == "spoiler_tag":
            fine = type(value) is int and value in (0, 1)
        elif key == "helpful":
            fine = type(value) is list and len(value) == 2 and all(type(part) is str for part in value)
        else:
            fine = type(value) is str
        if not fine:
            return key
    raise AssertionError("called for a review whose types are all right")


def _key_defect(review_id: str) -> str | None:
    try:
        units = len(review_id.encode("utf-16-le")) // 2
    except UnicodeEncodeError:
        return "review_id is no partition key"  # a lone surrogate has no UTF-8 form, so no hash and no shard
    return "review_id too long" if units > MAX_PARTITION_KEY else None


def _too_deep(value: Any, limit: int = 100) -> bool:
    """Whether containers are nested deeper than any review needs; level by level, so depth costs no recursion."""
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True


def payload(review: dict[str, Any], event_time: str) -> bytes:
    """The record's data: JSON with exactly ten keys in this order, UTF-8.

    A text with a lone surrogate has no UTF-8 form: that record is ASCII, with ``\\u`` escapes.
    """
    record = {
        "review_id": review["review_id"],
        "reviewer": review["reviewer"],
        "movie": review["movie"],
        "rating": review["rating"],
        "review_summary": review["review_summary"],
        "review_date": review["review_date"],
        "spoiler_tag": review["spoiler_tag"],
        "review_detail": review["review_detail"],
        "helpful": review["helpful"],
        "event_time": event_time,
    }
    try:
        return dumps(record)
    except (TypeError, UnicodeEncodeError):
        return json.dumps(record, separators=(",", ":")).encode("ascii")


def marker_payload(marker_id: str, event_time: str) -> bytes:
    """An end marker's data: the ten keys, all null but review_id and event_time."""
    nulls = ",".join(f'"{key}":null' for key in KEYS[1:])
    return f'{{"review_id":{quote(marker_id)},{nulls},"event_time":"{event_time}"}}'.encode("ascii")


def wire_entry(data: bytes, partition_key: str, explicit_hash_key: str | None = None) -> bytes:
    """One element of a PutRecords request's ``Records``, ready to be joined into the request's body."""
    tail = f',"ExplicitHashKey":"{explicit_hash_key}"' if explicit_hash_key is not None else ""
    return b'{"Data":"%b","PartitionKey":%b}' % (
        b64encode(data),
        (quote(partition_key) + tail).encode("ascii"),
    )
