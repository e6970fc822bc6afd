"""Lambda's limits and refusals in a real account: nothing runs that AWS would not run; about 15 s in all."""

import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.account import EmbeddedAccount

ROLE = "arn:aws:iam::000000000000:role/LabRole"
COUNTS = """
import os
def handler(event, context):
    with open(os.environ["COUNT"], "a") as out:
        out.write("x")
    return {"given": event}
"""


def zipped(source: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr("main.py", source)
    return packed.getvalue()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file to which the function ``counts`` adds one byte for each run."""
    path = tmp_path_factory.mktemp("ran") / "ran"
    path.touch()
    return path


@pytest.fixture(scope="module")
def functions(account: EmbeddedAccount, ran: Path) -> Iterator[Any]:
    client = account.client("lambda")
    create(client, "counts", Environment={"Variables": {"COUNT": str(ran)}})
    yield client
    client.delete_function(FunctionName="counts")


def create(client: Any, name: str = "refused", code: dict[str, Any] | None = None, **more: Any) -> Any:
    usual = {"Runtime": "python3.12", "Role": ROLE, "Handler": "main.handler"}
    return client.create_function(FunctionName=name, Code=code or {"ZipFile": zipped(COUNTS)}, **{**usual, **more})


def refusal(call: Any, *arguments: Any, **members: Any) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as refused:
        call(*arguments, **members)
    answer = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


@pytest.mark.parametrize("payload", ["{'reviews': 5}", '{"a": 1,}', "{", "not json", "[" * 100_000, b"\xff\xfe"])
def test_a_payload_that_is_no_json_runs_nothing(functions: Any, ran: Path, payload: str | bytes) -> None:
    before = ran.read_text()
    for kind in ("RequestResponse", "Event"):
        answer = refusal(functions.invoke, FunctionName="counts", Payload=payload, InvocationType=kind)
        assert answer[:2] == ("InvalidRequestContentException", 400)
        assert answer[2].startswith("Could not parse request body into json")
    assert ran.read_text() == before


@pytest.mark.parametrize(("payload", "event"), [(b"", {}), (b"5", 5), (b' {"a": [1]} ', {"a": [1]})])
def test_what_is_json_runs(functions: Any, payload: bytes, event: Any) -> None:
    answer = functions.invoke(FunctionName="counts", Payload=payload)
    assert json.load(answer["Payload"]) == {"given": event}


def test_payloads_above_the_limits(functions: Any) -> None:
    six, one = (b'"' + b"x" * (size << 20) + b'"' for size in (6, 1))
    assert refusal(functions.invoke, FunctionName="counts", Payload=six)[:2] == ("RequestTooLargeException", 413)
    assert refusal(functions.invoke, FunctionName="counts", Payload=one, InvocationType="Event")[1] == 413
    assert functions.invoke(FunctionName="counts", Payload=one)["StatusCode"] == 200


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"Timeout": 901}, "less than or equal to 900"),
        ({"MemorySize": 10_241}, "less than or equal to 10240"),
        ({"Environment": {"Variables": {"LONG": "x" * 4096}}}, "4KB limit"),
        ({"Handler": "main handler"}, "'handler' failed to satisfy"),
        ({"Role": "LabRole"}, "'role' failed to satisfy"),
        ({"Runtime": "python2.6"}, "'runtime' failed to satisfy"),
        ({"code": {"ZipFile": b"PK but no more"}}, "Could not unzip uploaded file"),
        ({"code": {"ZipFile": zipped(COUNTS).replace(b"import os", b"import 0s")}}, "Bad CRC-32|checksum"),
    ],
)
def test_settings_that_no_function_has(functions: Any, settings: dict[str, Any], said: str) -> None:
    code, status, message = refusal(create, functions, **settings)
    assert status == 400 and code in ("InvalidParameterValueException", "ValidationException")
    assert any(part in message for part in said.split("|"))
    assert refusal(functions.get_function, FunctionName="refused")[0] == "ResourceNotFoundException"


def test_code_above_the_limits_or_damaged_in_s3(functions: Any, account: EmbeddedAccount) -> None:
    assert refusal(create, functions, code={"ZipFile": os.urandom((50 << 20) + 1)})[1] == 413
    objects = account.client("s3")
    objects.create_bucket(Bucket="damaged-code")
    objects.put_object(Bucket="damaged-code", Key="f.zip", Body=zipped(COUNTS)[:-30])
    code = {"S3Bucket": "damaged-code", "S3Key": "f.zip"}
    assert "Could not unzip uploaded file" in refusal(create, functions, code=code)[2]
    assert "There is no object s3://damaged-code/g.zip" in refusal(create, functions, code=code | {"S3Key": "g.zip"})[2]
