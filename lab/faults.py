"""Turns what botocore raises into the lab's one-sentence errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)

from lab.errors import AccountRefused, AccountSilent, LabError

_HINTS = {
    "AccessDenied": "look at the policies of the credentials this kernel uses",
    "AccessDeniedException": "look at the policies of the credentials this kernel uses",
    "ExpiredToken": "refresh the credentials of the session and restart the kernel",
    "ExpiredTokenException": "refresh the credentials of the session and restart the kernel",
    "UnrecognizedClientException": "refresh the credentials of the session and restart the kernel",
    "InvalidSignatureException": "look at the credentials and at the clock of this machine",
    "ProvisionedThroughputExceededException": "others read the same shards: wait a minute and run this cell again",
    "LimitExceededException": "too many calls at once: wait a minute and run this cell again",
    "ThrottlingException": "too many calls at once: wait a minute and run this cell again",
    "KMSAccessDeniedException": "the stream is encrypted with a key these credentials may not use",
}
_DEFAULT_HINT = "run this cell again, and 01_streams if it stays so"


def code_of(error: ClientError) -> str:
    """The API's own error code, such as ResourceNotFoundException."""
    return error.response.get("Error", {}).get("Code", "")


@contextmanager
def plain_words(doing: str, endpoint: str | None = None, gone: LabError | None = None) -> Iterator[None]:
    """Raise the lab's error, with the cause, for whatever botocore raises inside.

    `doing` is the beginning of the sentence ("reading the stream `reviews`"), `endpoint` where the account should be
    (None on AWS), `gone` what to raise when the resource does not exist.
    """
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        if gone is not None and code in ("ResourceNotFoundException", "NoSuchBucket", "NoSuchKey", "404"):
            raise gone from error
        message = error.response.get("Error", {}).get("Message", "")
        raise AccountRefused(doing, code, message, _HINTS.get(code, _DEFAULT_HINT)) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise AccountRefused(doing, "no credentials", "", "run the cell with `lab.connect(...)` first") from error
    except NoRegionError as error:
        raise AccountRefused(doing, "no region", "", "run the cell with `lab.connect(...)` first") from error
    except (ConnectionError, HTTPClientError) as error:
        raise AccountSilent(doing, endpoint) from error
    except BotoCoreError as error:
        raise AccountRefused(doing, type(error).__name__, str(error), _DEFAULT_HINT) from error


def endpoint_of(client: object) -> str | None:
    """Where the client's account answers, None when that is AWS itself."""
    url: str = client.meta.endpoint_url  # type: ignore[attr-defined]
    return None if url.rstrip("/").endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")) else url
