"""Small tables: how values are written, what is left out is said, nothing of the data becomes markup."""

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from lab.core.tables import as_text, cell, column_style, frame_html, table_html


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


@pytest.mark.parametrize(
    ("texts", "side"),
    [
        (["1", "1,234", "–"], "right"),
        (["0.040", "-2.5"], "right"),
        (["20.0%", "3 %", "NaN"], "right"),
        (["1e-05", "2e+03"], "right"),
        (["10217388", "Olga"], "left"),
        (["2026-01-01 00:01:30"], "left"),
        (["49" * 28], "left"),  # a sequence number is a name
        (["–", ""], "left"),
        ([], "left"),
    ],
)
def test_numbers_stand_to_the_right_and_text_to_the_left(texts, side):
    assert column_style(texts).startswith(f"text-align:{side};")


def test_only_a_column_with_a_long_word_may_be_broken_anywhere():
    assert "overflow-wrap:anywhere" in column_style(["short", "x" * 25])
    assert "overflow-wrap" not in column_style(["a sentence of many short words, longer than any number"])


def looks(html):
    """The side of each header and cell, a row a list."""
    rows = BeautifulSoup(html, "html.parser").find_all("tr")
    return [[one["style"].split("text-align:")[-1].partition(";")[0] for one in row(["th", "td"])] for row in rows]


def test_a_dataframe_is_aligned_by_what_its_columns_hold():
    frame = pd.DataFrame({"reviewer": ["Ann", "Bo"], "count": [1, 22], "part": ["5%", "9%"]}, index=["a", "b"])
    assert looks(frame_html(frame)) == [["left", "left", "right", "right"]] * 3
    named = looks(frame_html(frame.rename_axis("shard")))
    assert named == [["left", "left", "right", "right"]] * 4  # a row of its own for the name of the index
    assert looks(frame_html(frame.iloc[:0])) == [["left"] * 4]


def test_a_dataframe_too_long_or_too_wide_is_cut_as_pandas_cuts_it():
    frame = pd.DataFrame({f"column {place}": range(100) for place in range(30)})
    with pd.option_context("display.max_columns", 20):
        html = frame_html(frame)
    assert "100 rows × 30 columns" in html
    assert looks(html)[1] == ["left", *["right"] * 10, "left", *["right"] * 10]  # "..." between them


def test_levels_and_markup_stay_as_pandas_writes_them():
    frame = pd.DataFrame({("a", "min"): [1], ("a", "max"): [2], ("b", "min"): ["<i>"]})
    html = frame_html(frame)
    assert 'colspan="2"' in html and "&lt;i&gt;" in html and "<i>" not in html


def test_a_dataframe_that_pandas_shows_as_text_stays_text():
    with pd.option_context("display.notebook_repr_html", False):
        assert frame_html(pd.DataFrame({"a": [1]})) is None
