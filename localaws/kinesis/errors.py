"""Make the answers of Kinesis that are errors."""

from localaws.errors import ApiError


def no_such_stream(name: str | None, account: str) -> ApiError:
    return ApiError("ResourceNotFoundException", f"Stream {name} under account {account} not found.")


def no_such_shard(shard_id: str | None, name: str, account: str) -> ApiError:
    return ApiError(
        "ResourceNotFoundException",
        f"Could not find shard {shard_id} in stream {name} under account {account}.",
    )


def invalid(message: str) -> ApiError:
    return ApiError("InvalidArgumentException", message)


def over_limit(message: str) -> ApiError:
    return ApiError("LimitExceededException", message)


def throttled(shard_id: str, name: str, account: str) -> ApiError:
    """Return what AWS answers above the limits of a shard."""
    return ApiError("ProvisionedThroughputExceededException", throttle_message(shard_id, name, account))


def throttle_message(shard_id: str, name: str, account: str) -> str:
    return f"Rate exceeded for shard {shard_id} in stream {name} under account {account}."
