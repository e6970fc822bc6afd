import datetime

import cbor2
import orjson
import pytest
from hypothesis import example, given, settings, strategies as st

from localaws.errors import ApiError
from localaws.kinesis import wire

MOMENT = datetime.datetime(2026, 1, 1, 0, 0, 1, 234_000, tzinfo=datetime.UTC)


def millis(value: int, immutable: bool) -> int:
    return value


@pytest.mark.parametrize(
    ("length", "count"),
    [(0, 1), (1, 0), (23, 1), (24, 23), (255, 24), (256, 300), (65_535, 1), (65_536, 2), (1, 70_000)],
)
def test_cbor_records_are_what_a_general_decoder_reads(length: int, count: int) -> None:
    record = {
        "SequenceNumber": "0" * 30,
        "ApproximateArrivalTimestamp": MOMENT.timestamp(),
        "Data": b"x" * length,
        "PartitionKey": "clé",
    }
    answer = {"Records": [record] * count, "MillisBehindLatest": 7, "NextShardIterator": "n", "ChildShards": []}
    status, headers, body = wire.encode_records(answer, cbor=True)
    assert (status, headers["Content-Type"]) == (200, "application/x-amz-cbor-1.1")
    read = cbor2.loads(body, semantic_decoders={1: millis})
    expected = record | {"ApproximateArrivalTimestamp": 1_767_225_601_234}
    assert read == answer | {"Records": [expected] * count}


def test_json_records_carry_base64() -> None:
    answer = {"Records": [{"Data": b"x", "PartitionKey": "é"}], "MillisBehindLatest": 0}
    expected = {"Records": [{"Data": "eA==", "PartitionKey": "é"}], "MillisBehindLatest": 0}
    assert orjson.loads(wire.encode_records(answer, cbor=False)[2]) == expected


def test_timestamps_are_milliseconds_in_cbor_both_ways() -> None:
    body = cbor2.dumps({"Timestamp": cbor2.CBORTag(1, 1_767_225_601_234)})
    assert wire.decode(body, cbor=True) == {"Timestamp": 1_767_225_601.234}
    answer = wire.encode({"Summary": {"StreamCreationTimestamp": 1_767_225_601}}, cbor=True)[2]
    assert cbor2.loads(answer, semantic_decoders={1: millis}) == {
        "Summary": {"StreamCreationTimestamp": 1_767_225_601_000}
    }


@pytest.mark.parametrize("cbor", [True, False])
@pytest.mark.parametrize("body", [b"\xff\xff", b"[1]", b"\x81\x01"])
def test_what_cannot_be_read(body: bytes, cbor: bool) -> None:
    with pytest.raises(ApiError) as refused:
        wire.decode(body, cbor)
    assert refused.value.code == "SerializationException"


@given(st.binary(max_size=200) | st.builds(lambda depth: b"\x81" * depth, st.integers(1, 5_000)))
@example(cbor2.dumps(cbor2.CBORTag(1, "x")))
@example(cbor2.dumps(cbor2.CBORTag(35, "(")))
@example(b"\x5b" + b"\xff" * 8)
@example(b"\xa1\x80\x01")
@settings(max_examples=500, deadline=None)
def test_whatever_bytes_come_are_read_or_refused(body: bytes) -> None:
    for cbor in (True, False):
        try:
            assert isinstance(wire.decode(body, cbor), dict)
        except ApiError as error:
            assert error.code == "SerializationException"
