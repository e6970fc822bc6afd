"""One grammar of event_time: what Flink's SQL makes of each form, the reference makes of it too; about 20 s."""

import json
from types import ModuleType

import pandas as pd
import pytest

from lab.streams.records import EVENT_TIME, read_reviews

# Forms that people send, and the millisecond each stands for; None for one that is no event_time.
FORMS: dict[str, str | None] = {
    "2026-01-01T00:14:01": "2026-01-01 00:14:01.000",
    "2026-01-01T00:14:01.5": "2026-01-01 00:14:01.500",
    "2026-01-01T00:14:01.123": "2026-01-01 00:14:01.123",
    "2026-01-01T00:14:01.123456": "2026-01-01 00:14:01.123",
    "2026-01-01T00:14:01.999999999": "2026-01-01 00:14:01.999",
    "2026-01-01 00:14:01": "2026-01-01 00:14:01.000",
    "2026-01-01 00:14:01.123456": "2026-01-01 00:14:01.123",
    "2024-02-29T23:59:59": "2024-02-29 23:59:59.000",
    "1970-01-02T00:00:00": "1970-01-02 00:00:00.000",
    "2099-12-31T23:59:59.999": "2099-12-31 23:59:59.999",
    "2026-01-01T00:14:01.1234567890": None,
    "2026-01-01T00:14:01.": None,
    "2026-01-01": None,
    "2026-01-01T00:14": None,
    "2026-01-01T24:00:00": None,
    "2026-01-01T23:59:60": None,
    "2026-01-01T00:60:00": None,
    "2026-01-01t00:14:01": None,
    "2026-01-01T00:14:01Z": None,
    "2026-01-01T00:14:01z": None,
    "2026-01-01T00:14:01+02:00": None,
    "2026-01-01T00:14:01+0200": None,
    "2026-01-01T00:14:01 UTC": None,
    "2026-1-1T0:14:1": None,
    "2026-02-30T00:00:00": None,
    "2026-13-01T00:00:00": None,
    "2025-02-29T00:00:00": None,
    "2026-00-10T00:00:00": None,
    "2026-01-00T00:00:00": None,
    "20260101T001401": None,
    "01/01/2026 00:14:01": None,
    " 2026-01-01T00:14:01": None,
    "2026-01-01T00:14:01 ": None,
    "2026-01-01T00:14:01\n": None,
    "2026-01-01T00:14:01,123": None,
    "2026-01-01  00:14:01": None,
    "\u0662026-01-01T00:14:01": None,
    "0000-00-00T00:00:00": None,
    "0001-01-01T00:00:00": None,
    "1899-12-30T00:00:00": None,
    "1900-01-01T00:00:00": None,
    "1969-12-31T23:59:59": None,
    "2100-01-01T00:00:00": None,
    "2262-04-11T23:47:16": None,
    "9999-12-31T23:59:59": None,
    "9999-12-31": None,
    "1767225241": None,
    "1767225241000": None,
    "now": None,
    "NaT": None,
    "null": None,
    "": None,
}


def test_application_and_reference_have_one_grammar(application: ModuleType) -> None:
    assert f"^{EVENT_TIME.pattern}$" == application.EVENT_TIME


def test_the_grammar_has_the_days_of_the_calendar() -> None:
    days = {f"{year}-{month:02}-{day:02}" for year in range(1968, 2102) for month in range(14) for day in range(33)}
    real = {str(day.date()) for day in pd.date_range("1970-01-01", "2099-12-31")}
    assert {day for day in days if EVENT_TIME.fullmatch(f"{day}T00:00:00")} == real


def test_the_reference_reads_each_form_as_it_is_meant() -> None:
    records = [json.dumps({"review_id": "r", "reviewer": "p", "event_time": form}).encode() for form in FORMS]
    raw = pd.DataFrame({
        "shard": "s", "sequence_number": [str(n) for n in range(len(records))],
        "arrival": pd.Timestamp("2026-01-01", tz="UTC"), "data": records,
    })  # fmt: skip
    events = read_reviews(raw)
    read = dict(
        zip(events.table["sequence_number"], events.table["event_time"].dt.strftime("%F %T.%f").str[:-3], strict=True)
    )
    assert {form: read.get(str(number)) for number, form in enumerate(FORMS)} == FORMS
    assert len(events.unreadable) == list(FORMS.values()).count(None)
    assert "'9999-12-31T23:59:59', not YYYY-MM-DDTHH:MM:SS of 1970 to 2099" in "".join(events.unreadable["reason"])


@pytest.mark.slow  # about 20 s: a Flink in this process
@pytest.mark.timeout(900)
def test_flink_reads_each_form_as_the_reference_does(application: ModuleType) -> None:
    from pyflink.table import EnvironmentSettings, TableEnvironment

    environment = TableEnvironment.create(EnvironmentSettings.in_batch_mode())
    rows = ", ".join(f"({number}, '{form}')" for number, form in enumerate(FORMS))
    read_as = application.event_time_of("event_time")
    result = environment.execute_sql(
        f"SELECT n, CAST({read_as} AS STRING) FROM (VALUES {rows}) AS forms(n, event_time)"
    )
    with result.collect() as rows:
        read = {row[0]: row[1] for row in rows}
    nothing = "1970-01-01 00:00:00.000"
    assert {form: read[number] for number, form in enumerate(FORMS)} == {
        form: meant or nothing for form, meant in FORMS.items()
    }
