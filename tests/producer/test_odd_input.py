"""Every row of the table of odd input in producer/README.md, by its name; about 5 s."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from review_object import SourceError

from tests.producer.conftest import Context, World
from tests.support.account import PROJECT
from tests.support.reviews import as_array, review, reviews

MakeWorld = Callable[..., World]
Case = Callable[[MakeWorld], None]
CASES: dict[str, Case] = {}


def rows_of_the_readme() -> list[str]:
    section = (PROJECT / "producer" / "README.md").read_text().split("## Odd input")[1].split("\n## ")[0]
    return [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")][2:]


def case(name: str) -> Callable[[Case], Case]:
    def add(check: Case) -> Case:
        CASES[name] = check
        return check

    return add


def with_odd(make_world: MakeWorld, odd: bytes, reason: str, restored: bool = True) -> None:
    """Two good reviews, the odd one, a good one: the odd one alone is rejected, kept with reason and position."""
    good = [json.dumps(review(number)).encode() for number in range(3)]
    body = b"[" + b", ".join([good[0], good[1], odd, good[2]]) + b"]"
    world = make_world(body)
    answer = world.invoke()
    assert (answer["read"], answer["sent"], answer["rejected"]) == (4, 3, 1)
    assert answer["rejected_reasons"] == {reason: 1}
    assert [one["review_id"] for one in world.sent()] == ["rw0000000", "rw0000001", "rw0000002"]
    (kept,) = world.rejected()
    assert (kept["index"], kept["reason"], kept["byte_offset"]) == (2, reason, body.index(odd))
    if restored:
        assert kept["raw"] == odd[:2000].decode("utf-8", "backslashreplace")
        assert kept["bytes"] == len(odd)


def rejects(name: str, odd: bytes | dict[str, Any], reason: str, restored: bool = True) -> None:
    raw = odd if isinstance(odd, bytes) else json.dumps(odd).encode()
    CASES[name] = lambda make_world: with_odd(make_world, raw, reason, restored)


def sends(name: str, given: dict[str, Any], expected: dict[str, Any]) -> None:
    def check(make_world: MakeWorld) -> None:
        world = make_world(json.dumps([review(0), given]).encode())
        answer = world.invoke()
        assert (answer["read"], answer["sent"], answer["rejected"]) == (2, 2, 0)
        found = world.sent()[1]
        assert {key: found[key] for key in expected} == expected
        assert set(found) == {*review(0), "event_time", "PartitionKey"}

    CASES[name] = check


def ends(name: str, body: bytes | None, pattern: str, **settings: Any) -> None:
    def check(make_world: MakeWorld) -> None:
        world = make_world(body)
        with pytest.raises(SourceError, match=pattern):
            world.invoke(**settings)
        assert world.sent() == world.rejected() == []

    CASES[name] = check


class Refusing:
    """An S3 that answers one code for every object but the state, of which there is none."""

    def __init__(self, status: int, code: str, message: str) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                said = (404, "NoSuchKey", "") if "/state/" in self.path else (status, code, message)
                body = f"<Error><Code>{said[1]}</Code><Message>{said[2]}</Message></Error>".encode()
                self.send_response(said[0])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_: Any) -> None:
        self.server.shutdown()
        self.server.server_close()


def refused(name: str, status: int, code: str, message: str, pattern: str) -> None:
    def check(make_world: MakeWorld) -> None:
        world = make_world(as_array(reviews(2)))
        with Refusing(status, code, message) as endpoint, pytest.raises(SourceError, match=pattern):
            world.invoke(through=endpoint)
        assert world.sent() == []

    CASES[name] = check


GOOD = review(7)
ends("empty file", b"", "sample.json is empty")
ends("file that is not JSON", b"review_id,reviewer\n1,Ana\n", "no JSON of reviews: it begins with 'r'")
ends("file in UTF-16", as_array(reviews(2)).decode().encode("utf-16"), "in UTF-8: it begins with the byte 0xff")
ends("file that is one string or number", b'"a text"', "no JSON of reviews")
ends("no such object", None, "no object s3://.*/sample.json")
ends("no such bucket", None, "no bucket 'nowhere-at-all'", bucket="nowhere-at-all")
rejects("malformed review among good ones", b'{"review_id": "rw1", oops}', "not JSON")
rejects("bytes that are not UTF-8", json.dumps(GOOD).encode().replace(b"Summary", b"\xff\xfe"), "not UTF-8")
rejects("review that is not an object", b"[1, 2]", "not an object")
rejects("missing key", {key: value for key, value in GOOD.items() if key != "movie"}, "missing key: movie")
rejects("wrong type", GOOD | {"rating": float("nan")}, "wrong type: rating")
rejects("2 MB of text", GOOD | {"review_detail": "x" * 2_000_000}, "over 1 MiB")
rejects("nested thousands of levels deep", b"[" * 50_000 + b"]" * 50_000, "nested too deeply", restored=False)
rejects("lone surrogate in the review_id", GOOD | {"review_id": "rw\ud800"}, "review_id is no partition key")
rejects("empty partition key", GOOD | {"review_id": ""}, "empty review_id")
rejects("partition key over 256 characters", GOOD | {"review_id": "r" * 257}, "review_id too long")
rejects("empty reviewer", GOOD | {"reviewer": ""}, "empty reviewer")
sends("extra keys", GOOD | {"likes": [1, {"a": None}]}, GOOD)
sends("null rating", GOOD | {"rating": None}, {"rating": None})
sends("lone surrogates in a text", GOOD | {"movie": "a\ud83d b\ude00"}, {"movie": "a\ud83d b\ude00"})
sends("emoji and CJK", GOOD | {"review_detail": "\U0001f3ac\u6620\u753b\U0001f469\u200d\U0001f680"}, GOOD | {
    "review_detail": "\U0001f3ac\u6620\u753b\U0001f469\u200d\U0001f680"
})  # fmt: skip
refused("no permission", 403, "AccessDenied", "Access Denied", "may not read .*sample.json.*s3:GetObject")
refused(
    "object encrypted with a KMS key that is out of reach", 400, "KMS.DisabledException", "key is disabled", "KMS key"
)
refused(
    "object encrypted with the uploader's own key",
    400,
    "InvalidRequest",
    "The object was stored using a form of Server Side Encryption.",
    "SSE-C",
)


@case("one review over several lines instead of an array")
def _one_object(make_world: MakeWorld) -> None:
    world = make_world(json.dumps(GOOD, indent=1).encode())
    assert world.invoke()["sent"] == 1
    assert world.sent()[0]["review_id"] == GOOD["review_id"]


@case("array that is empty")
def _nothing(make_world: MakeWorld) -> None:
    answer = make_world(b"[]").invoke()
    assert (answer["read"], answer["done"]) == (0, True)
    assert "sample.json: it holds no review" in answer["input_error"]


@case("an object that holds the reviews under a key")
def _wrapped(make_world: MakeWorld) -> None:
    world = make_world(json.dumps({"reviews": reviews(2)}).encode())
    answer = world.invoke()
    assert (answer["read"], answer["sent"], answer["rejected_reasons"]) == (1, 0, {"missing key: review_id": 1})
    assert "none of its elements is a review" in answer["input_error"]


def _all_three(make_world: MakeWorld, body: bytes) -> None:
    world = make_world(body)
    answer = world.invoke()
    assert (answer["read"], answer["sent"], answer["input_error"]) == (3, 3, None)
    assert [one["review_id"] for one in world.sent()] == [one["review_id"] for one in reviews(3)]


@case("objects one behind the other, as Firehose writes them, or with a lone CR between them")
def _concatenated(make_world: MakeWorld) -> None:
    for between in (b"", b"\r"):
        _all_three(make_world, between.join(json.dumps(one).encode() for one in reviews(3)))


@case("byte-order mark")
def _mark(make_world: MakeWorld) -> None:
    _all_three(make_world, b"\xef\xbb\xbf" + as_array(reviews(3)))


@case("missing or doubled comma between two reviews")
def _commas(make_world: MakeWorld) -> None:
    first, second, third = (json.dumps(one).encode() for one in reviews(3))
    _all_three(make_world, b"[" + first + b" " + second + b",," + third + b"]")


@case("malformed review at the end")
def _malformed_end(make_world: MakeWorld) -> None:
    body = as_array(reviews(2))[:-1] + b', {"review_id": oops, "reviewer": "Nobody"}]'
    world = make_world(body)
    answer = world.invoke()
    assert (answer["read"], answer["sent"], answer["rejected_reasons"]) == (3, 2, {"not JSON": 1})
    assert f"no closing ] was found up to the file's end at byte {len(body):,}" in answer["input_error"]


@case("element over 8 MiB")
def _endless(make_world: MakeWorld) -> None:
    world = make_world(as_array([review(0), review(1), GOOD | {"review_detail": "x" * (9 << 20)}, review(2)]))
    answer = world.invoke()
    assert (answer["read"], answer["sent"], answer["rejected_reasons"]) == (3, 2, {"element too long": 1})
    start = len(as_array(reviews(2))) + 1
    assert f"the element at byte {start:,} has no end within reach" in answer["input_error"]


@case("file cut off in the middle")
def _cut_off(make_world: MakeWorld) -> None:
    body = as_array(reviews(5))
    world = make_world(body[: body.index(b"rw0000004") + 100])
    answer = world.invoke()
    assert (answer["read"], answer["sent"], answer["rejected_reasons"]) == (5, 4, {"truncated": 1})
    assert "no closing ] was found" in answer["input_error"]
    assert world.rejected()[0]["index"] == 4


@case("something behind the array")
def _behind(make_world: MakeWorld) -> None:
    world = make_world(as_array(reviews(3)) + b"[{}]")
    answer = world.invoke()
    assert (answer["read"], answer["sent"]) == (3, 3)
    assert "was not read" in answer["input_error"]


@case("gzip that is cut off")
def _gzip(make_world: MakeWorld) -> None:
    whole = gzip.compress(as_array(reviews(400)))
    world = make_world(whole[: len(whole) // 2])
    answer = world.invoke()
    assert 0 < answer["sent"] < 400
    assert [one["review_id"] for one in world.sent()] == [f"rw{number:07d}" for number in range(answer["sent"])]
    assert "gzip data is cut off" in answer["input_error"]


@case("duplicate review_id")
def _duplicate(make_world: MakeWorld) -> None:
    world = make_world(as_array([review(1), review(1, movie="Another"), review(2)]))
    assert world.invoke()["sent"] == 3
    assert [(one["review_id"], one["movie"] == "Another") for one in world.sent()] == [
        ("rw0000001", False),
        ("rw0000001", True),
        ("rw0000002", False),
    ]


@case("object replaced while a run is unfinished")
def _replaced(make_world: MakeWorld) -> None:
    world = make_world(as_array(reviews(60)))
    answer = world.invoke(Context(2.0), pace=20, stop_before_seconds=1)
    assert not answer["done"]
    assert 0 < answer["sent"] < 60
    world.upload(as_array(reviews(61)))
    with pytest.raises(SourceError, match="was replaced since this run began"):
        world.invoke(pace=20, stop_before_seconds=1)
    assert world.invoke(restart=True)["sent"] == 61


@pytest.mark.parametrize("name", rows_of_the_readme())
def test_every_row_of_the_table(name: str, make_world: MakeWorld) -> None:
    CASES[name](make_world)


def test_every_case_is_in_the_table() -> None:
    assert sorted(CASES) == sorted(rows_of_the_readme())


@pytest.fixture(autouse=True)
def _the_account_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LANDING_ZONE_BUCKET", "landing-zone-of-nobody")
    yield
