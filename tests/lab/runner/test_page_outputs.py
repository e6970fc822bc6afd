import base64

from lab.core.cell_outputs import CHECK, MOVING
from lab.runner.page_outputs import MAX_CELL, MAX_ROWS, exhibits

PNG = base64.b64encode(b"\x89PNG not really").decode()


def notebook(*outputs, heading="## Who was *flagged* in `suspicious_activity`"):
    data = [{"output_type": "display_data", "data": bundle, "metadata": {}} for bundle in outputs]
    return {
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": ["# Title\n", "text\n", heading]},
            {"cell_type": "code", "metadata": {}, "source": "x", "outputs": [*data, {"output_type": "stream"}]},
        ]
    }


def found(*outputs):
    return list(exhibits(notebook(*outputs)))


def test_a_chart_comes_with_its_alt_text_and_heading():
    (chart,) = found({"image/png": PNG + "\n", "text/html": '<img alt="7 &lt; 9 &amp; more" src="x.png">'})
    assert (chart.kind, chart.content, chart.alt) == ("chart", PNG, "7 < 9 & more")
    assert chart.heading == "Who was flagged in suspicious_activity"


def test_a_chart_within_the_html_comes_with_the_table_beside_it():
    html = f'<div><img alt="counts" src="data:image/png;base64,{PNG}"><table><tr><td>1</td></tr></table></div>'
    chart, table = found({"text/html": html})
    assert (chart.content, chart.alt) == (PNG, "counts")
    assert table.content == "<table><tr><td>1</td></tr></table>"


def test_a_moving_chart_brings_its_data_and_no_script_of_its_own():
    html = f'<figure><img alt="player" src="data:image/png;base64,{PNG}"><script>alert(1)</script></figure>'
    (chart,) = found({"text/html": html, MOVING: {"kind": "windows", "data": {"x": "</script><script>alert(1)"}}})
    assert chart.moving is not None and chart.content == PNG
    page = chart.moving.html("")
    assert "alert(1)" in page and "</script><script>alert(1)" not in page
    for kind in ("../windows", "nothing", None, ["windows"]):
        (chart,) = found({"text/html": html, MOVING: {"kind": kind, "data": {}}})
        assert chart.moving is None


def test_a_chart_without_a_description_says_so():
    (chart,) = found({"image/png": PNG})
    assert chart.alt == "Chart under “Who was flagged in suspicious_activity”, without a description"


def test_what_is_no_picture_is_left_out():
    assert found({"image/png": '"><script>alert(1)</script>'}) == []


def test_a_table_keeps_its_cells_and_loses_everything_else():
    html = (
        "<style>td {color: red}</style><table border=1 onclick='x()' style='x'><caption>A &amp; B</caption>"
        "<tr><th scope='col'>a</th><td style='text-align: right' colspan=2>1 &lt; 2<script>alert(1)</script>"
        "<a href='http://example.com'>link</a><img src='http://example.com/x.png'></td></tr></table>after"
    )
    (table,) = found({"text/html": html})
    assert table.content == (
        '<table><caption>A &amp; B</caption><tr><th scope="col">a</th>'
        '<td class="number" colspan="2">1 &lt; 2link</td></tr></table>'
    )


def test_a_long_table_is_cut_and_says_how_much_is_left_out():
    rows = "".join(f"<tr><td>{i}</td></tr>" for i in range(100))
    (table,) = found({"text/html": f"<table><tr><th>i</th></tr>{rows}</table>"})
    assert table.content.count("<tr>") == MAX_ROWS + 1 and table.content.endswith("</tr></table>")
    assert table.left_out == 100 - MAX_ROWS


def test_a_comment_that_would_be_markup_is_left_out():
    (table,) = found({"text/html": "<table><tr><td>1<!--><script>x()</script>--></td></tr></table>"})
    assert "script" not in table.content and "<!" not in table.content


def test_a_long_cell_is_cut():
    (table,) = found({"text/html": f"<table><tr><td>{'x' * 1000}</td><td>y</td></tr></table>"})
    assert table.content == f"<table><tr><td>{'x' * MAX_CELL}…</td><td>y</td></tr></table>"


def test_the_table_of_the_checks_is_not_shown_twice():
    assert found({CHECK: {"checks": []}, "text/html": "<table><tr><td>1</td></tr></table>"}) == []


def test_numbers_and_long_words_stay_aligned_and_wrapped():
    html = "<table><tr><td style='text-align:right;'>1</td><td style='overflow-wrap:anywhere;'>xx</td></tr></table>"
    (table,) = found({"text/html": html})
    assert table.content == '<table><tr><td class="number">1</td><td class="long">xx</td></tr></table>'


def test_what_is_folded_in_a_cell_is_shown_once():
    html = '<table><tr><td><details><summary>{"a"…</summary><pre>{"a": 1}</pre></details></td></tr></table>'
    (table,) = found({"text/html": html})
    assert table.content == '<table><tr><td>{"a": 1}</td></tr></table>'
