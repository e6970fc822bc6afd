"""Small tables: how values are written, what is left out is said, nothing of the data becomes markup."""

import pandas as pd
import pytest

from lab.core.tables import as_text, cell, table_html


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (pd.Timestamp("2026-01-01 00:01:00"), "2026-01-01 00:01:00"),
        (pd.Timestamp("2026-01-01 00:01:00.250"), "2026-01-01 00:01:00.250"),
        (pd.Timestamp("2026-01-01 01:00:00", tz="Europe/Berlin"), "2026-01-01 00:00:00"),
        (0.126, "0.13"),
        (float("nan"), "–"),
        (None, "–"),
        (pd.NA, "–"),
        (pd.NaT, "–"),
        (1234, "1,234"),
        (True, "yes"),
        ("x" * 61, "x" * 59 + "…"),
        ("plain", "plain"),
    ],
)
def test_cells(value, text):
    assert cell(value) == text


def test_markup_in_the_data_stays_text():
    html = table_html(pd.DataFrame({"<i>": ["<script>alert(1)</script>"]}), "<b>")
    assert "<script>" not in html and "<i>" not in html and "<b>" not in html
    assert "&lt;script&gt;" in html


def test_what_is_left_out_is_said():
    html = table_html(pd.DataFrame({"number": range(30)}), "Numbers", rows=3)
    assert html.count("<tr>") == 5 and "and 27 more rows" in html


def test_an_empty_table_says_so():
    empty = pd.DataFrame({"a": []})
    html = table_html(empty)
    assert "no rows" in html and as_text(empty) == "no rows"
    assert '<th scope="col"' in html
