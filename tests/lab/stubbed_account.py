"""For tests of the preflight: callers and roles as AWS answers them, and whether a refusal is one sentence."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from lab.core.session import Session

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SESSION = Session("aws", "us-east-1", "123456789012", None)
STUDENT = "arn:aws:sts::123456789012:assumed-role/voclabs/user42=Ann"
ANN = "arn:aws:iam::123456789012:user/ann"
LAMBDA, FLINK = "lambda.amazonaws.com", "kinesisanalytics.amazonaws.com"


@contextmanager
def says(kind: type[Exception], *parts: str) -> Iterator[None]:
    with pytest.raises(kind) as raised:
        yield
    said = str(raised.value)
    for part in parts:
        assert part in said, said
    assert said.endswith(".") and "\n" not in said


def role(document: dict[str, Any], arn: str = "arn:aws:iam::123456789012:role/LabRole") -> dict[str, Any]:
    return {
        "Role": {
            "Path": "/", "RoleName": "LabRole", "RoleId": "A" * 16, "Arn": arn, "CreateDate": NOW,
            "AssumeRolePolicyDocument": json.dumps(document),
        }
    }  # fmt: skip


def trust(*services: str, **more: Any) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": list(services)}, **more}
        ],
    }
