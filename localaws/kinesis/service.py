"""Dispatch requests of Kinesis: which operation, who asks, and what may go wrong on purpose."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

import cbor2
import orjson
from botocore import xform_name

from localaws.errors import ApiError
from localaws.kinesis.backend import Backend, stream_name
from localaws.kinesis.errors import throttled
from localaws.kinesis.faults import Fate, FaultInjector
from localaws.kinesis.limits import StrictLimits
from localaws.kinesis.listing import Listing
from localaws.kinesis.records import Records
from localaws.kinesis.reshard import Resharding
from localaws.kinesis.shards import check_start
from localaws.kinesis.tags import Tags
from localaws.kinesis.wire import Answer, decode, encode, encode_error, encode_records, speaks_cbor
from localaws.machine.connection_reset import reset_connection
from localaws.machine.processes import give_memory_back
from localaws.validation import RequestModel

Handler = Callable[[str, str, dict[str, str], bytes, Any], Awaitable[Any]]
Operation = Callable[[dict[str, Any]], dict[str, Any]]


class Readers(Protocol):
    """Describe is told which caller lists and reads what; see ``managed_flink.sources``."""

    def listed(self, caller: str, stream: str) -> None: ...

    def read(self, caller: str, stream: str, shard: str) -> None: ...

    def since(self, caller: str, stream: str, shard: str, timestamp: float, now: float) -> float: ...


class KinesisService:
    """Answer the operations it knows, and leave the rest to ``rest``, the emulator's own handler."""

    def __init__(
        self,
        backend: Backend,
        rest: Handler,
        readers: Readers,
        caller_of: Callable[[str], str | None],
        limits: StrictLimits | None = None,
        faults: FaultInjector | None = None,
    ) -> None:
        self._model = RequestModel("kinesis")
        self._backend = backend
        self._rest = rest
        self._readers = readers
        self._caller_of = caller_of
        self._faults = faults
        self._records = Records(backend, limits)
        self._operations: dict[str, Operation] = {
            name: getattr(handler, xform_name(name))  # as boto3 calls it
            for handler in (self._records, Listing(backend), Resharding(backend), Tags(backend))
            for name in self._model.service.operation_names
            if hasattr(handler, xform_name(name))
        }

    async def handle_request(self, method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        """Answer one request as the emulator's handlers do: status, headers, body."""
        operation, cbor = headers.get("x-amz-target", "").rpartition(".")[2], speaks_cbor(headers)
        caller = self._caller_of(headers.get("user-agent", "") + " " + headers.get("x-amz-user-agent", ""))
        try:
            data = self._model.check(operation, decode(body, cbor))
            if operation not in self._operations:
                plain = cbor2.dumps(data) if cbor else orjson.dumps(data)
                serve = partial(self._rest, method, path, headers, plain, query)
                if operation == "SubscribeToShard":
                    return await self._subscribe(data, caller, serve)
                answer = await serve()
                if operation == "DeleteStream":
                    give_memory_back()
                return answer
            fate = self._faults.fate(operation) if self._faults else None
            if fate is None:
                return self._answer(operation, data, cbor, caller, None)
            return await self._with_faults(operation, data, cbor, caller, fate)
        except ApiError as error:
            return encode_error(error, cbor)

    async def _subscribe(self, data: dict[str, Any], caller: str | None, serve: Callable[[], Awaitable[Any]]) -> Any:
        start = data["StartingPosition"]
        check_start(start.get("SequenceNumber"), start.get("Timestamp"))
        answer = await serve()
        if caller and answer[0] == 200:
            stream = data["ConsumerARN"].rpartition("stream/")[2].partition("/")[0]
            self._readers.read(caller, stream, data["ShardId"])
        return answer

    async def _with_faults(
        self, operation: str, data: dict[str, Any], cbor: bool, caller: str | None, fate: Fate
    ) -> Answer:
        if fate.delay:
            await asyncio.sleep(fate.delay)
        if fate.throttled:
            name = data.get("StreamName", "of the request")
            raise throttled(data.get("ShardId", "shardId-000000000000"), name, self._backend.account)
        answer = self._answer(operation, data, cbor, caller, fate) if fate.takes_effect else None
        if fate.dropped:
            reset_connection()
        if fate.internal or answer is None:
            raise ApiError("InternalFailure", "Internal Service Failure", 500)
        return answer

    def _answer(
        self, operation: str, data: dict[str, Any], cbor: bool, caller: str | None, fate: Fate | None
    ) -> Answer:
        match operation:
            case "PutRecords":
                return encode(self._records.put_records(data, fate), cbor)
            case "GetRecords":
                answer, iterator = self._records.get_records(data)
                if caller:
                    self._readers.read(caller, iterator.stream, iterator.shard_id)
                return encode_records(answer, cbor)
            case "GetShardIterator" if caller and data["ShardIteratorType"] == "AT_TIMESTAMP":
                data = self._since(caller, data)
        answer = self._operations[operation](data)
        if caller and operation == "ListShards":
            self._readers.listed(caller, stream_name(data))
        return encode(answer, cbor)

    def _since(self, caller: str, data: dict[str, Any]) -> dict[str, Any]:
        asked = data.get("Timestamp")
        if not asked:
            return data
        since = self._readers.since(caller, stream_name(data), data["ShardId"], asked, time.time())
        return {**data, "Timestamp": since}
