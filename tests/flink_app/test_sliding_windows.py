import json
import re
from pathlib import Path
from types import ModuleType

import pytest

GROUPS = {
    "consumer.config.0": {"aws.region": "us-east-1", "input.stream.name": "reviews", "scan.stream.initpos": "LATEST"},
    "producer.config.0": {"aws.region": "eu-west-1", "output.stream.name": "suspicious_activity", "shard.count": "1"},
}


def with_window(**pairs: str) -> dict[str, dict[str, str]]:
    return {**GROUPS, "window.config.0": {name.replace("_", "."): value for name, value in pairs.items()}}


def test_the_labs_groups_are_enough(application: ModuleType) -> None:
    settings = application.read_settings(GROUPS)
    assert (settings.window_seconds, settings.slide_seconds, settings.threshold) == (60, 30, 1)
    assert (settings.watermark_delay_seconds, settings.input_endpoint) == (5, None)
    assert (settings.input_region, settings.output.region) == ("us-east-1", "eu-west-1")


@pytest.mark.parametrize(
    ("group", "key"),
    [
        ("consumer.config.0", "input.stream.name"),
        ("consumer.config.0", "aws.region"),
        ("producer.config.0", "output.stream.name"),
        ("producer.config.0", "aws.region"),
    ],
)
def test_a_missing_property_names_group_and_key(application: ModuleType, group: str, key: str) -> None:
    groups = {name: {k: v for k, v in pairs.items() if (name, k) != (group, key)} for name, pairs in GROUPS.items()}
    with pytest.raises(application.PropertyError, match=f"property '{key}' is missing from group '{group}'"):
        application.read_settings(groups)


def test_a_missing_group_is_named(application: ModuleType) -> None:
    with pytest.raises(application.PropertyError, match="property group 'producer.config.0'"):
        application.read_settings({"consumer.config.0": GROUPS["consumer.config.0"]})


@pytest.mark.parametrize(
    "window",
    [
        {"window_size_seconds": "sixty"},
        {"window_slide_seconds": "0"},
        {"threshold": "-1"},
        {"window_size_seconds": "60", "window_slide_seconds": "45"},
    ],
)
def test_a_value_that_cannot_work_is_refused(application: ModuleType, window: dict[str, str]) -> None:
    with pytest.raises(
        application.PropertyError, match=r"'(window\.\w+\.seconds|threshold)' in group 'window.config.0'"
    ):
        application.read_settings(with_window(**window))


def test_a_quote_in_a_property_stays_inside_its_literal(application: ModuleType) -> None:
    groups = {**GROUPS, "consumer.config.0": {**GROUPS["consumer.config.0"], "input.stream.name": "a', 'b' = 'c"}}
    assert "'stream' = 'a'', ''b'' = ''c'" in application.source_table(application.read_settings(groups), "")


def test_properties_come_from_the_file_managed_flink_writes(application: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "application_properties.json"
    path.write_text(json.dumps([{"PropertyGroupId": "g", "PropertyMap": {"k": "v"}}]))
    assert application.read_groups(path) == {"g": {"k": "v"}}
    with pytest.raises(application.PropertyError, match="IS_LOCAL"):
        application.read_groups(tmp_path / "none.json")


def test_long_windows_get_the_precision_sql_wants(application: ModuleType) -> None:
    window = with_window(window_size_seconds="3600", window_slide_seconds="600", watermark_delay_seconds="120")
    settings = application.read_settings(window)
    assert "INTERVAL '600' SECOND(3), INTERVAL '3600' SECOND(4)" in application.detection(settings)
    assert "INTERVAL '120' SECOND(3)" in application.watermark(settings)


OPTION = re.compile(r"^  '([^']+)' = '([^']*)',?$", re.MULTILINE)


def test_each_table_says_its_stream_and_what_the_lab_needs_of_the_connector(application: ModuleType) -> None:
    settings = application.read_settings(GROUPS)
    source = dict(OPTION.findall(application.source_table(settings, "")))
    assert source == {
        "connector": "kinesis",
        "stream": "reviews",
        "scan.stream.initpos": "LATEST",
        "scan.shard-assigner": "uniform",
        "scan.shard.getrecords.intervalmillis": "200",
        "scan.shard.getrecords.maxrecordcount": "10000",
        "aws.region": "us-east-1",
        "format": "json",
        "json.ignore-parse-errors": "true",
    }
    sink = dict(OPTION.findall(application.sink_table("suspicious_activity", settings.output)))
    assert (sink["stream"], sink["aws.region"], sink["sink.flush-buffer.timeout"]) == (
        "suspicious_activity", "eu-west-1", "100",
    )  # fmt: skip


def test_the_second_output_has_its_own_group_and_is_not_needed(application: ModuleType) -> None:
    assert application.read_settings(GROUPS).groups is None
    groups = {**GROUPS, "producer.config.1": {"aws.region": "us-west-2", "output.stream.name": "suspicious_groups"}}
    settings = application.read_settings(groups)
    assert (settings.groups.stream, settings.groups.region) == ("suspicious_groups", "us-west-2")
    with pytest.raises(
        application.PropertyError, match="'output.stream.name' is missing from group 'producer.config.1'"
    ):
        application.read_settings({**GROUPS, "producer.config.1": {"aws.region": "us-west-2"}})


def test_the_second_statement_writes_under_an_ascii_key(application: ModuleType) -> None:
    settings = application.read_settings({**GROUPS, "producer.config.1": GROUPS["producer.config.0"]})
    statement = application.group_detection(settings)
    assert statement.startswith("\nINSERT INTO suspicious_groups\nSELECT movie, reviewers,")
    assert "MD5(movie)" in statement and application.bursting_groups(settings) in statement
    assert "  movie STRING,\n  reviewers BIGINT,\n" in application.sink_table("suspicious_groups", settings.groups)


def test_the_source_declares_what_the_queries_name(application: ModuleType) -> None:
    settings = application.read_settings(GROUPS)
    first = application.detection(settings)
    assert "movie STRING" not in application.source_table(settings, "", first)
    both = application.source_table(settings, "", first + application.group_detection(settings))
    assert "  movie STRING,\n  rating STRING,\n  event_time STRING,\n" in both
    assert "review_detail" not in both


def test_a_blank_second_statement_is_left_out(
    application: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def blank(_settings: object) -> str:
        raise NotImplementedError

    settings = application.read_settings({**GROUPS, "producer.config.1": GROUPS["producer.config.0"]})
    assert "INSERT INTO suspicious_groups" in application.groups_wanted(settings)
    monkeypatch.setattr(application, "bursting_groups", blank)
    assert application.groups_wanted(settings) == ""
    assert "Exercise 8 in this file is not attempted yet" in capsys.readouterr().out
    assert application.groups_wanted(application.read_settings(GROUPS)) == ""


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            "An error occurred while calling o1.explain.\n: java.lang.RuntimeException: Error while applying rule\n"
            "\tat org.apache.calcite.A.b(A.java:1)\nCaused by: java.lang.NullPointerException\n\tat C.d(C.java:2)\n"
            "\t... 9 more",
            "Flink's planner fails with NullPointerException",
        ),
        (
            "org.apache.flink.table.api.TableException: Table sink 'default_catalog.default_database.out' is odd.\n"
            "\tat org.apache.flink.E.f(E.java:3)\n",
            "Table sink 'out' is odd",
        ),
        (
            'An error occurred while calling o1.x.\n: org.X$YException: Encountered ")" at line 5, column 1.\nWas '
            'expecting one of:\n    "a" ...\n    \n\tat G.h(G.java:4)',
            'Encountered ")"',
        ),
        ("java.lang.IllegalStateException: two\nlines.\nand more\n\tat I.j(I.java:5)", "two, lines. and more"),
    ],
    ids=["no message", "one exception", "what was expected", "lines"],
)
def test_the_innermost_exception_speaks(application: ModuleType, said: str, reason: str) -> None:
    assert application.deepest(said) == reason


@pytest.mark.parametrize("said", ["Unable to create a source for reading table 'reviews'", "Failed to execute sql"])
def test_what_is_not_of_the_sql_is_not_called_so(application: ModuleType, said: str) -> None:
    error = application.JavaException(f"TableException: {said}\n\tat A.b")
    pointing = application.pointing_at(application.detection, "", application.read_settings(GROUPS))
    with pytest.raises(application.JavaException) as raised, pointing:
        raise error
    assert raised.value is error
