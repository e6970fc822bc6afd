from localaws.managed_flink.sources import SourceTracker, caller_of

AGENT = "aws-sdk-java/1.12.276 Linux/6.1 OpenJDK exec-env/ManagedFlink-1a2b3c4d vendor/Eclipse"


def shards(stream: str) -> list[str]:
    return {"reviews": ["s0", "s1"], "other": ["s0"]}[stream]


def test_the_caller_is_the_cluster() -> None:
    assert caller_of(AGENT) == "ManagedFlink-1a2b3c4d"
    assert caller_of("Boto3/1.43 exec-env/AWS_Lambda_python3.12") is None


def test_waits_for_every_open_shard_of_every_source() -> None:
    tracker = SourceTracker()
    assert tracker.waiting_for("c", ["reviews"], shards) == ["reviews"]
    tracker.listed("c", "reviews")
    assert tracker.waiting_for("c", ["reviews"], shards) == ["reviews/s0", "reviews/s1"]
    tracker.read("c", "reviews", "s1")
    assert tracker.waiting_for("c", ["reviews"], shards) == ["reviews/s0"]
    tracker.read("c", "reviews", "s0")
    assert tracker.waiting_for("c", ["reviews"], shards) == []


def test_clusters_do_not_answer_for_each_other() -> None:
    tracker = SourceTracker()
    tracker.listed("a", "other")
    tracker.read("a", "other", "s0")
    assert tracker.waiting_for("b", ["other"], shards) == ["other"]
    tracker.forget("a")
    assert tracker.sources("a") == set()
