"""Who may do what, as IAM tells it: whom a role trusts, and what a principal's policies allow."""

from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.exceptions import ClientError

from lab.diagnosis import Trouble
from lab.faults import code_of
from lab.policies import listed
from lab.preflight import NotKnown
from lab.session import Session

ROLE = "LabRole"
SERVICES = ("lambda.amazonaws.com", "kinesisanalytics.amazonaws.com")
LEARNER_LAB = "assumed-role/voclabs/"  # how the session of a Learner Lab's student looks
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


def actions_of_role(session: Session) -> list[tuple[str, list[str]]]:
    """What LabRole must be allowed as the function and as the application: (resource ARN, actions)."""
    landing_zone = f"arn:aws:s3:::{session.landing_zone}"
    code = f"arn:aws:s3:::{session.flink_bucket}/SlidingWindows.zip"
    return [
        (f"{landing_zone}/sample.json", ["s3:GetObject"]),
        (f"{landing_zone}/state/reviews/clock.json", ["s3:GetObject", "s3:PutObject"]),
        (code, ["s3:GetObject"]),
        (_stream(session, "reviews"), ["kinesis:ListShards", "kinesis:PutRecords", "kinesis:GetShardIterator",
                                       "kinesis:GetRecords", "kinesis:DescribeStream"]),
        (_stream(session, "suspicious_activity"), ["kinesis:PutRecords"]),
    ]  # fmt: skip


def actions_of_student(session: Session) -> list[tuple[str, list[str]]]:
    """What the caller must be allowed so that the notebooks can make, run and delete everything."""
    place = f"{session.region}:{session.account}"
    application = f"arn:aws:kinesisanalytics:{place}:application/student"
    return [
        (f"arn:aws:s3:::{session.landing_zone}", ["s3:CreateBucket", "s3:PutBucketTagging", "s3:DeleteBucket"]),
        (_stream(session, "reviews"), ["kinesis:CreateStream", "kinesis:AddTagsToStream",
                                       "kinesis:StartStreamEncryption", "kinesis:DeleteStream"]),
        (f"arn:aws:lambda:{place}:function:reviewProducer", ["lambda:CreateFunction", "lambda:InvokeFunction",
                                                             "lambda:DeleteFunction"]),
        (application, ["kinesisanalytics:CreateApplication", "kinesisanalytics:StartApplication",
                       "kinesisanalytics:StopApplication", "kinesisanalytics:DeleteApplication"]),
        (session.role_arn, ["iam:PassRole"]),
    ]  # fmt: skip


def trusted_services(document: Mapping[str, Any], account: str) -> set[str]:
    """The services that may assume a role with this trust policy when they work for `account`.

    The one condition that is understood is that of iam/trust.json, on aws:SourceAccount.
    """
    here = {"StringEquals": {"aws:SourceAccount": account}}
    trusted: set[str] = set()
    for statement in listed(document.get("Statement", [])):
        principal = statement.get("Principal", {})
        unconditional = statement.get("Condition") in (None, {}, here)
        if statement.get("Effect") != "Allow" or not unconditional or not isinstance(principal, Mapping):
            continue
        if "sts:AssumeRole" in listed(statement.get("Action", [])):
            trusted.update(listed(principal.get("Service", [])))
    return trusted


def role_trust(session: Session, caller: str) -> str:
    """Whom LabRole trusts. Raises Trouble where it is missing or trusts too few, NotKnown where it may not be read."""
    iam = boto3.client("iam")
    try:
        document = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    except ClientError as error:
        if code_of(error) in DENIED:
            raise NotKnown(
                f"These credentials may not read {ROLE}; if it is missing, 02_producer says so at CreateFunction."
            ) from error
        if code_of(error) != "NoSuchEntity":
            raise
        how = "start the lab anew in the Learner Lab, it comes with the role" if LEARNER_LAB in caller else (
            f"create a role {ROLE} that {' and '.join(SERVICES)} may assume, with the policies in iam/ (docs/aws.md)"
        )  # fmt: skip
        raise Trouble(f"There is no role {ROLE} in account {session.account}: {how}.") from error
    trusted = trusted_services(document, session.account)
    missing = [service for service in SERVICES if service not in trusted]
    if missing:
        raise Trouble(
            f"{ROLE} does not trust {' and '.join(missing)}: add it to the role's trust policy"
            + (" (in a Learner Lab nobody can: reset the lab)." if LEARNER_LAB in caller else ".")
        )
    scheduler = "scheduler.amazonaws.com" in trusted
    return f"{ROLE} trusts {' and '.join(SERVICES)}, {'and also' if scheduler else 'not'} scheduler.amazonaws.com"


def allowed(principal: str, wanted: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Ask SimulatePrincipalPolicy for actions on resources. Raises Trouble naming what is denied, NotKnown where the
    question is."""
    iam, denied, count = boto3.client("iam"), [], 0
    for resource, actions in wanted:
        try:
            answer = iam.simulate_principal_policy(
                PolicySourceArn=principal, ActionNames=list(actions), ResourceArns=[resource]
            )
        except ClientError as error:
            raise NotKnown(
                f"IAM does not answer what {_short(principal)} may do ({code_of(error) or 'no code'}); a call that is "
                "not allowed says so in its cell."
            ) from error
        for result in answer["EvaluationResults"]:
            count += 1
            if result["EvalDecision"] != "allowed":
                denied.append(f"{result['EvalActionName']} on {resource}")
    if denied:
        raise Trouble(f"{_short(principal)} may not {', '.join(denied)}: add that to its policies.")
    return f"the policies of {_short(principal)} allow all {count} actions that were asked for"


def source_arn(caller: str) -> str:
    """The ARN whose policies are the caller's: a user's own, or that of the role a session belongs to.

    Raises NotKnown where the role may not be read.
    """
    if ":assumed-role/" not in caller:
        return caller
    name = caller.partition(":assumed-role/")[2].partition("/")[0]
    try:
        return boto3.client("iam").get_role(RoleName=name)["Role"]["Arn"]  # with its path, which the session lacks
    except ClientError as error:
        raise NotKnown(
            f"These credentials may not read their own role {name}; a call that is not allowed says so in its cell."
        ) from error


def _stream(session: Session, name: str) -> str:
    return f"arn:aws:kinesis:{session.region}:{session.account}:stream/{name}"


def _short(principal: str) -> str:
    return principal.rpartition("/")[2] or principal
