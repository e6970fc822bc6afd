"""Everything the notebooks make but a running application, made as they make it, for tests of what looks at it and of
what takes it down."""

import io
import os
import zipfile
from typing import Any

from lab.account.inventory import existing
from lab.account.teardown import take_down
from lab.core.session import Session, connect
from lab.deploy.buckets import close_bucket
from tests.support.account import ACCOUNT, EmbeddedAccount

GROUPS = ("/aws/lambda/reviewProducer", "/aws/kinesis-analytics/student")


def environment(account: EmbeddedAccount, region: str = "us-east-1") -> dict[str, str]:
    """The standard variables of the SDKs that make target aws reach the embedded account."""
    return {
        "AWS_ENDPOINT_URL": account.endpoint,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": region,
    }


class Furnished:
    """The lab's resources in one account; `tagged` False leaves the lab's tags away."""

    def __init__(self, account: EmbeddedAccount, run_id: str = "run-1", tagged: bool = True) -> None:
        os.environ.update(environment(account))  # the fixtures put it back
        self.session: Session = connect("aws", run_id=run_id)
        self.account = account
        self.tags = self.session.tags if tagged else {}
        self.s3, self.kinesis, self.logs, self.lambda_, self.flink = (
            account.client(name) for name in ("s3", "kinesis", "logs", "lambda", "kinesisanalyticsv2")
        )

    @property
    def tag_list(self) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in self.tags.items()]

    def bucket(self, name: str) -> None:
        self.s3.create_bucket(Bucket=name)
        if self.tags:
            self.s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": self.tag_list})
        close_bucket(self.s3, name)

    def stream(self, name: str, **mode: Any) -> None:
        tags = {"Tags": self.tags} if self.tags else {}  # a map of tags may not be empty
        self.kinesis.create_stream(StreamName=name, **tags, **(mode or {"ShardCount": 1}))
        self.kinesis.start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId="alias/aws/kinesis")

    def log_group(self, name: str) -> None:
        self.logs.create_log_group(logGroupName=name, **({"tags": self.tags} if self.tags else {}))
        self.logs.put_retention_policy(logGroupName=name, retentionInDays=7)

    def function(self) -> None:
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as package:
            package.writestr("lambda_function.py", "def lambda_handler(event, context): return {}")
        self.lambda_.create_function(
            FunctionName="reviewProducer",
            Runtime="python3.12",
            Role=self.session.role_arn,
            Handler="lambda_function.lambda_handler",
            Code={"ZipFile": code.getvalue()},
            Tags=self.tags,
        )

    def application(self) -> None:
        self.flink.create_application(
            ApplicationName="student",
            RuntimeEnvironment="FLINK-1_20",
            ServiceExecutionRole=self.session.role_arn,
            **({"Tags": self.tag_list} if self.tags else {}),
        )

    def everything(self) -> "Furnished":
        for name in (self.session.landing_zone, self.session.flink_bucket):
            self.bucket(name)
        for name in ("reviews", "suspicious_activity"):
            self.stream(name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
        self.stream("exercises", ShardCount=4)
        self.stream("suspicious_groups", ShardCount=1)
        for name in GROUPS:
            self.log_group(name)
        self.function()
        self.application()
        return self

    def clear(self) -> None:
        """Remove all of it, tagged or not: what is left over gets the tag first."""
        for one in existing(self.session):
            if not one.ours:
                self.adopt(one.kind, one.name, one.arn)
        take_down(self.session, existing(self.session), lambda text: None)

    def adopt(self, kind: str, name: str, arn: str) -> None:
        tags = self.session.tags
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        match kind:
            case "bucket":
                self.s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": listed})
            case "stream":
                self.kinesis.add_tags_to_stream(StreamName=name, Tags=tags)
            case "log group":
                self.logs.tag_resource(resourceArn=arn, tags=tags)
            case "function":
                self.lambda_.tag_resource(Resource=arn, Tags=tags)
            case "application":
                self.flink.tag_resource(ResourceARN=arn, Tags=listed)
