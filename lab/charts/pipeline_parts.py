"""Find out which parts of the pipeline exist in the account, and how far each is."""

from collections.abc import Callable
from dataclasses import dataclass

from lab.core.account import Account
from lab.core.errors import StepMissing
from lab.core.names import APPLICATION, FUNCTION, INPUT_STREAM, OUTPUT_STREAM, REVIEWS_FILE
from lab.core.session import Session
from lab.streams.reading import stream_batches

ABSENT, THERE, WORKING = "not there yet", "there", "at work"
MOST_COUNTED = 200_000  # records of a stream; counting means reading them


@dataclass(frozen=True)
class Part:
    """One part: its name in the picture, ABSENT, THERE or WORKING, lines about it, and the notebook that makes it."""

    name: str
    title: str
    state: str
    facts: tuple[str, ...]
    notebook: str


Seen = tuple[str, tuple[str, ...]]  # THERE or WORKING, and lines about it


def pipeline_parts(session: Session) -> list[Part]:
    """Describe the five parts in the order in which a review passes them.

    Raises LabError where the account is out of reach.
    """
    account = Account(session)
    return [
        _part("S3", "landing zone", lambda: _landing_zone(account), "01_streams"),
        _part("Lambda", FUNCTION, lambda: _function(account), "02_producer"),
        _part("Kinesis", INPUT_STREAM, lambda: _stream(account, INPUT_STREAM), "01_streams"),
        _part("Managed Flink", APPLICATION, lambda: _application(account), "03_flink_job"),
        _part("Kinesis", OUTPUT_STREAM, lambda: _stream(account, OUTPUT_STREAM), "01_streams"),
    ]


def _part(name: str, title: str, look: Callable[[], Seen], notebook: str) -> Part:
    try:
        state, facts = look()
    except StepMissing:
        state, facts = ABSENT, ()
    return Part(name, title, state, facts, notebook)


def _landing_zone(account: Account) -> Seen:
    return THERE, (f"{REVIEWS_FILE}, {account.reviews_size() / 1e6:,.1f} MB",)


def _function(account: Account) -> Seen:
    found = account.function()
    settings = f"{found['Runtime']}, {found['MemorySize']} MB, {found['Timeout']} s"
    return THERE, (found.get("State", "Active"), settings)


def _stream(account: Account, name: str) -> Seen:
    summary = account.stream(name)
    records, whole = _records(name)
    shards = summary["OpenShardCount"]
    facts = (
        summary["StreamStatus"],
        f"{shards} open shard{'s' * (shards != 1)}",
        f"{'' if whole else 'over '}{records:,} record{'s' * (records != 1)}",
    )
    return WORKING if records else THERE, facts


def _records(name: str) -> tuple[int, bool]:
    """Records the stream holds, and whether all were counted."""
    count = 0
    for batch in stream_batches(name):
        count += len(batch)
        if count > MOST_COUNTED:
            return MOST_COUNTED, False
    return count, True


def _application(account: Account) -> Seen:
    detail = account.application()
    settings = detail["ApplicationConfigurationDescription"].get("FlinkApplicationConfigurationDescription", {})
    parallelism = settings.get("ParallelismConfigurationDescription", {}).get("Parallelism")
    facts = (detail["ApplicationStatus"], f"{detail['RuntimeEnvironment']}, version {detail['ApplicationVersionId']}")
    if parallelism:
        facts += (f"parallelism {parallelism}",)
    return WORKING if detail["ApplicationStatus"] == "RUNNING" else THERE, facts
