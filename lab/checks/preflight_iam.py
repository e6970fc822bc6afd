"""Ask IAM who may do what: whom a role trusts, and what a principal's policies allow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import boto3
from botocore.exceptions import ClientError

from lab.checks.probe import NotKnown, Trouble
from lab.core.aws_errors import code_of
from lab.core.names import ROLE
from lab.core.session import Session
from lab.deploy.policies import listed, policy

SERVICES = ("lambda.amazonaws.com", "kinesisanalytics.amazonaws.com")
LEARNER_LAB = "assumed-role/voclabs/"  # how the session of a Learner Lab's student looks
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
OWN_CALLS = "Preflight"  # beginning of the Sid of what iam/student.json allows for the preflight alone
SAID = 4  # resources that are named where something is denied


@dataclass(frozen=True)
class Question:
    """Hold one call of the policy simulator: actions on one resource, with the context keys of conditions."""

    resource: str
    actions: tuple[str, ...]
    context: tuple[tuple[str, str], ...]


def questions(session: Session, *names: str) -> list[Question]:
    """Turn what policies of `iam/` allow into questions about a principal that shall be allowed it.

    The statements whose Sid begins with "Preflight" are left out: the preflight makes those calls itself, and the lab
    works without them. A condition is met with each of its values in turn.
    """
    asked: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = {}
    for name in names:
        for statement in policy(name, session.account, session.region)["Statement"]:
            if statement["Sid"].startswith(OWN_CALLS):
                continue
            conditions = [pair for keys in statement.get("Condition", {}).values() for pair in keys.items()]
            contexts = list(product(*([(key, value) for value in listed(values)] for key, values in conditions)))
            for resource, context in product(listed(statement["Resource"]), contexts):
                whole = (("aws:RequestedRegion", session.region), *context)
                asked.setdefault((concrete(resource), whole), []).extend(listed(statement["Action"]))
    return [Question(resource, tuple(dict.fromkeys(actions)), context)
            for (resource, context), actions in asked.items()]  # fmt: skip


def concrete(arn: str) -> str:
    """Return an ARN of a policy without its wildcards: one of the resources it stands for.

    "*" alone stays, which is what the simulator takes for an action that has no resource.
    """
    if arn == "*":
        return arn
    if ":log-group:" in arn and ":log-stream:" not in arn:
        arn = arn.replace(":*", ":log-stream:*")  # a policy's short form for everything in the group
    return arn.replace("*", "any")


def trusted_services(document: Mapping[str, Any], account: str) -> set[str]:
    """Name the services that may assume a role with this trust policy when they work for `account`.

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
    """Say whom LabRole trusts.

    Raises Trouble where it is missing or trusts too few, NotKnown where it may not be read.
    """
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


def allowed(principal: str, wanted: Sequence[Question]) -> str:
    """Ask SimulatePrincipalPolicy. Raises Trouble naming what is denied, NotKnown where the question is."""
    pages = boto3.client("iam").get_paginator("simulate_principal_policy")
    denied: dict[str, list[str]] = {}
    count = 0
    for question in wanted:
        context = [
            {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for key, value in question.context
        ]
        try:
            # One resource a call: for several, the decision at the top of a result is not that of each.
            answers = pages.paginate(
                PolicySourceArn=principal,
                ActionNames=list(question.actions),
                ResourceArns=[question.resource],
                ContextEntries=context,
            )
            results = [result for answer in answers for result in answer["EvaluationResults"]]
        except ClientError as error:
            raise NotKnown(
                f"IAM does not answer what {_short(principal)} may do ({code_of(error) or 'no code'}); a call that is "
                "not allowed says so in its cell."
            ) from error
        count += len(results)
        for result in results:
            if result["EvalDecision"] != "allowed":
                denied.setdefault(question.resource, []).append(result["EvalActionName"])
    if denied:
        said = [f"{', '.join(dict.fromkeys(actions))} on {resource}" for resource, actions in denied.items()]
        more = f", nor what is needed on {len(said) - SAID} more resources" if len(said) > SAID else ""
        raise Trouble(
            f"{_short(principal)} may not {'; '.join(said[:SAID])}{more}: add that to its policies (docs/aws.md says "
            "how iam/ has them)."
        )
    return f"the policies of {_short(principal)} allow all {count} actions that were asked for"


def source_arn(caller: str) -> str:
    """Find the ARN whose policies are the caller's: a user's own, or that of a session's role.

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


def _short(principal: str) -> str:
    return principal.rpartition("/")[2] or principal
