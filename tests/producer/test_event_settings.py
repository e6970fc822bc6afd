"""The event: defaults, impossible values, mistyped names."""

from fractions import Fraction

import pytest
from event_settings import BadEvent, settings_of


def zone() -> str:
    return "000000000000-landing-zone"


def test_the_defaults_are_the_labs():
    settings = settings_of({}, zone)
    assert (settings.bucket, settings.key, settings.stream) == ("000000000000-landing-zone", "sample.json", "reviews")
    assert settings.state_bucket == "000000000000-landing-zone"
    assert (settings.clock, settings.rate, settings.limit, settings.pace) == ("replay", 10, None, None)
    assert (settings.window_seconds, settings.watermark_delay_seconds) == (60, 5)
    assert settings.end_markers is True
    assert settings.restart is False
    assert settings_of(None, zone) == settings


def test_the_account_is_not_asked_for_when_both_buckets_are_given():
    def unwanted() -> str:
        raise AssertionError

    settings = settings_of({"bucket": "one-bucket", "state_bucket": "other-bucket"}, unwanted)
    assert (settings.bucket, settings.state_bucket) == ("one-bucket", "other-bucket")


def test_the_state_stays_in_the_landing_zone_when_only_the_source_is_named():
    settings = settings_of({"bucket": "elsewhere"}, zone)
    assert (settings.bucket, settings.state_bucket) == ("elsewhere", "000000000000-landing-zone")


@pytest.mark.parametrize(
    ("rate", "exact"), [(0.1, Fraction(1, 10)), (10, Fraction(10)), (33.3, Fraction(333, 10)), (1e3, Fraction(1000))]
)
def test_a_rate_means_the_decimal_that_was_written(rate, exact):
    assert settings_of({"rate": rate}, zone).rate == exact


def test_a_mistyped_name_is_refused_with_the_one_that_was_meant():
    with pytest.raises(BadEvent, match=r"unknown setting 'rat'.*did you mean 'rate'\?"):
        settings_of({"rat": 5}, zone)


def test_the_consoles_sample_event_is_refused_with_the_names_that_there_are():
    with pytest.raises(BadEvent, match=r"unknown setting 'key1'.*send \{\}"):
        settings_of({"key1": "value1", "key2": "value2", "key3": "value3"}, zone)


@pytest.mark.parametrize(
    "event",
    [
        {"rate": 0},
        {"rate": -1},
        {"rate": True},
        {"rate": "10"},
        {"rate": float("nan")},
        {"rate": 1e9},
        {"limit": 0},
        {"limit": 1.5},
        {"limit": True},
        {"pace": 0},
        {"clock": "yesterday"},
        {"clock": ["replay"]},
        {"end_markers": 1},
        {"window_seconds": 0},
        {"window_seconds": 10**11},
        {"watermark_delay_seconds": 10**11},
        {"watermark_delay_seconds": -1},
        {"stream": "no such name"},
        {"stream": None},
        {"key": ""},
        {"key": "half a pair \ud83d"},
        {"bucket": "Capital"},
        {"stop_before_seconds": 0},
    ],
)
def test_an_impossible_value_is_refused_by_name(event):
    (name,) = event
    with pytest.raises(BadEvent, match=f"'{name}'"):
        settings_of(event, zone)


@pytest.mark.parametrize("event", [[], "x", 3])
def test_an_event_that_is_no_object_is_refused(event):
    with pytest.raises(BadEvent, match="send {}"):
        settings_of(event, zone)


def test_whole_floats_are_whole_numbers():
    assert settings_of({"limit": 100.0, "window_seconds": 30.0}, zone).limit == 100


def test_what_changes_the_run_changes_its_identity_and_the_rest_does_not():
    plain = settings_of({}, zone).identity()
    assert settings_of({"pace": 5, "stop_before_seconds": 20, "restart": True}, zone).identity() == plain
    assert settings_of({"stop_after_seconds": 5, "finish": True}, zone).identity() == plain
    for change in ({"rate": 9}, {"limit": 5}, {"clock": "now"}, {"key": "other.json"}, {"end_markers": False}):
        assert settings_of(change, zone).identity() != plain
