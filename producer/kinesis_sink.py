"""PutRecords, once: a list of ready-made entries goes out, what became of each comes back."""

import json
import threading
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from producer_errors import StreamError
from shard_map import ShardMap, open_shards

THROTTLED = {
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "LimitExceededException",
    "KMSThrottlingException",
}
# Passing by themselves: worth another attempt. Every other code of a whole request ends the invocation.
_PASSING = {*THROTTLED, "InternalFailure", "ServiceUnavailable", "ResourceInUseException", "RequestTimeout"}


_request = threading.local()  # .body: what this thread's next PutRecords is to send


def _put_body(params: dict[str, Any], **_: Any) -> None:
    if (body := getattr(_request, "body", None)) is not None:
        params["body"] = body


def _take_answer(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    if response_dict["status_code"] == 200:
        try:
            records = json.loads(response_dict["body"])["Records"]
        except (ValueError, KeyError):
            return  # botocore says what is wrong with it
        customized_response_dict["Records"] = records
        response_dict["body"] = b"{}"


class RequestFailed(Exception):
    """A whole request failed in a way that may pass; whether its records were written is not known."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class KinesisSink:
    """One stream. ``send`` may be called from several threads at a time.

    boto3 builds a request's JSON from dicts, record by record. Here each record is already the piece of JSON that goes
    over the wire, so the body is a join, put in place through botocore's ``before-call`` event, and the answer is taken
    as it comes (``before-parse``); signing, connections and errors stay botocore's. A quarter of the work per record.
    """

    def __init__(self, kinesis: Any, stream: str) -> None:
        self._kinesis, self._stream = kinesis, stream
        self._head = b'{"StreamName":"%b","Records":[' % stream.encode("ascii")
        # A warm function uses one client for many runs: the id makes this one registration.
        events = kinesis.meta.events
        events.register("before-call.kinesis.PutRecords", _put_body, unique_id="review-producer-body")
        events.register("before-parse.kinesis.PutRecords", _take_answer, unique_id="review-producer-answer")

    def send(self, entries: Sequence[bytes]) -> list[dict[str, Any]]:
        """PutRecords' answer for each entry: ``ShardId``, or ``ErrorCode`` where it was not written.

        Raises RequestFailed when it is worth another attempt, StreamError when it is not.
        """
        _request.body = self._head + b",".join(entries) + b"]}"
        try:
            return self._kinesis.put_records(StreamName=self._stream, Records=[])["Records"]
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _PASSING or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                raise RequestFailed(code) from error
            raise StreamError(self._sentence(error)) from error
        except BotoCoreError as error:
            raise RequestFailed(type(error).__name__) from error
        finally:
            _request.body = None

    def shard_map(self) -> ShardMap:
        """The open shards now. Raises StreamError when the stream is not there or not to be listed."""
        listed: list[dict[str, Any]] = []
        question: dict[str, Any] = {"StreamName": self._stream, "ShardFilter": {"Type": "AT_LATEST"}}
        try:
            while True:
                answer = self._kinesis.list_shards(**question)
                listed += answer["Shards"]
                if not answer.get("NextToken"):
                    return open_shards(listed, self._stream)
                question = {"NextToken": answer["NextToken"]}
        except ClientError as error:
            raise StreamError(self._sentence(error)) from error
        except BotoCoreError as error:
            raise StreamError(
                f"Kinesis did not answer when the shards of '{self._stream}' were listed ({type(error).__name__}): "
                "invoke again."
            ) from error

    def _sentence(self, error: ClientError) -> str:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if code == "ResourceNotFoundException":
            return f"There is no stream '{self._stream}': create it with 01_streams, then invoke again."
        if code == "ResourceInUseException":
            return f"The stream '{self._stream}' is still being created: wait until it is ACTIVE, then invoke again."
        if code == "AccessDeniedException":
            return (
                f"The function's role may not write to the stream '{self._stream}' ({code}): give it "
                "kinesis:ListShards and kinesis:PutRecords (LabRole has them), then invoke again."
            )
        return (
            f"The stream '{self._stream}' refused ({code}: {message.rstrip('.')}): put that right, then invoke again."
        )
