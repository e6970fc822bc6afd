import pytest

from localaws.managed_flink.failures import explain, explain_driver, root_cause

JAVA = """org.apache.flink.table.api.ValidationException: Unable to create a source for reading table 'r'.
\tat org.apache.flink.table.factories.FactoryUtil.createDynamicTableSource(FactoryUtil.java:228)
Caused by: {cause}
\t... 13 more
"""


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (
            "org.apache.flink.table.api.ValidationException: Could not find any factory for identifier 'kinesis' that "
            "implements 'DynamicTableFactory' in the classpath.",
            "No connector or format 'kinesis' is on the class path",
        ),
        (
            "org.apache.flink.util.FlinkRuntimeException: Failed to create checkpoint storage at checkpoint "
            "coordinator side.",
            "The cluster cannot write its checkpoints into the account's home",
        ),
        (
            "software.amazon.awssdk.core.exception.SdkClientException: Unable to load credentials from any of the "
            "providers in the chain",
            "The tasks have no AWS credentials",
        ),
        (
            "java.io.IOException: Failed to execute the command: python -m pip install --ignore-installed -r r.txt\n"
            "output: ERROR: No matching distribution found for romans==2",
            "pip finds no package romans==2 of the application's requirements",
        ),
        ("java.io.IOException: output: /usr/bin/python: No module named pip", "The account's Python has no pip"),
        ("java.io.IOException: No space left on device", "The disk is full, so that no checkpoint can be written"),
        (
            "java.lang.NoClassDefFoundError: org/joda/time/DateTime",
            "The Java class org.joda.time.DateTime was not found",
        ),
        (
            "com.amazonaws.services.kinesis.model.ResourceNotFoundException: Stream revs under account 000000000000 "
            "not found.",
            "The stream 'revs' does not exist",
        ),
        (
            'org.apache.flink.table.api.SqlParserException: SQL parse failed. Encountered "FORM" at line 3, column 7.',
            'The SQL cannot be parsed: Encountered "FORM" at line 3, column 7.',
        ),
        (
            "org.apache.calcite.runtime.CalciteContextException: From line 2, column 8 to line 2, column 15: Column "
            "'reviewr' not found in any table",
            "The SQL is wrong at line 2, column 8: Column 'reviewr' not found in any table",
        ),
        (
            "org.apache.flink.runtime.jobmanager.scheduler.NoResourceAvailableException: Could not acquire the minimum",
            "The job needs more slots than the application has",
        ),
        (
            "java.lang.SecurityException: Nothing of an application leaves this machine, and 203.0.113.7 is not on it.",
            "Nothing of an application leaves this machine, and 203.0.113.7 is not on it.",
        ),
        (
            "java.net.ConnectException: Connection refused: /127.0.0.1:4567",
            "The job cannot reach an address that it calls (Connection refused: /127.0.0.1:4567): remove the endpoint",
        ),
    ],
)
def test_java_causes(cause: str, expected: str) -> None:
    assert explain(JAVA.format(cause=cause)).startswith(expected)


def test_python_causes_with_the_line() -> None:
    outcome = {"trace": "Traceback ...\nKeyError: 'input.stream.name'\n", "line": 12}
    assert explain_driver(outcome, "a/main.py") == (
        "The application looked for the key 'input.stream.name' and it is not there; check the runtime properties' "
        "group ids and keys. (a/main.py, line 12)"
    )
    assert "The Python module 'reqests' is not there" in explain("ModuleNotFoundError: No module named 'reqests'")


def test_an_unknown_cause_is_kept_as_it_is() -> None:
    assert root_cause(JAVA.format(cause="a.b.OddException: odd")) == "a.b.OddException: odd"
    assert explain("Traceback\n  File x\nZeroDivisionError: division by zero\n").endswith("division by zero")
