"""How much a lane may send at a time."""

import pytest
from lane_governor import REQUEST_BYTES, REQUEST_RECORDS, LaneGovernor


def test_the_spread_begins_at_the_watermark_delay_and_grows_fourfold():
    governor = LaneGovernor(5_000)
    spans = [governor.span_ms]
    for _ in range(4):
        governor.clean()
        spans.append(governor.span_ms)
    assert spans == [4_999, 19_996, 79_984, 319_936, 1_279_744]


def test_without_a_delay_the_spread_still_grows():
    governor = LaneGovernor(0)
    assert governor.span_ms == 0
    governor.clean()
    governor.clean()
    assert governor.span_ms == 4_000


def test_a_failed_record_narrows_the_spread_and_it_grows_slowly_again():
    governor = LaneGovernor(5_000)
    for _ in range(10):
        governor.clean()
    governor.failed(throttled=False, disordered=True)
    assert governor.span_ms == 4_999
    for _ in range(9):
        governor.clean()
    assert governor.span_ms == 4_999
    governor.clean()
    assert governor.span_ms == 19_996


def test_throttling_alone_keeps_the_spread():
    governor = LaneGovernor(5_000)
    governor.clean()
    governor.failed(throttled=True, disordered=False)
    assert governor.span_ms == 19_996


def test_strict_order_never_spreads():
    governor = LaneGovernor(5_000, strict=True)
    for _ in range(100):
        governor.clean()
    assert governor.span_ms == 4_999


def test_without_a_known_limit_a_request_is_as_big_as_kinesis_allows():
    governor = LaneGovernor(5_000)
    assert (governor.max_records, governor.max_bytes) == (REQUEST_RECORDS, REQUEST_BYTES) == (500, 5_242_880)
    governor.landed(0.0, 500, 700_000)
    assert governor.wait(0.0) == 0


def test_the_first_throttled_record_teaches_the_shards_limit_and_more_of_them_less():
    governor = LaneGovernor(5_000)
    assert governor.share is None
    shares = []
    for _ in range(3):
        governor.failed(throttled=True, disordered=False)
        shares.append(governor.share)
    assert shares == pytest.approx([1.0, 0.7, 0.49])
    governor.clean()
    assert governor.share == pytest.approx(0.51)
    for _ in range(100):
        governor.failed(throttled=True, disordered=False)
    assert governor.share == 0.05


@pytest.mark.parametrize(("size", "seconds"), [(100, 10.0), (1_400, 14.0)])
def test_a_limited_lane_keeps_to_records_and_bytes_a_second(size, seconds):
    governor = LaneGovernor(5_000, limited=True)
    now = sent = 0.0
    while sent < 10_000:
        now += governor.wait(now)
        count = min(governor.max_records, governor.max_bytes // size)
        governor.landed(now, count, count * size)
        sent += count
    assert now == pytest.approx(seconds, rel=0.03)
