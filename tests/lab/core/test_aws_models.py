"""Sessions share what botocore read, and nothing else: not the region, not the credentials, not a settings file."""

from pathlib import Path
from typing import Any

import boto3
import pytest

from lab.core import aws_models

WHERE = {"s3": "s3", "kinesis": "kinesis", "lambda": "lambda", "kinesisanalyticsv2": "kinesisanalytics"}


def region_of(service: str) -> str:
    return boto3.Session(botocore_session=aws_models.new_session()).client(service).meta.region_name


def test_what_was_read_before_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    aws_models.read_all()
    opened: list[str] = []
    files = aws_models.loader().file_loader
    load_file = files.load_file

    def watched(path: str) -> Any:
        if (found := load_file(path)) is not None:
            opened.append(path)
        return found

    monkeypatch.setattr(files, "load_file", watched)
    for service in aws_models.SERVICES:
        assert region_of(service) == "us-west-2"
    assert opened == []
    boto3.Session(botocore_session=aws_models.new_session()).client("sqs")
    assert opened != []  # what was not read before is, so the watch works


def test_settings_and_credentials_are_those_of_now(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    aws_models.read_all()
    session = aws_models.new_session()
    profile = ("[profile far]", "region = eu-north-1", "aws_access_key_id = A", "aws_secret_access_key = B")
    (tmp_path / "config").write_text("\n".join(profile))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "far")
    far = boto3.Session(botocore_session=session)
    assert far.get_credentials().access_key == "A"
    for service, name in WHERE.items():
        host = f"https://{name}.eu-north-1.amazonaws.com"
        assert far.client(service).meta.endpoint_url == host
    monkeypatch.delenv("AWS_PROFILE")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-1")
    assert region_of("kinesis") == "us-west-1"
