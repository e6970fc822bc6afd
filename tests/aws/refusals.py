"""What AWS may refuse, injected into the calls of a kernel; and an application that seems to run, without Flink."""

import json
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError
from IPython.core.interactiveshell import InteractiveShell

from lab.core.errors import LabError


class Refusals:
    """Refuses the calls of the sessions it is registered with by `code`, until that is None; `spared` counts calls
    that go through before."""

    def __init__(self) -> None:
        self.code: str | None = None
        self.spared = 0

    def __call__(self, request: Any, event_name: str, **_more: Any) -> AWSResponse | None:
        # botocore itself asks with HeadBucket where a bucket is, after a refusal that speaks of regions.
        if self.code is None or (
            event_name.endswith("s3.HeadBucket") and self.code == "IllegalLocationConstraintException"
        ):
            return None
        if self.spared:
            self.spared -= 1
            return None
        if self.code == "no network":
            raise EndpointConnectionError(endpoint_url=request.url)
        _, service, _ = event_name.split(".")
        return answer(request, service, 400, self.code)


def answer(request: Any, service: str, status: int, code: str = "") -> AWSResponse:
    """An answer of the account: an error with `code`, or an empty success."""
    text = f"<Error><Code>{code}</Code><Message>injected</Message></Error>"
    if service in ("sts", "iam"):
        text = f"<ErrorResponse>{text}</ErrorResponse>"
    elif service != "s3":
        text = json.dumps({"__type": code, "message": "injected"} if code else {})
    given = AWSResponse(request.url, status, {"x-amzn-errortype": code} if code else {}, None)
    given._content = text.encode()
    return given


class SeemingApplication:
    """Start and stop of the application as the API tells them, the real one staying READY. As on AWS, a start of what
    runs and a stop of what does not is refused."""

    def __init__(self) -> None:
        self.status = "READY"
        self.history: list[str] = []

    def register(self, session: Any) -> None:
        """With a botocore session."""
        for call in ("StartApplication", "StopApplication"):
            session.register(f"before-send.kinesis-analytics-v2.{call}", self._change)
        session.register("after-call.kinesis-analytics-v2.DescribeApplication", self._describe)

    def _change(self, request: Any, event_name: str, **_more: Any) -> AWSResponse:
        wanted = "STARTING" if event_name.endswith("StartApplication") else "STOPPING"
        if self.status != ("READY" if wanted == "STARTING" else "RUNNING"):
            return answer(request, "kinesis-analytics-v2", 400, "ResourceInUseException")
        self.status = wanted
        self.history.append(wanted)
        return answer(request, "kinesis-analytics-v2", 200)

    def _describe(self, parsed: dict[str, Any], **_more: Any) -> None:
        """The first look sees it on its way, the next one there."""
        if "ApplicationDetail" in parsed:
            parsed["ApplicationDetail"]["ApplicationStatus"] = self.status
            self.status = {"STARTING": "RUNNING", "STOPPING": "READY"}.get(self.status, self.status)


class Shell(InteractiveShell):
    """A shell that keeps what the reader of a failed cell would read last."""

    said: LabError | None = None

    def _showtraceback(self, etype: type, evalue: BaseException, stb: Any) -> None:
        self.said = evalue


def run(shell: Shell, source: str) -> Any:
    """Run a cell; None, or the error its reader sees."""
    shell.said = None
    shell.run_cell(source)
    return shell.said
