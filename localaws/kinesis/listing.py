"""ListShards, DescribeStream, DescribeStreamSummary, DescribeLimits and UpdateStreamMode."""

import base64
import json
import time
from typing import Any

from localaws.kinesis.backend import Backend, require_stream
from localaws.kinesis.errors import KinesisError, constraint, invalid
from localaws.kinesis.records import generation
from localaws.kinesis.shards import Shard, Stream, describe, expire, is_open, open_shards, opened_at

_TOKEN_LIFETIME = 300  # seconds
_MAX_PAGE = 10_000
_SHARD_LIMIT = 20_000
_ON_DEMAND_LIMIT = 50


class Listing:
    """What a stream looks like; each operation takes the request's members and returns the answer's."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def list_shards(self, data: dict[str, Any]) -> dict[str, Any]:
        """One page of shards, closed ones too, as far as ShardFilter lets them through."""
        size = data.get("MaxResults", 1000)
        if not 1 <= size <= _MAX_PAGE:
            raise constraint("maxResults", f"have value between 1 and {_MAX_PAGE}")
        token = data.get("NextToken")
        if token:
            if any(data.get(name) for name in ("StreamName", "ExclusiveStartShardId", "ShardFilter")):
                raise invalid("NextToken cannot be given with StreamName, ExclusiveStartShardId or ShardFilter.")
            data = _read_token(token)
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
            answer["NextToken"] = _token(stream, page[-1], data.get("ShardFilter"))
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
                "ConsumerCount": self._backend.consumers(stream),
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
        mode = (data.get("StreamModeDetails") or {}).get("StreamMode")
        if mode not in ("PROVISIONED", "ON_DEMAND"):
            raise constraint("streamModeDetails.streamMode", "satisfy enum value set: [PROVISIONED, ON_DEMAND]")
        stream["StreamModeDetails"] = {"StreamMode": mode}
        return {}


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
    """Whether a shard passes a ShardFilter, by the API reference's definition of each type."""
    if not shard_filter:
        return True
    kind, horizon = shard_filter.get("Type"), time.time() - stream["RetentionPeriodHours"] * 3600
    if kind in ("AT_TIMESTAMP", "FROM_TIMESTAMP") and shard_filter.get("Timestamp") is None:
        raise invalid(f"Timestamp must be specified when ShardFilter has the type {kind}.")
    moment = max(horizon, float(shard_filter.get("Timestamp") or 0))
    closed, opened = shard.get("closed_at", float("inf")), opened_at(stream, shard)
    match kind:
        case "AFTER_SHARD_ID":
            return shard_id > str(shard_filter.get("ShardId") or "")
        case "AT_LATEST":
            return is_open(shard)
        case "FROM_TRIM_HORIZON":
            return True
        case "AT_TRIM_HORIZON":  # open at the horizon; a younger stream's horizon is its beginning
            return opened <= max(horizon, stream["CreationTimestamp"]) and closed >= horizon
        case "AT_TIMESTAMP":
            return opened <= max(moment, stream["CreationTimestamp"]) and closed >= moment
        case "FROM_TIMESTAMP":
            return closed >= moment
    raise constraint(
        "shardFilter.type",
        "satisfy enum value set: [AFTER_SHARD_ID, AT_TRIM_HORIZON, "
        "FROM_TRIM_HORIZON, AT_LATEST, AT_TIMESTAMP, FROM_TIMESTAMP]",
    )


def _token(stream: Stream, after: str, shard_filter: dict[str, Any] | None) -> str:
    fields = {
        "StreamName": stream["StreamName"],
        "Generation": generation(stream),
        "ExclusiveStartShardId": after,
        "ShardFilter": shard_filter,
        "Issued": time.time(),
    }
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()


def _read_token(token: str) -> dict[str, Any]:
    try:
        fields = json.loads(base64.urlsafe_b64decode(token))
        issued = float(fields["Issued"])
    except (ValueError, KeyError, TypeError) as error:
        raise invalid("Invalid NextToken.") from error
    if time.time() - issued > _TOKEN_LIFETIME:
        raise KinesisError(
            "ExpiredNextTokenException", f"NextToken is older than {_TOKEN_LIFETIME} seconds; list from the beginning."
        )
    return fields
