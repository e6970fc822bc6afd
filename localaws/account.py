"""Make clients of the embedded account, its IAM role, and the environment that leads other code to it."""

import json
import logging
import os
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from localaws.errors import LocalAwsError

ACCOUNT = "000000000000"
REGION = "us-east-1"

log = logging.getLogger("localaws.account")

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com", "kinesisanalytics.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}
# The role may use every service that a function or an application here calls.
_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:*", "kinesis:*", "lambda:*", "logs:*"], "Resource": "*"}],
}


def client(
    service: str, endpoint: str, account: str = ACCOUNT, region: str = REGION, retries: int = 2, read_timeout: int = 30
) -> Any:
    """Return a boto3 client of the embedded account, whatever the environment says.

    Its User-Agent says whose call it is.
    """
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=account,
        aws_secret_access_key="local",  # noqa: S106
        config=Config(
            user_agent_extra="localaws",
            retries={"max_attempts": retries},
            connect_timeout=5,
            read_timeout=read_timeout,
            proxies={},
        ),
    )


def client_environment(endpoint: str, account: str = ACCOUNT, region: str = REGION) -> dict[str, str]:
    """Return the SDKs' standard variables that turn unmodified code to the embedded account.

    The account id as access key puts its calls into that account.
    """
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }


def create_role(endpoint: str, name: str) -> None:
    """Create an IAM role for functions and applications; one that exists is left as it is. Raises LocalAwsError."""
    iam = client("iam", endpoint)
    try:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST))
        iam.put_role_policy(RoleName=name, PolicyName="Services", PolicyDocument=json.dumps(_POLICY))
    except iam.exceptions.EntityAlreadyExistsException:
        return
    except (ClientError, BotoCoreError) as error:
        raise LocalAwsError(f"The role {name!r} could not be created ({error}): choose another --role.") from error


class CloudWatchSink:
    """Put log events into the CloudWatch Logs of one account and region."""

    def __init__(self, endpoint: str, account: str, region: str) -> None:
        self._logs = client("logs", endpoint, account, region)

    def put(self, group: str, stream: str, events: list[tuple[int, str]]) -> None:
        """Put events; a missing group or stream is said in the account's log, as AWS drops such events too."""
        try:
            self._logs.put_log_events(
                logGroupName=group,
                logStreamName=stream,
                logEvents=[{"timestamp": moment, "message": message} for moment, message in events],
            )
        except (ClientError, BotoCoreError) as error:
            log.warning("%d log events for %s/%s were not kept: %s", len(events), group, stream, error)


def own_environment() -> None:
    """Make this process, and the Lambda functions it starts, clients of the embedded account and of nothing else."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            del os.environ[name]
