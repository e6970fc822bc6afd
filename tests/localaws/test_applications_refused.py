"""Applications that cannot run or fail while they run: the cause in one sentence, where the student looks."""

import time

import pytest

from tests.support.applications import Workbench, source

pytestmark = pytest.mark.slow  # about 45 s in all


def test_a_job_that_restarts_again_and_again_is_seen(bench: Workbench) -> None:
    divides = source("sql.py").replace("MOD(n, 2) = 0", "MOD(n, n - 13) = 0")
    bench.deploy_with_jar(divides, "App/")
    bench.run()
    bench.put(range(13, 14))
    while bench.restarts() < 2:
        time.sleep(0.5)
    assert bench.status() == "RUNNING"  # as AWS says it
    said = bench.account.command("status").stdout
    assert f"The job of {bench.name} has restarted" in said
    assert "The first cause: The application failed: java.lang.ArithmeticException: / by zero" in said
    assert bench.failure().startswith(f"The job of {bench.name} has restarted ")


def test_wrong_path_in_the_zip_is_refused_before_anything_starts(bench: Workbench) -> None:
    bench.deploy({"App/main.py": "pass"}, python="main.py")
    with pytest.raises(bench.flink.exceptions.InvalidArgumentException, match="did you mean 'App/main.py'"):
        bench.start()
    assert bench.status() == "READY"


def test_a_missing_zip_is_refused(bench: Workbench) -> None:
    bench.deploy({"App/main.py": "pass"}, python="App/main.py")
    bench.s3.delete_object(Bucket=bench.bucket, Key="code.zip")
    with pytest.raises(bench.flink.exceptions.InvalidArgumentException, match="There is no s3://"):
        bench.start()


def test_wrong_sql_names_line_and_column(bench: Workbench) -> None:
    wrong = source("sql.py").replace("SELECT n FROM", "SELECT nn FROM")
    bench.deploy_with_jar(wrong, "App/")
    assert bench.start() == "READY"
    assert bench.failure() == (
        "The SQL is wrong at line 1, column 25: Column 'nn' not found in any table (App/main.py, line 20)"
    )


def test_a_stream_that_does_not_exist_is_named(bench: Workbench) -> None:
    bench.deploy_with_jar(source("sql.py"), "App/")
    bench.kinesis.delete_stream(StreamName=f"{bench.name}-in")
    assert bench.start() == "READY"
    assert bench.failure().startswith(f"The stream '{bench.name}-in' does not exist")


def test_an_endpoint_elsewhere_is_refused(bench: Workbench) -> None:
    elsewhere = "'aws.endpoint' = 'https://kinesis.eu-west-1.amazonaws.com', 'format'"
    named = source("sql.py").replace("'format'", elsewhere)
    bench.deploy_with_jar(named)
    assert bench.start() == "READY"
    assert bench.failure().startswith(
        "Nothing of an application leaves this machine, and kinesis.eu-west-1.amazonaws.com is not on it."
    )


CALLS_ELSEWHERE = """
import requests

try:
    requests.get("https://example.com")
except requests.RequestException as error:
    print(error)
"""


def test_main_without_a_job_and_with_a_call_of_another_machine(bench: Workbench) -> None:
    bench.deploy({"main.py": CALLS_ELSEWHERE}, python="main.py")
    assert bench.start() == "READY"
    assert bench.failure().startswith("main.py ended without starting a job; call execute()")
    assert "Tunnel connection failed: 403 Forbidden" in bench.account.command("logs", bench.name).stdout


def test_a_job_wider_than_its_slots_is_named(bench: Workbench) -> None:
    # The warm cluster has four slots, which the application was not allotted.
    wide = source("sql.py").replace("\nfor ", '\nenvironment.get_config().set("parallelism.default", "3")\nfor ', 1)
    bench.deploy_with_jar(wide, "App/")
    assert bench.start() == "READY"
    assert bench.failure().startswith("The job needs more slots than the application has")
