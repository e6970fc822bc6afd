"""Assert the security defaults of what the lab makes: a sentence with the mend for each fault.

An empty list is as it should be.

Log groups have no line on encryption: CloudWatch Logs encrypts every one of them, and offers no way not to.
"""

import json
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from lab.account.inventory import Resource, application, bucket, function, log_group, stream
from lab.core.aws_errors import code_of
from lab.core.tags import LAB_KEY
from lab.deploy.policies import listed

_NOT_SET = {
    "NoSuchPublicAccessBlockConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
    "NoSuchBucketPolicy",
    "ResourceNotFoundException",  # a function without a policy
}
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_EVERYBODY = ("*", {"AWS": "*"}, {"AWS": ["*"]})
RETENTION_DAYS = 30  # a lab's log is of no use to anybody after that


def bucket_faults(name: str) -> list[str]:
    """List a bucket's faults: it must be tagged, closed, encrypted, for TLS alone, open to nobody."""
    s3 = boto3.client("s3")
    block = _setting(lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"], {})
    rules = _setting(lambda: s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"], [])
    policy = json.loads(_setting(lambda: s3.get_bucket_policy(Bucket=name)["Policy"], "{}"))
    faults = tag_faults(bucket(name))
    open_ways = [way for way in _BLOCKS if not block.get(way)]
    if open_ways:
        faults.append(
            f"the bucket {name} does not block public access ({', '.join(open_ways)}): put_public_access_block"
        )
    if not any(rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm") for rule in rules):
        faults.append(f"the bucket {name} does not encrypt what it stores: put_bucket_encryption")
    if not denies_plain_http(policy, name):
        faults.append(f"the bucket {name} answers without TLS: put_bucket_policy with the Deny of 01_streams")
    return faults + wildcard_faults(f"the policy of the bucket {name}", policy)


def stream_faults(name: str) -> list[str]:
    """List a stream's faults: it must be tagged and encrypted."""
    found = stream(name)
    faults = tag_faults(found)
    if found.detail.get("EncryptionType") != "KMS":
        faults.append(f"the stream {name} is not encrypted: start_stream_encryption with alias/aws/kinesis")
    return faults


def log_group_faults(name: str) -> list[str]:
    """List a log group's faults: it must exist, be tagged and delete its lines."""
    found = log_group(name)
    if found is None:
        return [f"the log group {name} is not there: create_log_group"]
    faults, days = tag_faults(found), found.detail.get("retentionInDays")
    if days is None or days > RETENTION_DAYS:
        kept = "without end" if days is None else f"for {days} days"
        faults.append(f"the log group {name} is kept {kept}: put_retention_policy with at most {RETENTION_DAYS} days")
    return faults


def function_faults(name: str) -> list[str]:
    """List the function's faults: it must be tagged and invoked by nobody else."""
    lambda_ = boto3.client("lambda")
    policy = json.loads(_setting(lambda: lambda_.get_policy(FunctionName=name)["Policy"], "{}"))
    return tag_faults(function()) + wildcard_faults(f"the policy of the function {name}", policy)


def application_faults() -> list[str]:
    """List the application's faults: it must be tagged."""
    return tag_faults(application())


def tag_faults(found: Resource) -> list[str]:
    """Say that a resource lacks the lab's tag, so that nobody would delete it."""
    if found.ours:
        return []
    return [f"the {found.kind} {found.name} does not carry the tag {LAB_KEY}: delete it, or tag it if the lab may"]


def denies_plain_http(policy: Mapping[str, Any], name: str) -> bool:
    """Say whether a bucket policy denies everybody every action without TLS, on bucket and objects."""
    arn = f"arn:aws:s3:::{name}"
    for statement in listed(policy.get("Statement", [])):
        condition = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
        if (
            statement.get("Effect") == "Deny"
            and statement.get("Principal") in _EVERYBODY
            and "s3:*" in listed(statement.get("Action", []))
            and {arn, f"{arn}/*"} <= set(listed(statement.get("Resource", [])))
            and str(condition).lower() == "false"
            and len(statement.get("Condition", {})) == 1
        ):
            return True
    return False


def wildcard_faults(what: str, policy: Mapping[str, Any]) -> list[str]:
    """List what a policy allows to everybody, or as "everything"; a Deny may say so."""
    faults = []
    for statement in listed(policy.get("Statement", [])):
        if statement.get("Effect") != "Allow":
            continue
        if statement.get("Principal") in _EVERYBODY or "NotPrincipal" in statement:
            faults.append(f"{what} allows something to everybody: remove that statement")
        if "NotAction" in statement or any("*" in action for action in listed(statement.get("Action", []))):
            faults.append(f"{what} allows actions by a wildcard: name them")
    return faults


def _setting(ask: Any, otherwise: Any) -> Any:
    try:
        return ask()
    except ClientError as error:
        if code_of(error) not in _NOT_SET:
            raise
        return otherwise
