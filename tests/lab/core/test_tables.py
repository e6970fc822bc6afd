"""Small tables: how values are written, what is left out is said, nothing of the data becomes markup."""

import pandas as pd
import pytest

from lab.core.tables import cell, show_table


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
    html = show_table(pd.DataFrame({"<i>": ["<script>alert(1)</script>"]}), "<b>").html
    assert "<script>" not in html and "<i>" not in html and "<b>" not in html
    assert "&lt;script&gt;" in html


def test_what_is_left_out_is_said():
    shown = show_table(pd.DataFrame({"number": range(30)}), "Numbers", rows=3)
    assert shown.html.count("<tr>") == 5 and "and 27 more rows" in shown.html
    assert shown.text.splitlines()[0] == "Numbers" and shown.text.endswith("and 27 more rows")
    assert shown._repr_mimebundle_() == {"text/html": shown.html, "text/plain": shown.text}


def test_an_empty_table_says_so():
    shown = show_table(pd.DataFrame({"a": []}))
    assert "no rows" in shown.html and shown.text == "no rows"
    assert '<th scope="col"' in shown.html
