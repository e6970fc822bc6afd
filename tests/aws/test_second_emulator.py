"""The notebooks' own cells against moto server, a second emulator that shares no code with the embedded account.

Nothing may lean on one emulator's leniency. A cell runs here as it stands in its notebook; those that cannot are named
below with the reason, and a new cell that calls AWS runs unless it is named.
"""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.core.exceptions import JsonRESTError
from moto.iam.access_control import PermissionResult
from moto.kinesisanalyticsv2.models import KinesisAnalyticsV2Backend
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.s3.models import FakeBucket

import lab
from lab.checks.preflight_iam import role_trust, source_arn
from lab.checks.probe import NotKnown
from lab.core.session import Session
from lab.deploy.policies import policy
from tests.aws.cells import code_cells, open_notebook, run_cell
from tests.support.account import free_port

NUMBER, REGION = "123456789012", "us-west-2"  # moto's account
PARAMETERS = {"target": "aws", "region": REGION, "shards": 2, "run_id": "contract", "demo_seconds": 0}

INVOKES = "moto runs functions in Docker only"
NEEDS_ANSWER = "shows what an invocation answered"
NO_UPDATE = "moto has no UpdateApplication"
NO_START = "moto has no StartApplication"
NO_DASHBOARD = "moto has no CreateApplicationPresignedUrl"
NO_OPERATIONS = "moto has no ListApplicationOperations"
NEEDS_OUTPUT = "reads what a running application wrote"

# First words of the cell -> why it is left out.
LEFT_OUT = {
    "01_streams": {'lab.check("01"': "moto drops the tags of CreateStream"},
    "02_producer": {
        "event = {": INVOKES,
        "summary = answers": NEEDS_ANSWER,
        "lab.records_per_shard(": NEEDS_ANSWER,
        "record = viewer.records(": NEEDS_ANSWER,
        "lab.log_lines(": INVOKES,
        "print(lab.written_in_words(": NEEDS_ANSWER,
        'lab.check("02"': INVOKES,
    },
    "03_flink_job": {
        "application = lab.bring_up_to_date": NO_UPDATE,
        "if lab.may_configure": NO_UPDATE,
        "application = flink.describe": NO_START,
        "url = flink.create_application_presigned_url": NO_DASHBOARD,
        "lab.jobs_table(": NO_DASHBOARD,
        "event = {": INVOKES,
        "raw = lab.read_stream": NO_START,
        "position = lab.load_position": NO_START,
        "said = lab.count_from_here": NO_START,
        "print(lab.stop_after(": NO_START,
        "lab.cost_so_far(": NO_OPERATIONS,
        "shard = lab.first_shard_with_records": NEEDS_OUTPUT,
        "settings = dict(": NEEDS_OUTPUT,
    },
    "05_cleanup": {
        "lab.cost_so_far(": NO_OPERATIONS,
        'flink = boto3.client("kinesisanalyticsv2")': "moto has no DeleteApplication",
        "lab.lab_resources(session, until_gone": "the application stays: moto has no DeleteApplication",
    },
}


_describe = KinesisAnalyticsV2Backend.describe_application


def _described(self: KinesisAnalyticsV2Backend, application_name: str) -> Any:
    """Moto's own, but an application that is not there is not found, as on AWS, where moto ends with a KeyError."""
    if application_name not in self.applications:
        raise JsonRESTError("ResourceNotFoundException", f"Application {application_name} not found")
    return _describe(self, application_name)


@pytest.fixture(scope="module")
def moto() -> Iterator[None]:
    """A moto server on loopback, found by the SDKs' standard variables alone, with a LabRole."""
    port = free_port()
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "none")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setenv("AWS_REGION", REGION)
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        # Moto takes the Deny of the TLS-only policy without its condition.
        patch.setattr(FakeBucket, "get_permission", lambda *_: PermissionResult.NEUTRAL)
        # The preflight simulates policies, at which moto breaks; tests/lab/test_preflight.py has it.
        patch.setattr(lab, "check_account", lambda _session, _shards: None)
        patch.setattr(KinesisAnalyticsV2Backend, "describe_application", _described)
        trust = json.dumps(policy("trust", NUMBER, REGION))
        boto3.client("iam").create_role(RoleName="LabRole", AssumeRolePolicyDocument=trust)
        yield
    boto3.DEFAULT_SESSION = None
    server.stop()


@pytest.mark.slow  # about 10 s for all: they build on each other, as the notebooks do
@pytest.mark.parametrize("notebook", ["01_streams", "02_producer", "03_flink_job", "05_cleanup"])
def test_the_cells_run_in_moto_too(moto: None, notebook: str) -> None:
    left_out = LEFT_OUT.get(notebook, {})
    cells = code_cells(notebook)
    for beginning in left_out:
        assert any(source.startswith(beginning) for source in cells.values()), f"no cell begins with {beginning!r}"
    names = open_notebook(notebook, PARAMETERS)
    for cell, source in list(cells.items())[1:]:
        if not source.startswith(tuple(left_out)):
            run_cell(source, f"{cell} of {notebook}", names)
    # What moto dropped: 05 deletes nothing that lacks the tag.
    session = names["session"]
    streams = {"01_streams": ("reviews", "suspicious_activity", "exercises"), "03_flink_job": ("suspicious_groups",)}
    buckets = {"01_streams": (session.landing_zone,), "03_flink_job": (session.flink_bucket,)}
    for stream in streams.get(notebook, ()):
        boto3.client("kinesis").add_tags_to_stream(StreamName=stream, Tags=session.tags)
    for bucket in buckets.get(notebook, ()):
        tags = [{"Key": key, "Value": value} for key, value in session.tags.items()]
        boto3.client("s3").put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})


def test_whom_the_role_trusts_is_read_in_moto_too(moto: None) -> None:
    """The preflight's own IAM calls, but the simulation of policies, at which moto breaks."""
    session, ann = Session("aws", REGION, NUMBER, None), f"arn:aws:iam::{NUMBER}:user/ann"
    said = "LabRole trusts lambda.amazonaws.com and kinesisanalytics.amazonaws.com, not scheduler.amazonaws.com"
    assert role_trust(session, ann) == said
    assert source_arn(f"arn:aws:sts::{NUMBER}:assumed-role/LabRole/ann") == session.role_arn
    with pytest.raises(NotKnown, match="may not read their own role nobody"):
        source_arn(f"arn:aws:sts::{NUMBER}:assumed-role/nobody/ann")


@pytest.mark.slow  # with the ones before it
def test_what_the_cells_made_is_what_they_said(moto: None) -> None:
    """05 ran last: what it could not delete in moto is there with the lab's settings, and nothing else is."""
    detail = boto3.client("kinesisanalyticsv2").describe_application(ApplicationName="student")["ApplicationDetail"]
    assert detail["RuntimeEnvironment"] == "FLINK-1_20"
    assert detail["ServiceExecutionRole"] == f"arn:aws:iam::{NUMBER}:role/LabRole"
    code = detail["ApplicationConfigurationDescription"]["ApplicationCodeConfigurationDescription"]
    location = code["CodeContentDescription"]["S3ApplicationCodeLocationDescription"]
    assert location == {"BucketARN": f"arn:aws:s3:::{NUMBER}-flink", "FileKey": "SlidingWindows.zip"}
    assert boto3.client("kinesis").list_streams()["StreamNames"] == []
    assert boto3.client("s3").list_buckets()["Buckets"] == []
    assert boto3.client("lambda").list_functions()["Functions"] == []
    assert boto3.client("logs").describe_log_groups()["logGroups"] == []
