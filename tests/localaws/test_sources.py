from localaws.flink_cluster.existing_cluster import EXISTING_CALLER
from localaws.managed_flink.sources import SourceTracker, caller_of

AGENT = "aws-sdk-java/1.12.276 Linux/6.1 OpenJDK exec-env/ManagedFlink-1a2b3c4d vendor/Eclipse"


def shards(stream: str) -> list[str]:
    return {"reviews": ["s0", "s1"], "other": ["s0"]}[stream]


def test_the_caller_is_the_cluster() -> None:
    assert caller_of(AGENT) == "ManagedFlink-1a2b3c4d"
    assert caller_of("Boto3/1.43 exec-env/AWS_Lambda_python3.12") is None


def test_the_connector_of_another_cluster_is_known_by_its_name() -> None:
    assert caller_of(f"Apache Flink 1.20.5 (0980485) Kinesis Connector {AGENT}") == "ManagedFlink-1a2b3c4d"
    assert caller_of("Apache Flink 1.20.5 (0980485) Kinesis Connector aws-sdk-java/1.12") == EXISTING_CALLER
    assert caller_of("aws-sdk-java/1.12.276 Linux/6.1 OpenJDK") is None


def test_waits_for_every_open_shard_of_every_source() -> None:
    tracker = SourceTracker()
    assert tracker.unread_shards("c", shards) == []
    tracker.listed("c", "reviews")
    assert tracker.unread_shards("c", shards) == ["reviews/s0", "reviews/s1"]
    tracker.read("c", "reviews", "s1")
    assert tracker.unread_shards("c", shards) == ["reviews/s0"]
    tracker.read("c", "reviews", "s0")
    assert tracker.unread_shards("c", shards) == []


def test_latest_stays_where_it_was_while_an_application_goes_on_from_its_state() -> None:
    tracker = SourceTracker()
    tracker.begin("c", "student", fresh=True)
    assert tracker.since("c", "reviews", "s0", 1_000.0, 1_000.1) == 1_000.0
    assert tracker.since("c", "reviews", "s0", 1_030.0, 1_030.1) == 1_000.0  # a restarted task
    assert tracker.since("c", "reviews", "s1", 1_030.0, 1_030.1) == 1_030.0
    tracker.forget("c")
    tracker.begin("d", "student", fresh=False)  # from a snapshot, on another cluster
    assert tracker.since("d", "reviews", "s0", 2_000.0, 2_000.1) == 1_000.0
    tracker.begin("e", "student", fresh=True)
    assert tracker.since("e", "reviews", "s0", 3_000.0, 3_000.1) == 3_000.0


def test_a_timestamp_that_was_asked_for_is_kept() -> None:
    tracker = SourceTracker()
    tracker.begin("c", "student", fresh=True)
    assert tracker.since("c", "reviews", "s0", 1_000.0, 1_000.0) == 1_000.0
    assert tracker.since("c", "reviews", "s0", 500.0, 1_001.0) == 500.0
    assert tracker.since("unknown", "reviews", "s0", 1_001.0, 1_001.0) == 1_001.0


def test_clusters_do_not_answer_for_each_other() -> None:
    tracker = SourceTracker()
    tracker.listed("a", "other")
    tracker.read("a", "other", "s0")
    assert tracker.sources("b") == set()
    tracker.forget("a")
    assert tracker.sources("a") == set()
