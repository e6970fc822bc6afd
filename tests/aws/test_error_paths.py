"""What AWS may refuse, injected into the notebooks' own calls: each ends in a sentence with the next step, and the
notebook goes on from that very cell once the reason is gone."""

import json
import re
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.session
import nbformat
import pytest
from botocore.config import Config
from nbclient import NotebookClient

import lab.core.session
from lab.account.inventory import existing
from lab.core.errors import LabError
from lab.runner.verdict import judge
from tests.aws.cells import code_cells
from tests.aws.conftest import REGION, give_role
from tests.aws.refusals import Refusals, SeemingApplication, Shell, run
from tests.support.account import PROJECT, EmbeddedAccount

NUMBER = "444455556666"
# Error -> the part of the sentence that says what to do next.
NEXT_STEP = {
    "AccessDenied": "look at the policies of the credentials",
    "ExpiredToken": "refresh the credentials",
    "ResourceNotFoundException": r"run (the notebooks before this one|0\d_\w+) first, then run this cell again",
    "LimitExceededException": "or a quota is used up: wait a minute and run this cell again",
    "ThrottlingException": "wait a minute and run this cell again",
    "IllegalLocationConstraintException": "set `region` to the one the lab's resources are in",
    "no network": "run the notebooks again from 01_streams",
}
# Beginnings of the cells whose calls are refused: those that make, start, send, read and delete.
CELLS = {
    "01_streams": ["s3 = boto3", "s3.upload_file", "described =", "kinesis = boto3", "lab.hash_ring("],
    "02_producer": ["code = package", "print(lab.log_group(", "event = {"],
    "03_flink_job": [
        "s3 = boto3", "log_stream_arn =", "kinesis = boto3", "open_shards =", "try:\n    flink.create_application",
        "application = lab.bring_up", "if lab.may_configure", "application = flink.describe", "print(lab.stop_after(",
        "position = lab.load_position", "event = {",
    ],
    "04_validate": ["events = lab.read_reviews", "output = lab.wait_for", "print(lab.keep_to_hours"],
    "05_cleanup": [
        "found = lab.lab_resources", "flink = boto3", "lambda_ = boto3", "kinesis = boto3", "s3 = boto3",
        "logs = boto3", "lab.lab_resources(session, until_gone",
    ],
}  # fmt: skip
# Cells that need a Flink job, and those that only draw or check what the others made.
LEFT_OUT = {
    "03_flink_job": ("url =", "lab.jobs_table", "lab.try_sql", "lab.window_player"),
    "04_validate": ("comparison =", "flink =", "lab.dropped_by", "all_counts =", "labels =", "chosen =", "left_out =",
                    "lab.counts_over", "lab.recall_per", "lab.try_sql", "groups = lab.wait", "scores.by"),
}  # fmt: skip
# Where "not found" is an answer like another: the cell deletes, or looks whether something is there.
NOT_FOUND_WILL_DO = ("print(lab.keep_to_hours", *CELLS["05_cleanup"])


@pytest.fixture
def application() -> SeemingApplication:
    return SeemingApplication()


@pytest.fixture
def refusals(
    account: EmbeddedAccount, application: SeemingApplication, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Refusals]:
    """The account by the standard variables, with the refusals at the door of every session."""
    for name, value in {
        "AWS_ENDPOINT_URL": account.endpoint, "AWS_ACCESS_KEY_ID": NUMBER, "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION, "AWS_MAX_ATTEMPTS": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    give_role(account.client("iam", REGION, NUMBER), NUMBER)
    refusals, new_session = Refusals(), botocore.session.get_session

    def guarded(*arguments: Any, **more: Any) -> botocore.session.Session:
        session = new_session(*arguments, **more)
        session.register("before-send", refusals)
        application.register(session)
        return session

    monkeypatch.setattr(botocore.session, "get_session", guarded)
    # The reader of streams is patient with throttling; here it gives up at once, as everything else.
    monkeypatch.setattr("lab.streams.shards.Config", lambda **_: Config(retries={"total_max_attempts": 1}))
    boto3.DEFAULT_SESSION = None
    yield refusals
    boto3.DEFAULT_SESSION = None  # not by monkeypatch, which would put the one with the refusals back


@pytest.fixture
def shell() -> Iterator[Shell]:
    shell = Shell.instance()
    yield shell
    Shell.clear_instance()


@pytest.mark.slow  # about 50 s: each cell ten times or so, from the first bucket to the last log group
def test_each_refusal_ends_in_a_next_step_and_the_cell_runs_again(
    refusals: Refusals, application: SeemingApplication, shell: Shell
) -> None:
    for notebook, beginnings in CELLS.items():
        parameters, *cells = code_cells(notebook).values()
        run(shell, parameters)
        shell.user_ns |= {"target": "aws", "region": REGION, "shards": 1, "demo_seconds": 0}
        left = list(beginnings)
        for source in cells:
            if source.startswith(LEFT_OUT.get(notebook, ())):
                continue
            if source.startswith(tuple(left)):
                left = [one for one in left if not source.startswith(one)]
                prepare(shell, source)
                refuse_each(refusals, shell, source)
                break_off_at_each_call(refusals, shell, source)
            assert run(shell, source) is None, f"the cell {source[:60]!r} of {notebook} does not run: {shell.said}"
            if source.startswith("application = flink.describe"):
                change_what_runs(refusals, shell, cells)
            if not left:
                break
        assert not left, f"no cell of {notebook} begins with {left}"
    # However often it was broken off: started, stopped for the change, started again, and stopped by 05, once each.
    assert application.history == ["STARTING", "STOPPING", "STARTING", "STOPPING"]
    assert existing(shell.user_ns["session"]) == []


def change_what_runs(refusals: Refusals, shell: Shell, cells: list[str]) -> None:
    """As in exercise 6, another parallelism for the application that runs: it is stopped, changed and started again."""
    shell.user_ns["parallelism"] = 2
    for beginning in ("application = lab.bring_up", "application = flink.describe"):
        (source,) = [one for one in cells if one.startswith(beginning)]
        break_off_at_each_call(refusals, shell, source)
    configured = shell.user_ns["application"]["ApplicationConfigurationDescription"]
    flink = configured["FlinkApplicationConfigurationDescription"]["ParallelismConfigurationDescription"]
    assert flink["Parallelism"] == 2


def prepare(shell: Shell, source: str) -> None:
    """What Flink would have done: 04 waits for the windows of its reference."""
    if not source.startswith("output = lab.wait_for"):
        return
    windows = shell.user_ns["reference"].windows
    rows = [
        {
            "reviewer": row.reviewer,
            "movie_count": row.movie_count,
            "window_start": f"{row.window_start:%Y-%m-%d %H:%M:%S}",
            "event_time": f"{row.window_end:%Y-%m-%d %H:%M:%S}",
        }
        for row in windows.itertuples()
    ]
    records = [{"Data": json.dumps(row).encode(), "PartitionKey": row["reviewer"]} for row in rows]
    kinesis = boto3.client("kinesis")
    for first in range(0, len(records), 500):
        answer = kinesis.put_records(StreamName="suspicious_activity", Records=records[first : first + 500])
        assert not answer["FailedRecordCount"]


def refuse_each(refusals: Refusals, shell: Shell, source: str) -> None:
    """Every error at the first call of the cell."""
    for code, next_step in NEXT_STEP.items():
        if code == "ResourceNotFoundException" and source.startswith(NOT_FOUND_WILL_DO):
            continue
        refusals.code = code
        said = run(shell, source)
        refusals.code = None
        assert isinstance(said, LabError), f"{code} in {source[:60]!r}: {said!r}"
        assert said.__cause__ is not None
        assert re.search(next_step, str(said)) and str(said).endswith("."), str(said)


def break_off_at_each_call(refusals: Refusals, shell: Shell, source: str) -> None:
    """The network fails at the second call of the cell, at the third of what runs then, and so on until it is through:
    each time the same cell goes on from what the account holds by then."""
    for spared in range(1, 200):
        refusals.code, refusals.spared = "no network", spared
        said = run(shell, source)
        refusals.code, refusals.spared = None, 0
        if said is None:
            return
        assert isinstance(said, LabError), f"after {spared} calls of {source[:60]!r}: {said!r}"
        assert re.search(NEXT_STEP["no network"], str(said)), str(said)
    pytest.fail(f"{source[:60]!r} makes 200 calls and is not done")


@pytest.mark.parametrize("code", list(NEXT_STEP))
def test_the_first_cell_says_that_the_credentials_do_not_do(code: str, refusals: Refusals) -> None:
    refusals.code = code
    with pytest.raises(lab.core.session.AccountNotReached, match="then run this cell again"):
        lab.core.session.connect("aws", REGION)


def test_an_upload_says_why_it_failed(refusals: Refusals) -> None:
    from lab.core.error_hook import in_words

    boto3.setup_default_session()
    boto3.DEFAULT_SESSION.events.register("before-send", refusals)
    refusals.code = "AccessDenied"
    with pytest.raises(Exception) as caught:  # noqa: B017, PT011  whatever upload_file makes of it
        boto3.client("s3").upload_file(__file__, "bucket", "key")
    said = str(in_words(caught.value))
    assert "PutObject" in said and NEXT_STEP["AccessDenied"] in said


@pytest.mark.slow  # a kernel of its own, about 6 s
def test_the_runner_ends_in_that_sentence_too(refusals: Refusals) -> None:
    """In a real kernel: what papermill would leave in the notebook, as the runner judges it."""
    refused = 'boto3.client("kinesis").describe_stream_summary(StreamName="nowhere")'
    sources = ["import boto3\nimport lab", f'lab.connect("aws", "{REGION}")', refused]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(notebook, allow_errors=True, resources={"metadata": {"path": str(PROJECT)}}).execute()
    failure = judge("01_streams", notebook, "run", 1.0, "here", None).failure
    assert failure is not None
    assert failure.sentence.startswith("01_streams, code cell 3")
    assert failure.sentence.endswith("run the notebooks before this one first, then run this cell again.")
    assert "ResourceNotFoundException" in failure.sentence
    assert failure.traceback.index("nowhere") < failure.traceback.index("AccountRefused")
