"""What AWS may refuse, injected into the notebooks' own calls: each ends in a sentence with the next step, and the
notebook goes on from that very cell once the reason is gone."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import nbformat
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient

import lab.session
from lab.errors import LabError
from lab.verdict import judge
from tests.aws.cells import code_cells
from tests.aws.conftest import REGION, give_role
from tests.conftest import PROJECT, EmbeddedAccount

NUMBER = "444455556666"
# Error -> a part of the sentence that says what to do next.
NEXT_STEP = {
    "AccessDenied": "look at the policies of the credentials",
    "ExpiredToken": "refresh the credentials",
    "ResourceNotFoundException": "run the notebooks before this one first",
    "LimitExceededException": "or a quota is used up: wait a minute and run this cell again",
    "ThrottlingException": "wait a minute and run this cell again",
    "IllegalLocationConstraintException": "set `region` to the one the lab's resources are in",
    "no network": "then run this cell again",
}
# Beginnings of the cells whose own calls go to S3, Kinesis, IAM, Lambda, Logs and Managed Flink.
CELLS = {
    "01_streams": ["s3 = boto3", "s3.put_public_access", "described =", "kinesis = boto3", "found = kinesis"],
    "02_producer": ["try:\n    lambda_.create_function"],
    "03_flink_job": ["s3 = boto3", "logs = boto3", "kinesis = boto3", "try:\n    flink.create_application"],
}


class Refusals:
    """Refuses the next calls of the default session with `code`, until it is None."""

    def __init__(self) -> None:
        self.code: str | None = None

    def __call__(self, request: Any, event_name: str, **_more: Any) -> AWSResponse | None:
        # botocore itself asks with HeadBucket where a bucket is, after a refusal that speaks of regions.
        if self.code is None or (
            event_name.endswith("s3.HeadBucket") and self.code == "IllegalLocationConstraintException"
        ):
            return None
        if self.code == "no network":
            raise EndpointConnectionError(endpoint_url=request.url)
        _, service, _ = event_name.split(".")
        text = f"<Error><Code>{self.code}</Code><Message>injected</Message></Error>"
        if service in ("sts", "iam"):
            text = f"<ErrorResponse>{text}</ErrorResponse>"
        elif service != "s3":
            text = json.dumps({"__type": self.code, "message": "injected"})
        answer = AWSResponse(request.url, 400, {"x-amzn-errortype": self.code}, None)
        answer._content = text.encode()
        return answer


@pytest.fixture
def refusals(account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch) -> Iterator[Refusals]:
    """The account by the standard variables, and the default session with the refusals at its door."""
    for name, value in {
        "AWS_ENDPOINT_URL": account.endpoint, "AWS_ACCESS_KEY_ID": NUMBER, "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION, "AWS_MAX_ATTEMPTS": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    refusals = Refusals()

    def new_session() -> None:
        boto3.setup_default_session()
        boto3.DEFAULT_SESSION.events.register("before-send", refusals)

    give_role(account.client("iam", REGION, NUMBER), NUMBER)
    monkeypatch.setattr(lab.session, "_forget_earlier_account", new_session)
    yield refusals
    boto3.DEFAULT_SESSION = None  # not by monkeypatch, which would put the one with the refusals back


class Shell(InteractiveShell):
    """A shell that keeps what the reader of a failed cell would read last."""

    said: LabError | None = None

    def _showtraceback(self, etype: type, evalue: BaseException, stb: Any) -> None:
        self.said = evalue


@pytest.fixture
def shell() -> Iterator[Shell]:
    shell = Shell.instance()
    yield shell
    Shell.clear_instance()


def run(shell: Shell, source: str) -> Any:
    """Run a cell; None, or the error its reader sees."""
    shell.said = None
    shell.run_cell(source)
    return shell.said


@pytest.mark.slow  # about 15 s: each cell eight times
def test_each_refusal_ends_in_a_next_step_and_the_cell_runs_again(refusals: Refusals, shell: Shell) -> None:
    for notebook, beginnings in CELLS.items():
        parameters, *cells = code_cells(notebook).values()
        run(shell, parameters)
        shell.user_ns |= {"target": "aws", "region": REGION, "shards": 1}
        left = list(beginnings)
        for source in cells:
            if source.startswith(tuple(left)):
                left = [one for one in left if not source.startswith(one)]
                refuse_each(refusals, shell, source)
            assert run(shell, source) is None, f"the cell {source[:60]!r} of {notebook} does not run: {shell.said}"
            if not left:
                break
        assert not left, f"no cell of {notebook} begins with {left}"


def refuse_each(refusals: Refusals, shell: Shell, source: str) -> None:
    for code, next_step in NEXT_STEP.items():
        refusals.code = code
        said = run(shell, source)
        refusals.code = None
        assert isinstance(said, LabError), f"{code} in {source[:60]!r}: {said!r}"
        assert said.__cause__ is not None
        assert next_step in str(said) and str(said).endswith("."), str(said)


@pytest.mark.parametrize("code", list(NEXT_STEP))
def test_the_first_cell_says_that_the_credentials_do_not_do(code: str, refusals: Refusals) -> None:
    refusals.code = code
    with pytest.raises(lab.session.AccountNotReached, match="then run this cell again"):
        lab.session.connect("aws", REGION)


def test_an_upload_says_why_it_failed(refusals: Refusals) -> None:
    from lab.last_words import in_words

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
