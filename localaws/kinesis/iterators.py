"""Shard iterators that carry their own position, so that nothing has to be kept for them however often one polls."""

import base64
import time
from dataclasses import dataclass

from localaws.kinesis.errors import KinesisError, invalid

LIFETIME = 300.0  # seconds an iterator may be used for


@dataclass(frozen=True)
class ShardIterator:
    """Where to read next. ``generation`` tells a stream from an earlier one of the same name."""

    stream: str
    generation: str
    shard_id: str
    position: int
    issued: float

    def token(self) -> str:
        fields = (self.stream, self.generation, self.shard_id, str(self.position), f"{self.issued:.3f}")
        return base64.urlsafe_b64encode("|".join(fields).encode()).decode()


def read_token(token: object) -> ShardIterator:
    """The iterator a token stands for; raises KinesisError for a foreign or an expired one."""
    try:
        stream, generation, shard_id, position, issued = (
            base64.b64decode(str(token), altchars=b"-_", validate=True).decode().split("|")
        )
        iterator = ShardIterator(stream, generation, shard_id, int(position), float(issued))
    except ValueError as error:
        raise invalid("Invalid ShardIterator.") from error
    age = time.time() - iterator.issued
    if age > LIFETIME:
        raise KinesisError(
            "ExpiredIteratorException",
            f"Iterator expired. It was created {age:.0f} seconds ago, and iterators last {LIFETIME:.0f} seconds; ask "
            "for a new one with GetShardIterator.",
        )
    return iterator
