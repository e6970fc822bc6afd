"""Diagnose what is built, before anything flows: the account, what the notebooks made in it, and its settings."""

import boto3

from lab.checks.diagnosis_job import last_complaint
from lab.checks.pipeline import Pipeline
from lab.checks.probe import Trouble, probe
from lab.core.aws_errors import plain_words
from lab.core.names import (
    APPLICATION,
    CONSUMER_GROUP,
    FUNCTION,
    GROUP_STREAM,
    GROUPS_GROUP,
    INPUT_STREAM,
    OUTPUT_STREAM,
    PRODUCER_GROUP,
    REVIEWS_FILE,
)
from lab.core.session import Session, local_status, restarted_hint
from lab.core.tables import cell
from lab.streams.reading import stream_batches

AGAIN = "run 'Generate events' of 03_flink_job again"


@probe("account")
def account(lab: Pipeline) -> str:
    session = lab.session
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
    if not _holds_anything(session):
        raise Trouble(
            f"The account holds nothing of the lab{restarted_hint(now)}; what it held before a restart is gone: "
            "run 01_streams, 02_producer and 03_flink_job."
        )
    return repr(session)


def _holds_anything(session: Session) -> bool:
    with plain_words("listing what the account holds", session.endpoint):
        if boto3.client("s3").list_buckets()["Buckets"] or boto3.client("kinesis").list_streams()["StreamNames"]:
            return True
        return bool(boto3.client("lambda").list_functions()["Functions"])


@probe("landing zone")
def landing_zone(lab: Pipeline) -> str:
    where, size = f"s3://{lab.session.landing_zone}/{REVIEWS_FILE}", lab.reviews_size()
    if not size:
        raise Trouble(f"{where} is empty: upload the reviews again with 01_streams.")
    return f"{where}, {size:,} bytes"


@probe("streams")
def streams(lab: Pipeline) -> str:
    said = []
    for name in (INPUT_STREAM, OUTPUT_STREAM):
        summary = lab.stream(name)
        if summary["StreamStatus"] not in ("ACTIVE", "UPDATING"):
            raise Trouble(f"The stream {name} is {summary['StreamStatus']}: wait until it is ACTIVE.")
        said.append(f"{name} {summary['StreamStatus']} with {summary['OpenShardCount']} open shards")
    return ", ".join(said)


@probe("function")
def function(lab: Pipeline) -> str:
    lab.function()
    return f"{FUNCTION} is there"


@probe(f"records in {INPUT_STREAM}")
def records(lab: Pipeline) -> str:
    for batch in stream_batches(INPUT_STREAM):
        if len(batch):
            return f"the first arrived at {cell(batch['arrival'].min())} UTC"
    raise Trouble(
        f"There are no records in {INPUT_STREAM}: invoke {FUNCTION} (the test event of 02_producer or 'Generate "
        "events' of 03_flink_job), and if it says it sent some, look at its log."
    )


@probe("application")
def application(lab: Pipeline) -> str:
    return f"{APPLICATION}, version {lab.application()['ApplicationVersionId']}"


@probe("runtime properties")
def properties(lab: Pipeline) -> str:
    wanted = [
        (CONSUMER_GROUP, "input.stream.name", INPUT_STREAM),
        (PRODUCER_GROUP, "output.stream.name", OUTPUT_STREAM),
    ]
    groups = [CONSUMER_GROUP, PRODUCER_GROUP]
    if GROUPS_GROUP in lab.properties:  # a second output is the application's own choice
        groups.append(GROUPS_GROUP)
        wanted.append((GROUPS_GROUP, "output.stream.name", GROUP_STREAM))
    for group in groups:
        wanted.append((group, "aws.region", lab.session.region))
        if lab.session.endpoint and "aws.endpoint" in lab.properties.get(group, {}):  # the region alone is enough
            wanted.append((group, "aws.endpoint", lab.session.endpoint))
    for group, key, value in wanted:
        found = lab.properties.get(group, {}).get(key)
        if found != value:
            what = f"points at {found!r}" if found else "is missing"
            raise Trouble(
                f"The property {key} of {group} {what} and the lab's is {value!r}: stop {APPLICATION}, correct it "
                "in 'Configure it' of 03_flink_job, and start it again."
            )
    outputs = OUTPUT_STREAM
    if GROUPS_GROUP in lab.properties:
        lab.stream(GROUP_STREAM)
        outputs = f"{OUTPUT_STREAM} and {GROUP_STREAM}"
    return f"reads {INPUT_STREAM} from {lab.initial_position}, writes {outputs}"


@probe("parallelism")
def parallelism(lab: Pipeline) -> str:
    subtasks, shards = lab.parallelism
    if lab.one_for_all:
        raise Trouble(
            f"Exercise 6 is open: the parallelism of {APPLICATION} is 1, as the exercise begins, and {INPUT_STREAM} "
            f"has {shards} open shards, so rows are dropped as late and windows are missing; its goal and its hints "
            "are in 03_flink_job."
        )
    if subtasks < shards:
        raise Trouble(
            f"The parallelism of {APPLICATION} is {subtasks} and {INPUT_STREAM} has {shards} open shards: shards that "
            "share a subtask are mixed before the watermark is taken and their rows are dropped as late, so stop "
            f"it, set Parallelism to {shards}, start it and {AGAIN}."
        )
    return f"{subtasks} subtasks for {shards} open shards"


@probe("status")
def status(lab: Pipeline) -> str:
    found = lab.application()["ApplicationStatus"]
    if found == "RUNNING":
        return "RUNNING"
    if found != "READY":
        raise Trouble(f"The application {APPLICATION} is {found}: wait until it is RUNNING, then {AGAIN}.")
    complaint = last_complaint(lab.application())
    if complaint:
        raise Trouble(
            f"The application {APPLICATION} did not start ({complaint}): mend that, then run 'Package and upload', "
            "'Create the application' and 'Run' of 03_flink_job again."
        )
    raise Trouble(f"The application {APPLICATION} is not running (READY): start it with 'Run' of 03_flink_job.")
