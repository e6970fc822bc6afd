"""Kinesis streams in this process, for tests of what works on them."""

import time
from typing import Any

from localaws.kinesis.shards import MAX_HASH_KEY, Stream, next_sequence_number

ACCOUNT = "000000000000"


class FakeBackend:
    """One stream, ``s``, with uniform shards."""

    def __init__(self, shards: int = 1, mode: str = "PROVISIONED") -> None:
        self.s: Stream = self._stream("s", shards, mode)
        self.woken = 0

    def _stream(self, name: str, shards: int, mode: str) -> Stream:
        size = (MAX_HASH_KEY + 1) // shards
        return {
            "StreamName": name,
            "StreamARN": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{name}",
            "StreamStatus": "ACTIVE",
            "StreamModeDetails": {"StreamMode": mode},
            "RetentionPeriodHours": 24,
            "CreationTimestamp": int(time.time()),
            "shards": {
                f"shardId-{number:012d}": {
                    "records": [],
                    "starting_hash_key": str(number * size),
                    "ending_hash_key": str((number + 1) * size - 1 if number < shards - 1 else MAX_HASH_KEY),
                    "starting_sequence_number": next_sequence_number(),
                    "parent_shard_id": None,
                    "adjacent_parent_shard_id": None,
                }
                for number in range(shards)
            },
        }

    @property
    def account(self) -> str:
        return ACCOUNT

    def stream(self, data: dict[str, Any]) -> Stream | None:
        return self.stream_named(data.get("StreamName", ""))

    def streams(self) -> list[Stream]:
        return [self.s]

    def stream_named(self, name: str) -> Stream | None:
        return self.s if name == self.s["StreamName"] else None

    def create(self, name: str, shards: int, mode: str) -> Stream:
        self.s = self._stream(name, shards, mode)
        return self.s

    def stored(self) -> int:
        return self.s.get("stored", 0)

    def consumers(self, stream: Stream) -> list[dict[str, Any]]:
        return []

    def wake_readers(self) -> None:
        self.woken += 1


def entry(data: bytes = b"x", key: str = "k", **more: str) -> dict[str, Any]:
    """A record to put, as the operations get it: checked, its data in bytes."""
    return {"Data": data, "PartitionKey": key, **more}


def shard(number: int) -> str:
    return f"shardId-{number:012d}"
