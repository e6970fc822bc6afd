"""Turn what botocore raises into the lab's one-sentence errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)

from lab.core.errors import AccountRefused, AccountSilent, LabError

_POLICIES = "look at the policies of the credentials this kernel uses (iam/ and docs/aws.md say what the lab needs)"
_CREDENTIALS = (
    "refresh the credentials (in a Learner Lab: AWS Details, Show), then run this notebook again from its first cell, "
    "everything made so far is kept"
)
_WAIT = "too many calls at once: wait a minute and run this cell again"
_EARLIER = "run the notebooks before this one first, then run this cell again"
_REGION = "set `region` to the one the lab's resources are in, and run this notebook again from its first cell"
_VALUE = "correct the value that is named there, then run this cell again"
_HINTS = {
    "AccessDenied": _POLICIES,
    "AccessDeniedException": _POLICIES,
    "UnauthorizedOperation": _POLICIES,
    "ExpiredToken": _CREDENTIALS,
    "ExpiredTokenException": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "InvalidAccessKeyId": _CREDENTIALS,
    "UnrecognizedClientException": _CREDENTIALS,
    "InvalidSignatureException": "look at the credentials and at the clock of this machine",
    "SignatureDoesNotMatch": "look at the credentials and at the clock of this machine",
    "ProvisionedThroughputExceededException": "others read the same shards: wait a minute and run this cell again",
    "LimitExceededException": "too many calls at once, or a quota is used up: wait a minute and run this cell again, "
    "or delete what you no longer need",
    "ThrottlingException": _WAIT,
    "Throttling": _WAIT,
    "TooManyRequestsException": _WAIT,
    "SlowDown": _WAIT,
    "InvalidArgumentException": _VALUE,
    "ValidationException": _VALUE,
    "ResourceNotFoundException": _EARLIER,
    "NoSuchBucket": _EARLIER,
    "NoSuchKey": _EARLIER,
    "IllegalLocationConstraintException": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "PermanentRedirect": _REGION,
    "KMSAccessDeniedException": "the stream is encrypted with a key these credentials may not use",
}
GONE = {"ResourceNotFoundException", "NoSuchBucket", "NoSuchKey", "404"}  # codes: the resource does not exist
_DEFAULT_HINT = "run this cell again, and 01_streams if the error stays"


def code_of(error: ClientError) -> str:
    """Return the API's own error code, such as ResourceNotFoundException."""
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
        if gone is not None and code in GONE:
            raise gone from error
        message = error.response.get("Error", {}).get("Message", "")
        raise AccountRefused(doing, code, message, _HINTS.get(code, _DEFAULT_HINT)) from error
    except (NoCredentialsError, PartialCredentialsError, NoRegionError) as error:
        lacking = "no region" if isinstance(error, NoRegionError) else "no credentials"
        raise AccountRefused(doing, lacking, "", "run the cell with `lab.connect(...)` first") from error
    except (ConnectionError, HTTPClientError) as error:
        raise AccountSilent(doing, endpoint) from error
    except BotoCoreError as error:
        raise AccountRefused(doing, type(error).__name__, str(error), _DEFAULT_HINT) from error


def endpoint_of(client: Any) -> str | None:
    """Return where the client's account answers, None when that is AWS itself."""
    url: str = client.meta.endpoint_url
    return None if url.rstrip("/").endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")) else url
