"""Which IAM actions a call needs, on which resource, and whether a policy allows them.

Names after the Service Authorization Reference: most actions are called as their operation is; the others are here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import yaml

from lab.deploy.policies import FOLDER, listed
from tests.aws.calls import Call

# policy -> action -> the call that needs it, or {"unseen": why it is needed all the same}
REASONS: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "reasons.yaml").read_text())

NOBODY_ASKS = {("sts", "GetCallerIdentity")}  # works with any credentials, whatever the policies say
_PREFIXES = {"kinesisanalyticsv2": "kinesisanalytics", "resourcegroupstaggingapi": "tag"}
_ACTIONS = {
    ("lambda", "Invoke"): ("lambda:InvokeFunction",),
    ("s3", "CompleteMultipartUpload"): ("s3:PutObject",),
    ("s3", "CopyObject"): ("s3:GetObject", "s3:PutObject"),
    ("s3", "CreateMultipartUpload"): ("s3:PutObject",),
    ("s3", "DeleteObjects"): ("s3:DeleteObject", "s3:DeleteObjectVersion"),  # the lab deletes versions
    ("s3", "GetBucketEncryption"): ("s3:GetEncryptionConfiguration",),
    ("s3", "GetBucketLifecycleConfiguration"): ("s3:GetLifecycleConfiguration",),
    ("s3", "GetPublicAccessBlock"): ("s3:GetBucketPublicAccessBlock",),
    ("s3", "HeadBucket"): ("s3:ListBucket",),
    ("s3", "HeadObject"): ("s3:GetObject",),
    ("s3", "ListBuckets"): ("s3:ListAllMyBuckets",),
    ("s3", "ListMultipartUploads"): ("s3:ListBucketMultipartUploads",),
    ("s3", "ListObjectVersions"): ("s3:ListBucketVersions",),
    ("s3", "ListObjects"): ("s3:ListBucket",),
    ("s3", "ListObjectsV2"): ("s3:ListBucket",),
    ("s3", "PutBucketEncryption"): ("s3:PutEncryptionConfiguration",),
    ("s3", "PutBucketLifecycleConfiguration"): ("s3:PutLifecycleConfiguration",),
    ("s3", "PutPublicAccessBlock"): ("s3:PutBucketPublicAccessBlock",),
    ("s3", "UploadPart"): ("s3:PutObject",),
}
_ROLES_TO = {
    ("lambda", "CreateFunction"): ("Role", "lambda.amazonaws.com"),
    ("lambda", "UpdateFunctionConfiguration"): ("Role", "lambda.amazonaws.com"),
    ("kinesisanalyticsv2", "CreateApplication"): ("ServiceExecutionRole", "kinesisanalytics.amazonaws.com"),
}


@dataclass(frozen=True)
class Need:
    """An action on a resource (None: the request does not say which, so any will do), in a context of conditions."""

    action: str
    resource: str | None
    context: dict[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.action} on {self.resource or 'any resource'}"


def needs(call: Call) -> Iterator[Need]:
    """What the caller must be allowed for this call."""
    kind = (call.service, call.operation)
    if kind in NOBODY_ASKS:
        return
    prefix = _PREFIXES.get(call.service, call.service)
    for action in _ACTIONS.get(kind, (f"{prefix}:{call.operation}",)):
        yield Need(action, resource_of(call))
    if kind in _ROLES_TO:
        member, principal = _ROLES_TO[kind]
        if role := call.parameters.get(member):
            yield Need("iam:PassRole", role, {"iam:PassedToService": principal})


def resource_of(call: Call) -> str | None:
    """The ARN the call is about; "*" for one that names no resource of its own, None where the request hides it."""
    given, where = call.parameters, f"{call.region}:{call.account}"
    for member in ("StreamARN", "ResourceARN", "ResourceArn", "resourceArn", "PolicySourceArn", "Resource"):
        if str(given.get(member, "")).startswith("arn:"):
            return given[member]
    match call.service:
        case "s3" if "Bucket" in given:
            return f"arn:aws:s3:::{given['Bucket']}" + (f"/{given['Key']}" if "Key" in given else _objects(call))
        case "kinesis" if "StreamName" in given:
            return f"arn:aws:kinesis:{where}:stream/{given['StreamName']}"
        case "kinesis" if "ShardIterator" in given or "NextToken" in given:
            return None  # the token stands for the stream
        case "lambda" if "FunctionName" in given:
            return f"arn:aws:lambda:{where}:function:{given['FunctionName']}"
        case "kinesisanalyticsv2" if "ApplicationName" in given and call.operation != "CreateApplication":
            return f"arn:aws:kinesisanalytics:{where}:application/{given['ApplicationName']}"
        case "logs" if "logGroupName" in given:
            stream = f"log-stream:{given['logStreamName']}" if "logStreamName" in given else "*"
            return f"arn:aws:logs:{where}:log-group:{given['logGroupName']}:{stream}"
        case "iam" if "RoleName" in given:
            return f"arn:aws:iam::{call.account}:role/{given['RoleName']}"
    return "*"


def _objects(call: Call) -> str:
    return "/*" if call.operation == "DeleteObjects" else ""


def allowed(policy: dict[str, Any], need: Need) -> bool:
    """Whether a statement allows it. Wildcards in resources only; of conditions StringEquals, others raise."""
    return any(
        need.action in listed(statement["Action"])
        and (need.resource is None or any(fnmatchcase(need.resource, one) for one in listed(statement["Resource"])))
        and _holds(statement.get("Condition", {}), need.context)
        for statement in policy["Statement"]
        if statement["Effect"] == "Allow"
    )


def _holds(conditions: dict[str, dict[str, Any]], context: dict[str, str]) -> bool:
    for operator, keys in conditions.items():
        if operator != "StringEquals":
            raise NotImplementedError(f"the condition operator {operator} is not evaluated here: teach it to _holds")
        if any(context.get(key) not in listed(values) for key, values in keys.items()):
            return False
    return True


def actions_of(policy: dict[str, Any]) -> list[str]:
    """Every action of the policy, in order, once for each statement that has it."""
    return [action for statement in policy["Statement"] for action in listed(statement["Action"])]
