"""Kinesis streams in this process, for tests of what works on them."""

import base64
import itertools
import time
from typing import Any

from localaws.kinesis.shards import MAX_HASH_KEY, Stream

ACCOUNT = "000000000000"


class FakeBackend:
    """One stream, ``s``, with uniform shards."""

    def __init__(self, shards: int = 1, mode: str = "PROVISIONED") -> None:
        self._numbers = itertools.count(1)
        size = (MAX_HASH_KEY + 1) // shards
        self.s: Stream = {
            "StreamName": "s",
            "StreamARN": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/s",
            "StreamStatus": "ACTIVE",
            "StreamModeDetails": {"StreamMode": mode},
            "RetentionPeriodHours": 24,
            "CreationTimestamp": int(time.time()),
            "shards": {
                f"shardId-{number:012d}": {
                    "records": [],
                    "starting_hash_key": str(number * size),
                    "ending_hash_key": str((number + 1) * size - 1 if number < shards - 1 else MAX_HASH_KEY),
                    "starting_sequence_number": self.next_sequence_number(),
                    "parent_shard_id": None,
                    "adjacent_parent_shard_id": None,
                }
                for number in range(shards)
            },
        }
        self.woken = 0

    @property
    def account(self) -> str:
        return ACCOUNT

    def stream(self, data: dict[str, Any]) -> Stream | None:
        return self.stream_named(data.get("StreamName", ""))

    def streams(self) -> list[Stream]:
        return [self.s]

    def stream_named(self, name: str) -> Stream | None:
        return self.s if name == "s" else None

    def next_sequence_number(self) -> str:
        return f"{next(self._numbers):030d}"

    def consumers(self, stream: Stream) -> int:
        return 0

    def wake_readers(self) -> None:
        self.woken += 1


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def entry(data: bytes = b"x", key: str = "k", **more: str) -> dict[str, Any]:
    return {"Data": b64(data), "PartitionKey": key, **more}


def shard(number: int) -> str:
    return f"shardId-{number:012d}"
