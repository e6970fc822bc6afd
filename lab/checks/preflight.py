"""Probe an account before anything is made in it: can the lab work there? Reads only.

A row is OK, WRONG with what to do next, or "not known" where the account does not let itself be asked.
"""

from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lab.account.inventory import Resource, existing
from lab.checks.preflight_iam import LEARNER_LAB, allowed, questions, role_trust, source_arn
from lab.checks.probe import PASSED, Finding, NotKnown, Probe, Report, Trouble, probe, take_all
from lab.core.account import Account
from lab.core.aws_errors import code_of
from lab.core.errors import LabError
from lab.core.names import RUNTIME
from lab.core.session import Session
from lab.core.tags import LAB, LAB_KEY

LEARNER_LAB_REGIONS = ("us-east-1", "us-west-2")
NEEDED = timedelta(hours=1)  # of credentials, to work through 03 and 04 and to clean up
EXERCISE_SHARDS = 5  # the streams exercises and suspicious_groups
# One reading call of each service, which changes nothing and costs nothing.
DRY_CALLS: tuple[tuple[str, str, dict[str, int]], ...] = (
    ("s3", "list_buckets", {}),
    ("kinesis", "list_streams", {"Limit": 1}),
    ("lambda", "list_functions", {"MaxItems": 1}),
    ("logs", "describe_log_groups", {"limit": 1}),
    ("kinesisanalyticsv2", "list_applications", {"Limit": 1}),
)


class UncheckedAccount(Account):
    """Ask an account the lab has perhaps not worked in yet; ``shards`` is what 01_streams will ask for."""

    def __init__(self, session: Session, shards: int = 0) -> None:
        super().__init__(session)
        self.shards = shards

    @cached_property
    def caller(self) -> str:
        """Return the ARN of the credentials."""
        return boto3.client("sts").get_caller_identity()["Arn"]

    @cached_property
    def found(self) -> list[Resource]:
        """List the resources that bear the lab's names."""
        return existing(self.session)


@probe("who")
def who(account: UncheckedAccount) -> str:
    if account.caller.endswith(":root"):
        return f"{account.caller}: the root user, who may do everything; in an account of your own use another one"
    return account.caller + (", a session of a Learner Lab" if LEARNER_LAB in account.caller else "")


@probe("region")
def region(account: UncheckedAccount) -> str:
    region = account.session.region
    if LEARNER_LAB in account.caller and region not in LEARNER_LAB_REGIONS:
        raise Trouble(f"A Learner Lab works in {' and '.join(LEARNER_LAB_REGIONS)}, not in {region}: set region.")
    if region not in boto3.Session().get_available_regions("kinesisanalyticsv2"):
        raise Trouble(f"botocore knows no Managed Flink in {region}: set region to one such as us-east-1.")
    return f"{region}, which has Managed Flink"


@probe("credentials")
def credentials(account: UncheckedAccount) -> str:
    return credentials_life(boto3.Session().get_credentials(), datetime.now(UTC))


@probe("role")
def role(account: UncheckedAccount) -> str:
    return role_trust(account.session, account.caller)


@probe("role's policies")
def role_policies(account: UncheckedAccount) -> str:
    return allowed(account.session.role_arn, questions(account.session, "producer", "flink"))


@probe("dry calls")
def dry_calls(account: UncheckedAccount) -> str:
    refused = []
    for service, call, arguments in DRY_CALLS:
        try:
            getattr(boto3.client(service), call)(**arguments)
        except ClientError as error:
            refused.append(f"{service} {call} ({code_of(error)})")
    if refused:
        raise Trouble(
            f"The account refuses {', '.join(refused)}: renew the credentials if they are old, else ask for these "
            "permissions."
        )
    return f"one reading call each of {', '.join(service for service, _, _ in DRY_CALLS)} went through"


@probe("your policies")
def policies(account: UncheckedAccount) -> str:
    if account.caller.endswith(":root"):
        return "the root user needs none"
    return allowed(source_arn(account.caller), questions(account.session, "student"))


@probe("streams' quota")
def streams_quota(account: UncheckedAccount) -> str:
    kinesis = boto3.client("kinesis")
    limits = kinesis.describe_limits()
    shards, on_demand = limits["OpenShardCount"], limits.get("OnDemandStreamCount", 0)
    said = f"{shards} of {limits['ShardLimit']} shards and {on_demand} of "
    said += f"{limits.get('OnDemandStreamCountLimit', 'an unknown number of')} on-demand streams are in use"
    if any(one.kind == "stream" for one in account.found):
        return said + ", the lab's among them"
    wanted_shards, wanted_streams = EXERCISE_SHARDS + 2 * account.shards, 0 if account.shards else 2
    if shards + wanted_shards > limits["ShardLimit"]:
        raise Trouble(f"{said} and the lab needs {wanted_shards} shards more: delete streams you do not need.")
    if on_demand + wanted_streams > limits.get("OnDemandStreamCountLimit", on_demand + wanted_streams):
        raise Trouble(f"{said} and the lab needs two: delete one, or set shards, which makes provisioned streams.")
    return said


@probe("other quotas")
def other_quotas(account: UncheckedAccount) -> str:
    try:
        answer = boto3.client("service-quotas").list_service_quotas(ServiceCode="kinesisanalytics")
    except (ClientError, BotoCoreError) as error:
        why = (code_of(error) or "no code") if isinstance(error, ClientError) else type(error).__name__
        raise NotKnown(
            f"Service Quotas does not answer here ({why}); the lab needs one application of 2 KPUs, and 03 says so "
            "if that is too much."
        ) from error
    quotas = [f"{one['QuotaName']} {one['Value']:g}" for one in answer["Quotas"]]
    return f"Managed Flink: {', '.join(quotas) or 'no quota is listed'}; the lab needs one application of 2 KPUs"


@probe("Flink runtime")
def runtime(account: UncheckedAccount) -> str:
    known = boto3.client("kinesisanalyticsv2").meta.service_model.shape_for("RuntimeEnvironment").enum
    flinks = [name for name in known if name.startswith("FLINK-")]
    if RUNTIME not in flinks:
        raise Trouble(f"This boto3 does not know {RUNTIME} (it knows {', '.join(flinks)}): install the lab's own.")
    return (
        f"{RUNTIME} is in the API; no call says whether this account offers it, so CreateApplication of 03 finds "
        "out, which costs nothing as long as the application is not started"
    )


@probe("already there")
def already_there(account: UncheckedAccount) -> str:
    foreign = [f"{one.kind} {one.name}" for one in account.found if not one.ours]
    if foreign:
        raise Trouble(
            f"{', '.join(foreign)} bear names of the lab but not its tag {LAB_KEY}={LAB}: delete them if they are "
            "left from something else, or tag them so if the lab may use and delete them."
        )
    if not account.found:
        return "nothing of the lab"
    runs = sorted({one.tags.get("run_id", "") for one in account.found})
    return f"{len(account.found)} resources of the lab (run {', '.join(runs)}); 05_cleanup removes them"


def credentials_life(credentials: Any, now: datetime) -> str:
    """Return how long botocore's credentials last, as far as it knows.

    Raises Trouble where they end within the hour and nobody renews them, NotKnown where it cannot be known.
    """
    if credentials is None:
        raise Trouble("botocore finds no credentials: set them up as for the AWS CLI (in a Learner Lab: AWS Details).")
    # The moment is private to botocore; refreshable credentials of every kind have it.
    end = getattr(credentials, "_expiry_time", None)
    if end is None:
        if credentials.token is None:
            return f"keys that do not expire, from {credentials.method}"
        raise NotKnown(
            "They are temporary and do not say until when; those of a Learner Lab end with its session, four hours "
            "after *Start Lab*: look at its clock before you go on."
        )
    left = end - now
    said = f"until {end.astimezone(UTC):%H:%M} UTC, {max(int(left.total_seconds() // 60), 0)} minutes"
    if credentials.method != "env":
        return f"{said}, and botocore renews them ({credentials.method})"
    if left < NEEDED:
        raise Trouble(f"The credentials of the environment last {said}: renew them first, 03 and 04 take an hour.")
    return said


PROBES: tuple[Probe, ...] = (
    who,
    region,
    credentials,
    role,
    role_policies,
    dry_calls,
    policies,
    streams_quota,
    other_quotas,
    runtime,
    already_there,
)


class PreflightFailed(LabError):
    """Say what is WRONG, at least one row; ``wrong`` holds the sentences."""

    def __init__(self, wrong: list[str]) -> None:
        self.wrong = wrong
        super().__init__(" / ".join(wrong))


class Preflight(Report):
    """Show what the preflight found; the lab can start where nothing is WRONG."""

    @property
    def wrong(self) -> list[str]:
        """List the sentences of what is WRONG."""
        return [found.message for found in self.failed]

    @property
    def sentence(self) -> str:
        """Say the outcome in one sentence."""
        if self.wrong:
            return f"{len(self.wrong)} of {len(self.taken)} are to be put right before the lab can start."
        return "The lab can start."

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        if len(self.taken) == 1:
            return {"text/plain": self.taken[0][1].message}
        return super()._repr_mimebundle_(include, exclude)


def check_account(session: Session, shards: int = 0) -> Preflight:
    """Look at the account a notebook works in; the first cell of 01 shows it.

    The embedded account is always ready, which is said in one line. Raises PreflightFailed, after showing all rows,
    where one is WRONG.
    """
    if session.target == "local":
        return Preflight(((who, Finding(PASSED, f"{session!r}: always ready, nothing has to be looked at")),))
    found = look_at(UncheckedAccount(session, shards))
    if found.wrong:
        from IPython.display import display

        display(found)
        raise PreflightFailed(found.wrong)
    return found


def look_at(account: UncheckedAccount) -> Preflight:
    """Take all the preflight's probes of an account; nothing is raised."""
    return Preflight(take_all(PROBES, account))
