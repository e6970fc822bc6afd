"""Ask an account about the lab's resources; what is missing is said with the notebook that makes it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from lab.core.aws_errors import plain_words
from lab.core.errors import LabError, StepMissing
from lab.core.names import APPLICATION, FUNCTION, INPUT_STREAM, MADE_LATER, OUTPUT_STREAM, REVIEWS_FILE
from lab.core.session import Session, restarted_hint


@contextmanager
def required(doing: str, what: str, notebook: str, session: Session) -> Iterator[None]:
    """Raise StepMissing where a call inside finds no such resource, and the lab's other errors for other refusals.

    `what` is its first half, such as "The stream reviews does not exist"; `doing` is what was refused.
    """
    missing = StepMissing(f"{what}{restarted_hint(session)}", notebook)
    with plain_words(doing, session.endpoint, gone=missing):
        yield


class Account:
    """Ask an account about the lab's resources, each question once, and keep the answers.

    Every question raises StepMissing where the resource does not exist, AccountRefused or AccountSilent where the
    account does not tell.
    """

    def __init__(self, session: Session | None) -> None:
        self._session = session
        self._answers: dict[str, Any] = {}

    @property
    def session(self) -> Session:
        """Return the account that is asked; raises LabError where none is connected."""
        if self._session is None:
            raise LabError("No account is connected: run the cell with `lab.connect(...)`, then this one again.")
        return self._session

    @property
    def endpoint(self) -> str | None:
        """Return where the account answers; None on AWS, and where no account is connected."""
        return self._session.endpoint if self._session else None

    def reviews_size(self) -> int:
        """Return the bytes of the reviews in the landing zone."""
        bucket = self.session.landing_zone
        where = f"s3://{bucket}/{REVIEWS_FILE}"

        def ask() -> int:
            return boto3.client("s3").head_object(Bucket=bucket, Key=REVIEWS_FILE)["ContentLength"]

        return self.answer(f"looking at {where}", f"There is no {where}", "01_streams", ask)

    def stream(self, name: str) -> dict[str, Any]:
        """Return a stream's StreamDescriptionSummary."""

        def ask() -> dict[str, Any]:
            return boto3.client("kinesis").describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]

        missing, notebook = f"The stream {name} does not exist", MADE_LATER.get(name, "01_streams")
        return self.answer(f"describing {name}", missing, notebook, ask)

    def function(self, name: str = FUNCTION) -> dict[str, Any]:
        """Return the function's configuration."""

        def ask() -> dict[str, Any]:
            return boto3.client("lambda").get_function_configuration(FunctionName=name)

        return self.answer(f"describing {name}", f"The function {name} does not exist", "02_producer", ask)

    def application(self, name: str = APPLICATION) -> dict[str, Any]:
        """Return the application's ApplicationDetail."""

        def ask() -> dict[str, Any]:
            flink = boto3.client("kinesisanalyticsv2")
            return flink.describe_application(ApplicationName=name)["ApplicationDetail"]

        return self.answer(f"describing {name}", f"The application {name} does not exist", "03_flink_job", ask)

    def answer(self, doing: str, missing: str, notebook: str, ask: Callable[[], Any]) -> Any:
        """Call `ask` the first time and remember what it returns, by `doing`."""
        if doing not in self._answers:
            with required(doing, missing, notebook, self.session):
                self._answers[doing] = ask()
        return self._answers[doing]


def require_stream(name: str, session: Session) -> None:
    """Raise StepMissing(01_streams) where the stream does not exist."""
    Account(session).stream(name)


def require_function(name: str, session: Session) -> None:
    """Raise StepMissing(02_producer) where the function, or 01_streams where one of its streams, does not exist."""
    account = Account(session)
    account.stream(INPUT_STREAM)
    account.stream(OUTPUT_STREAM)
    account.function(name)
