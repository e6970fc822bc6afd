"""Say what the Kinesis operations need of the account they are in."""

from typing import Any, Protocol

from localaws.kinesis.errors import invalid, no_such_shard, no_such_stream
from localaws.kinesis.shards import Shard, Stream


class Backend(Protocol):
    """Describe the emulator's streams, in the account and region of the request being answered."""

    @property
    def account(self) -> str: ...

    def stream(self, data: dict[str, Any]) -> Stream | None:
        """Return the stream StreamName or StreamARN names."""
        ...

    def streams(self) -> list[Stream]: ...

    def stream_named(self, name: str) -> Stream | None: ...

    def create(self, name: str, shards: int, mode: str) -> Stream: ...

    def stored(self) -> int:
        """Return bytes of memory that the records of all accounts and regions take."""
        ...

    def consumers(self, stream: Stream) -> list[dict[str, Any]]: ...

    def wake_readers(self) -> None:
        """Tell event source mappings that there are new records."""
        ...


def require_stream(backend: Backend, data: dict[str, Any]) -> Stream:
    """Return the named stream; raises ResourceNotFoundException, InvalidArgumentException where none is named."""
    name, stream = stream_name(data), backend.stream(data)
    if not name:
        raise invalid("Either StreamName or StreamARN must be given.")
    if stream is None:
        raise no_such_stream(name, backend.account)
    return stream


def require_shard(backend: Backend, stream: Stream, shard_id: str) -> Shard:
    """Return the shard of this id; raises ResourceNotFoundException."""
    if shard_id not in stream["shards"]:
        raise no_such_shard(shard_id, stream["StreamName"], backend.account)
    return stream["shards"][shard_id]


def stream_name(data: dict[str, Any]) -> str:
    """Return the name StreamName or StreamARN gives."""
    return data.get("StreamName") or data.get("StreamARN", "").rpartition("stream/")[2]
