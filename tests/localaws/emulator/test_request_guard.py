import http.client
import json

import psutil
import pytest

from tests.support.account import EmbeddedAccount


def ask(account: EmbeddedAccount, path: str, host: str, method: str = "GET", **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", account.port, timeout=60)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers={"Host": host, **headers})
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


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "OPTIONS", "GET"])
def test_pages_of_other_sites_are_refused(account: EmbeddedAccount, headers: dict[str, str], method: str) -> None:
    """The emulator answers every origin with its leave to read; a page could create a function and run it."""
    target = {"X_Amz_Target": "Kinesis_20131202.ListStreams"}
    assert ask(account, "/", "localhost", method, **headers, **target) == 403


@pytest.mark.parametrize("origin", ["http://localhost:8888", "http://127.0.0.1:4566", "http://[::1]:8888"])
def test_local_pages_are_answered(account: EmbeddedAccount, origin: str) -> None:
    assert ask(account, "/_localaws/status", "localhost", Origin=origin) == 200


@pytest.mark.parametrize(
    "path",
    [
        "/_ministack/reset",
        "/_ministack/config",
        "//_ministack/reset",
        "/%5Fministack/reset",
        "/x/../_ministack/reset",
        "/_ministack/state/save",
        "/_aws/sqs/messages",
    ],
)
def test_no_way_around_to_the_administrative_paths(account: EmbeddedAccount, path: str) -> None:
    kinesis = account.client("kinesis", region="eu-central-1")
    if not kinesis.list_streams()["StreamNames"]:
        kinesis.create_stream(StreamName="kept", ShardCount=1)
    for method in ("POST", "PUT", "DELETE"):
        assert ask(account, path, "localhost", method) >= 400
    assert kinesis.list_streams()["StreamNames"] == ["kept"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_larger_than_any_request_of_aws_is_refused_and_not_kept(account: EmbeddedAccount, chunked: bool) -> None:
    """The account would hold all of it in memory before anything could look at it."""
    status = account.client("kinesis").list_streams  # connects before
    before = memory_of(account)
    connection = http.client.HTTPConnection("127.0.0.1", account.port, timeout=600)
    piece, count = bytes(1 << 20), 300
    headers = {"Host": "localhost", "X-Amz-Target": "Kinesis_20131202.PutRecords"}
    if not chunked:
        headers["Content-Length"] = str(count << 20)
    connection.request("POST", "/", (piece for _ in range(count)), headers, encode_chunked=chunked)
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["message"]) == (
        413,
        "The embedded account takes at most 80 MiB in one request: send less, or an object in parts.",
    )
    assert memory_of(account) - before < 200 << 20
    assert status()["ResponseMetadata"]["HTTPStatusCode"] == 200


def memory_of(account: EmbeddedAccount) -> int:
    return psutil.Process(account.pid).memory_info().rss
