import http.client

import pytest

from tests.conftest import EmbeddedAccount


def ask(account: EmbeddedAccount, path: str, host: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", account.port, timeout=10)
    connection.request("GET", path, headers={"Host": host})
    return connection.getresponse().status


@pytest.mark.parametrize("host", ["127.0.0.1:4566", "localhost", "bucket.s3.localhost:4566", "[::1]:4566"])
def test_local_names_are_answered(account: EmbeddedAccount, host: str) -> None:
    assert ask(account, "/_localaws/status", host) == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:4566", ""])
def test_other_names_are_refused(account: EmbeddedAccount, host: str) -> None:
    assert ask(account, "/_localaws/status", host) == 403


@pytest.mark.parametrize(
    "path", ["/_ministack/reset", "/_ministack/config", "/_ministack/health", "/_localstack/health"]
)
def test_administrative_paths_are_closed(account: EmbeddedAccount, path: str) -> None:
    assert ask(account, path, "localhost") == 404
