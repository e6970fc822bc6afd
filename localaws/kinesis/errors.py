"""Answers of Kinesis that are errors."""

from localaws.errors import ApiError


class KinesisError(ApiError):
    """An error of Kinesis."""


def no_such_stream(name: str | None, account: str) -> KinesisError:
    return KinesisError("ResourceNotFoundException", f"Stream {name} under account {account} not found.")


def no_such_shard(shard_id: str | None, name: str, account: str) -> KinesisError:
    return KinesisError(
        "ResourceNotFoundException",
        f"Could not find shard {shard_id} in stream {name} under account {account}.",
    )


def invalid(message: str) -> KinesisError:
    return KinesisError("InvalidArgumentException", message)


def constraint(member: str, rule: str) -> KinesisError:
    """What AWS answers where a member breaks the API model."""
    return KinesisError(
        "ValidationException",
        f"1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must {rule}",
    )


def throttled(shard_id: str, name: str, account: str) -> KinesisError:
    """What AWS answers above the limits of a shard."""
    return KinesisError("ProvisionedThroughputExceededException", throttle_message(shard_id, name, account))


def throttle_message(shard_id: str, name: str, account: str) -> str:
    return f"Rate exceeded for shard {shard_id} in stream {name} under account {account}."
