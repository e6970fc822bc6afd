"""Answer CreateStream, UpdateStreamMode, and what lists or describes streams, shards and consumers."""

import json
import time
import uuid
from collections.abc import Iterable
from typing import Any

from localaws.errors import ApiError
from localaws.kinesis.backend import Backend, require_stream
from localaws.kinesis.errors import invalid, over_limit
from localaws.kinesis.iterators import seal, unseal
from localaws.kinesis.records import generation
from localaws.kinesis.shards import Shard, Stream, describe, expire, is_open, open_shards, opened_at
from localaws.kinesis.tags import checked

_EXPIRED = "ExpiredNextTokenException"
# Quotas of a new account in us-east-1 (developer guide, "Quotas and limits").
_SHARD_LIMIT = 20_000
_ON_DEMAND_LIMIT = 50
_ON_DEMAND_SHARDS = 4  # an on-demand stream starts with four shards
# Members of CreateStream that change what a stream does elsewhere, and the value that changes nothing.
_NOT_DONE = {
    "MaxRecordSizeInKiB": 1024,
    "WarmThroughputMiBps": None,
    "RecordDistributionStrategy": "USER_PARTITION_KEY",
}


class Listing:
    """Describe and list streams; each operation takes the request's members and returns the answer's."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def create_stream(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return a new stream, ACTIVE at once."""
        name, mode = data["StreamName"], data.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED")
        for member, known in _NOT_DONE.items():
            if data.get(member, known) != known:
                raise invalid(f"The embedded account does not do {member}: leave it out of CreateStream.")
        tags = checked(data.get("Tags", {}))
        if self._backend.stream_named(name) is not None:
            raise ApiError(
                "ResourceInUseException", f"Stream {name} under account {self._backend.account} already exists."
            )
        shards = _ON_DEMAND_SHARDS if mode == "ON_DEMAND" else data.get("ShardCount", 1)
        self._require_quota(shards, mode)
        stream = self._backend.create(name, shards, mode)
        stream.update(generation=uuid.uuid4().hex[:12], tags=tags)
        return {}

    def _require_quota(self, shards: int, mode: str) -> None:
        """Raise LimitExceededException where the account would have more than its quota of the region."""
        limits = self.describe_limits({})
        if mode == "PROVISIONED" and limits["OpenShardCount"] + shards > _SHARD_LIMIT:
            raise over_limit(
                f"This request would exceed the shard limit for the account {self._backend.account}. Current shard "
                f"count for the account: {limits['OpenShardCount']}. Limit: {_SHARD_LIMIT}. Number of additional "
                f"shards that would have resulted from this request: {shards}."
            )
        if mode == "ON_DEMAND" and limits["OnDemandStreamCount"] >= _ON_DEMAND_LIMIT:
            raise over_limit(
                f"The account {self._backend.account} has {_ON_DEMAND_LIMIT} streams in on-demand mode, its limit."
            )

    def list_streams(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return one page of streams, by name."""
        streams = {one["StreamName"]: one for one in self._backend.streams()}
        after, limit = data.get("ExclusiveStartStreamName", ""), data.get("Limit", 100)
        page, token = _page("NextToken of ListStreams", data, streams, after, limit)
        members = ("StreamName", "StreamARN", "StreamStatus", "StreamModeDetails", "StreamCreationTimestamp")
        described = [_description(streams[name]) for name in page]
        summaries = [{member: one[member] for member in members} for one in described]
        return {"StreamNames": page, "StreamSummaries": summaries, "HasMoreStreams": bool(token), **token}

    def list_stream_consumers(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return one page of a stream's consumers, by name."""
        stream = require_stream(self._backend, data)
        consumers = {one["ConsumerName"]: one for one in self._backend.consumers(stream)}
        page, token = _page("NextToken of ListStreamConsumers", data, consumers, "", data.get("MaxResults", 100))
        shown = [{key: value for key, value in consumers[name].items() if key != "StreamARN"} for name in page]
        return {"Consumers": shown, **token}

    def list_shards(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return one page of shards, closed ones too, as far as ShardFilter lets them through."""
        size = data.get("MaxResults", 1000)
        token = data.get("NextToken")
        if token:
            if any(data.get(name) for name in ("StreamName", "ExclusiveStartShardId", "ShardFilter")):
                raise invalid("NextToken cannot be given with StreamName, ExclusiveStartShardId or ShardFilter.")
            data = json.loads(unseal("NextToken of ListShards", token, _EXPIRED))
        stream = require_stream(self._backend, data)
        if token and generation(stream) != data["Generation"]:
            raise invalid("Invalid NextToken.")
        expire(stream)
        after = data.get("ExclusiveStartShardId") or ""
        kept = [
            sid
            for sid, shard in sorted(stream["shards"].items())
            if sid > after and _passes(stream, sid, shard, data.get("ShardFilter"))
        ]
        page = kept[:size]
        answer: dict[str, Any] = {"Shards": [describe(sid, stream["shards"][sid]) for sid in page]}
        if len(kept) > size:
            place = {"StreamName": stream["StreamName"], "Generation": generation(stream)}
            filters = {"ExclusiveStartShardId": page[-1], "ShardFilter": data.get("ShardFilter")}
            answer["NextToken"] = seal("NextToken of ListShards", json.dumps(place | filters))
        return answer

    def describe_stream(self, data: dict[str, Any]) -> dict[str, Any]:
        stream = require_stream(self._backend, data)
        expire(stream)
        limit, after = data.get("Limit", 100), data.get("ExclusiveStartShardId") or ""
        shard_ids = [sid for sid in sorted(stream["shards"]) if sid > after]
        return {
            "StreamDescription": {
                **_description(stream),
                "Shards": [describe(sid, stream["shards"][sid]) for sid in shard_ids[:limit]],
                "HasMoreShards": len(shard_ids) > limit,
            }
        }

    def describe_stream_summary(self, data: dict[str, Any]) -> dict[str, Any]:
        stream = require_stream(self._backend, data)
        return {
            "StreamDescriptionSummary": {
                **_description(stream),
                "OpenShardCount": len(open_shards(stream)),
                "ConsumerCount": len(self._backend.consumers(stream)),
            }
        }

    def describe_limits(self, data: dict[str, Any]) -> dict[str, Any]:
        streams = self._backend.streams()
        on_demand = [one for one in streams if one["StreamModeDetails"]["StreamMode"] == "ON_DEMAND"]
        return {
            "ShardLimit": _SHARD_LIMIT,
            "OpenShardCount": sum(len(open_shards(one)) for one in streams if one not in on_demand),
            "OnDemandStreamCount": len(on_demand),
            "OnDemandStreamCountLimit": _ON_DEMAND_LIMIT,
        }

    def update_stream_mode(self, data: dict[str, Any]) -> dict[str, Any]:
        stream = require_stream(self._backend, data)
        stream["StreamModeDetails"] = {"StreamMode": data["StreamModeDetails"]["StreamMode"]}
        return {}


def _page(
    kind: str, data: dict[str, Any], names: Iterable[str], after: str, limit: int
) -> tuple[list[str], dict[str, str]]:
    """Return the names of a request's page, and the NextToken where there are more."""
    if "NextToken" in data:
        after = unseal(kind, data["NextToken"], _EXPIRED)
    rest = sorted(name for name in names if name > after)
    page = rest[:limit]
    return page, {"NextToken": seal(kind, page[-1])} if len(rest) > limit else {}


def _description(stream: Stream) -> dict[str, Any]:
    described = {
        "StreamName": stream["StreamName"],
        "StreamARN": stream["StreamARN"],
        "StreamStatus": stream["StreamStatus"],
        "StreamModeDetails": stream["StreamModeDetails"],
        "RetentionPeriodHours": stream["RetentionPeriodHours"],
        "StreamCreationTimestamp": stream["CreationTimestamp"],
        "EnhancedMonitoring": [{"ShardLevelMetrics": stream.get("ShardLevelMetrics", [])}],
        "EncryptionType": stream.get("EncryptionType", "NONE"),
    }
    return described | ({"KeyId": stream["KeyId"]} if stream.get("KeyId") else {})


def _passes(stream: Stream, shard_id: str, shard: Shard, shard_filter: dict[str, Any] | None) -> bool:
    """Say whether a shard passes a ShardFilter, by the API reference's definition of each type."""
    if not shard_filter:
        return True
    kind, moment = shard_filter["Type"], time.time() - stream["RetentionPeriodHours"] * 3600  # the trim horizon
    if kind in ("AT_TIMESTAMP", "FROM_TIMESTAMP"):
        if "Timestamp" not in shard_filter:
            raise invalid(f"Timestamp must be specified when ShardFilter has the type {kind}.")
        moment = max(moment, shard_filter["Timestamp"])
    closed, opened = shard.get("closed_at", float("inf")), opened_at(stream, shard)
    match kind:
        case "AFTER_SHARD_ID":
            return shard_id > shard_filter.get("ShardId", "")
        case "AT_LATEST":
            return is_open(shard)
        case "FROM_TRIM_HORIZON":
            return True
        case "AT_TRIM_HORIZON" | "AT_TIMESTAMP":  # open at that moment; a younger stream's horizon is its beginning
            return opened <= max(moment, stream["CreationTimestamp"]) and closed >= moment
        case "FROM_TIMESTAMP":
            return closed >= moment
    raise AssertionError(kind)  # the model has no other
