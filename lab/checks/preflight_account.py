"""The looks of the preflight, in their order. Each returns what it found, or raises Trouble (with what to do next) or
NotKnown."""

from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lab.account.inventory import existing
from lab.checks.preflight import NotKnown
from lab.checks.preflight_iam import LEARNER_LAB, allowed, questions, role_trust, source_arn
from lab.checks.probe import Look, Trouble
from lab.core.aws_errors import code_of, plain_words
from lab.core.session import Session
from lab.core.tags import LAB, LAB_KEY

RUNTIME = "FLINK-1_20"
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


class AccountLooks:
    """All looks at one account; what one of them reads is kept for those after it."""

    def __init__(self, session: Session, shards: int = 0) -> None:
        self.session, self.shards = session, shards

    def in_order(self) -> list[tuple[str, Look]]:
        """What is looked at, and the look."""
        looks = [
            ("who", self.who),
            ("region", self.region),
            ("credentials", self.credentials),
            ("role", lambda: role_trust(self.session, self.caller)),
            ("role's policies", lambda: allowed(self.session.role_arn, questions(self.session, "producer", "flink"))),
            ("dry calls", self.dry_calls),
            ("your policies", self.policies),
            ("streams' quota", self.streams_quota),
            ("other quotas", self.other_quotas),
            ("Flink runtime", self.runtime),
            ("already there", self.already_there),
        ]
        return [(what, self._in_plain_words(what, look)) for what, look in looks]

    def _in_plain_words(self, what: str, look: Look) -> Look:
        def asked() -> str:
            with plain_words(f"looking at {what}", self.session.endpoint):
                return look()

        return asked

    @cached_property
    def caller(self) -> str:
        """The ARN of the credentials."""
        return boto3.client("sts").get_caller_identity()["Arn"]

    def who(self) -> str:
        if self.caller.endswith(":root"):
            return f"{self.caller}: the root user, who may do everything; in an account of your own use another one"
        return self.caller + (", a session of a Learner Lab" if LEARNER_LAB in self.caller else "")

    def region(self) -> str:
        region = self.session.region
        if LEARNER_LAB in self.caller and region not in LEARNER_LAB_REGIONS:
            raise Trouble(f"A Learner Lab works in {' and '.join(LEARNER_LAB_REGIONS)}, not in {region}: set region.")
        if region not in boto3.Session().get_available_regions("kinesisanalyticsv2"):
            raise Trouble(f"botocore knows no Managed Flink in {region}: set region to one such as us-east-1.")
        return f"{region}, which has Managed Flink"

    def credentials(self) -> str:
        return credentials_life(boto3.Session().get_credentials(), datetime.now(UTC))

    def dry_calls(self) -> str:
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

    def policies(self) -> str:
        if self.caller.endswith(":root"):
            return "the root user needs none"
        return allowed(source_arn(self.caller), questions(self.session, "student"))

    def streams_quota(self) -> str:
        kinesis = boto3.client("kinesis")
        limits = kinesis.describe_limits()
        shards, on_demand = limits["OpenShardCount"], limits.get("OnDemandStreamCount", 0)
        said = f"{shards} of {limits['ShardLimit']} shards and {on_demand} of "
        said += f"{limits.get('OnDemandStreamCountLimit', 'an unknown number of')} on-demand streams are in use"
        if any(one.kind == "stream" for one in self.found):
            return said + ", the lab's among them"
        wanted_shards, wanted_streams = EXERCISE_SHARDS + 2 * self.shards, 0 if self.shards else 2
        if shards + wanted_shards > limits["ShardLimit"]:
            raise Trouble(f"{said} and the lab needs {wanted_shards} shards more: delete streams you do not need.")
        if on_demand + wanted_streams > limits.get("OnDemandStreamCountLimit", on_demand + wanted_streams):
            raise Trouble(f"{said} and the lab needs two: delete one, or set shards, which makes provisioned streams.")
        return said

    def other_quotas(self) -> str:
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

    def runtime(self) -> str:
        known = boto3.client("kinesisanalyticsv2").meta.service_model.shape_for("RuntimeEnvironment").enum
        flinks = [name for name in known if name.startswith("FLINK-")]
        if RUNTIME not in flinks:
            raise Trouble(f"This boto3 does not know {RUNTIME} (it knows {', '.join(flinks)}): install the lab's own.")
        return (
            f"{RUNTIME} is in the API; no call says whether this account offers it, so CreateApplication of 03 finds "
            "out, which costs nothing as long as the application is not started"
        )

    @cached_property
    def found(self) -> list[Any]:
        """What bears the lab's names."""
        return existing(self.session)

    def already_there(self) -> str:
        foreign = [f"{one.kind} {one.name}" for one in self.found if not one.ours]
        if foreign:
            raise Trouble(
                f"{', '.join(foreign)} bear names of the lab but not its tag {LAB_KEY}={LAB}: delete them if they are "
                "left from something else, or tag them so if the lab may use and delete them."
            )
        if not self.found:
            return "nothing of the lab"
        runs = sorted({one.tags.get("run_id", "") for one in self.found})
        return f"{len(self.found)} resources of the lab (run {', '.join(runs)}); 05_cleanup removes them"


def credentials_life(credentials: Any, now: datetime) -> str:
    """How long botocore's credentials last, as far as it knows. Raises Trouble where they end within the hour and
    nobody renews them, NotKnown where it cannot be known."""
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
