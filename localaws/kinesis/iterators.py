"""Seal tokens that carry their own place, so that nothing is kept for them: shard iterators and NextToken.

A token is signed: one that the account did not give is refused whole, whatever it holds.
"""

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass

from localaws.errors import ApiError
from localaws.kinesis.errors import invalid

LIFETIME = 300.0  # seconds a token may be used for
_KEY = secrets.token_bytes(16)
_START = bytes(3)  # AAAA, as AWS's tokens begin: the AWS CLI takes one that begins with "-" for an option
_SIGNATURE = len(_START) + 12  # bytes


def seal(what: str, text: str) -> str:
    """Return a token of the kind ``what`` that holds ``text`` and the present."""
    content = f"{time.time():.3f} {text}".encode()
    return base64.urlsafe_b64encode(_signature(what, content) + content).decode()


def unseal(what: str, token: str, expired: str) -> str:
    """Return what a token of ours holds.

    Raises ApiError for a foreign one, or with the code ``expired`` for an old one.
    """
    try:
        sealed = base64.b64decode(token, altchars=b"-_", validate=True)
    except ValueError as error:
        raise invalid(f"Invalid {what}.") from error
    content = sealed[_SIGNATURE:]
    if not hmac.compare_digest(sealed[:_SIGNATURE], _signature(what, content)):
        raise invalid(f"Invalid {what}.")
    issued, _, text = content.decode().partition(" ")
    age = time.time() - float(issued)
    if age > LIFETIME:
        raise ApiError(
            expired,
            f"{what} expired. It was created {age:.0f} seconds ago and lasts {LIFETIME:.0f} seconds; begin anew.",
        )
    return text


def _signature(what: str, content: bytes) -> bytes:
    return (_START + hmac.digest(_KEY, what.encode() + b":" + content, hashlib.sha256))[:_SIGNATURE]


@dataclass(frozen=True)
class ShardIterator:
    """Hold where to read next. ``generation`` tells a stream from an earlier one of the same name."""

    stream: str
    generation: str
    shard_id: str
    position: int

    def token(self) -> str:
        return seal("ShardIterator", "|".join((self.stream, self.generation, self.shard_id, str(self.position))))


def read_token(token: str) -> ShardIterator:
    """Return the iterator a token stands for; raises ApiError for a foreign or an expired one."""
    stream, generation, shard_id, position = unseal("ShardIterator", token, "ExpiredIteratorException").split("|")
    return ShardIterator(stream, generation, shard_id, int(position))
