"""What `lab.diagnose` looks at before anything flows: the account, what the notebooks made in it, and its settings."""

from functools import cached_property
from typing import Any

import boto3

from lab.checks.diagnosis_job import last_complaint
from lab.checks.probe import Trouble
from lab.core.account import require_application, require_function
from lab.core.aws_errors import plain_words
from lab.core.errors import StepMissing
from lab.core.session import Session, connected, local_status, restarted_hint
from lab.core.tables import cell
from lab.streams.reading import stream_batches
from lab.streams.shards import list_shards, reading_client

APPLICATION, INPUT, OUTPUT = "student", "reviews", "suspicious_activity"
AGAIN = "run 'Generate events' of 03_flink_job again"


class Built:
    """Looks at what is built. Each returns what it saw and raises a LabError with the first thing that is wrong."""

    def __init__(self, session: Session | None = None) -> None:
        self._given = session

    @cached_property
    def session(self) -> Session:
        """The account to look at."""
        session = self._given or connected()
        if session is None:
            raise Trouble("No account is connected: run the cell with `lab.connect(...)`, then this one again.")
        return session

    def account(self) -> str:
        session = self.session
        if session.target != "local":
            return repr(session)
        status = local_status()
        if status is None:
            raise Trouble(
                f"The embedded account does not answer at {session.endpoint}: start it with `python -m localaws up`, "
                "then run the notebooks from 01_streams on, because it begins empty."
            )
        since = status.get("since")
        now = Session(session.target, session.region, session.account, session.endpoint, since=since)
        if session.since is not None and since is not None and abs(since - session.since) > 1:
            raise Trouble(
                f"The account was restarted after this notebook connected to it{restarted_hint(now)}: run 01_streams, "
                "02_producer and 03_flink_job again."
            )
        if not self._holds_anything():
            raise Trouble(
                f"The account holds nothing of the lab{restarted_hint(now)}; what it held before a restart is gone: "
                "run 01_streams, 02_producer and 03_flink_job."
            )
        return repr(session)

    def _holds_anything(self) -> bool:
        with plain_words("listing what the account holds", self.session.endpoint):
            if boto3.client("s3").list_buckets()["Buckets"] or boto3.client("kinesis").list_streams()["StreamNames"]:
                return True
            return bool(boto3.client("lambda").list_functions()["Functions"])

    def landing_zone(self) -> str:
        bucket = self.session.landing_zone
        missing = StepMissing(f"There is no s3://{bucket}/sample.json", "01_streams")
        with plain_words(f"looking at s3://{bucket}/sample.json", self.session.endpoint, gone=missing):
            size = boto3.client("s3").head_object(Bucket=bucket, Key="sample.json")["ContentLength"]
        if not size:
            raise Trouble(f"s3://{bucket}/sample.json is empty: upload the reviews again with 01_streams.")
        return f"s3://{bucket}/sample.json, {size:,} bytes"

    def streams(self) -> str:
        kinesis, said = boto3.client("kinesis"), []
        for name in (INPUT, OUTPUT):
            missing = StepMissing(f"The stream {name} does not exist", "01_streams")
            with plain_words(f"describing {name}", self.session.endpoint, gone=missing):
                summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
            if summary["StreamStatus"] not in ("ACTIVE", "UPDATING"):
                raise Trouble(f"The stream {name} is {summary['StreamStatus']}: wait until it is ACTIVE.")
            said.append(f"{name} {summary['StreamStatus']} with {summary['OpenShardCount']} open shards")
        return ", ".join(said)

    def function(self) -> str:
        require_function("reviewProducer", self.session)
        return "reviewProducer is there"

    def records(self) -> str:
        for batch in stream_batches(INPUT):
            if len(batch):
                return f"the first arrived at {cell(batch['arrival'].min())} UTC"
        raise Trouble(
            "There are no records in reviews: invoke reviewProducer (the test event of 02_producer or 'Generate "
            "events' of 03_flink_job), and if it says it sent some, look at its log."
        )

    @cached_property
    def detail(self) -> dict[str, Any]:
        """What DescribeApplication says; StepMissing where there is no application."""
        return require_application(APPLICATION, self.session)

    def application(self) -> str:
        return f"{APPLICATION}, version {self.detail['ApplicationVersionId']}"

    @cached_property
    def groups(self) -> dict[str, dict[str, str]]:
        """The runtime properties: group -> key -> value."""
        described = self.detail["ApplicationConfigurationDescription"].get("EnvironmentPropertyDescriptions", {})
        return {one["PropertyGroupId"]: one["PropertyMap"] for one in described.get("PropertyGroupDescriptions", [])}

    def properties(self) -> str:
        wanted = [
            ("consumer.config.0", "input.stream.name", INPUT),
            ("producer.config.0", "output.stream.name", OUTPUT),
        ]
        for group in ("consumer.config.0", "producer.config.0"):
            wanted.append((group, "aws.region", self.session.region))
            if self.session.endpoint:
                wanted.append((group, "aws.endpoint", self.session.endpoint))
        for group, key, value in wanted:
            found = self.groups.get(group, {}).get(key)
            if found != value:
                what = f"points at {found!r}" if found else "is missing"
                raise Trouble(
                    f"The property {key} of {group} {what} and the lab's is {value!r}: stop {APPLICATION}, correct it "
                    "in 'Configure it' of 03_flink_job, and start it again."
                )
        return f"reads {INPUT} from {self.initial_position}, writes {OUTPUT}"

    @property
    def initial_position(self) -> str:
        """Where the source begins to read."""
        return self.groups.get("consumer.config.0", {}).get("scan.stream.initpos", "LATEST")

    def parallelism(self) -> str:
        flink = self.detail["ApplicationConfigurationDescription"].get("FlinkApplicationConfigurationDescription", {})
        configured = flink.get("ParallelismConfigurationDescription", {}).get("Parallelism", 1)
        shards = sum(shard.is_open for shard in list_shards(reading_client(), INPUT))
        if configured < shards:
            raise Trouble(
                f"The parallelism of {APPLICATION} is {configured} and {INPUT} has {shards} open shards: shards that "
                "share a subtask are mixed before the watermark is taken and their rows are dropped as late, so stop "
                f"it, set Parallelism to {shards}, start it and {AGAIN}."
            )
        return f"{configured} subtasks for {shards} open shards"

    def status(self) -> str:
        status = self.detail["ApplicationStatus"]
        if status == "RUNNING":
            return "RUNNING"
        if status != "READY":
            raise Trouble(f"The application {APPLICATION} is {status}: wait until it is RUNNING, then {AGAIN}.")
        complaint = last_complaint(self.session, self.detail)
        if complaint:
            raise Trouble(f"The application {APPLICATION} did not start ({complaint}): mend that and start it again.")
        raise Trouble(f"The application {APPLICATION} is not running (READY): start it with 'Run' of 03_flink_job.")
