"""The function against a faulty stream, killed, and beside itself: every review arrives, counted; about 40 s."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from run_state import AlreadyRunning

from tests.producer.conftest import World
from tests.support.account import EmbeddedAccount, running_account
from tests.support.reviews import as_array, reviews

MakeWorld = Callable[..., World]
FAULTS = "failure=0.3,internal=0.05,drop=0.05,on=PutRecords"
_INVOKE = """
import json, sys
from lambda_function import lambda_handler
from tests.producer.conftest import Context
print("begun", flush=True)
print(json.dumps(lambda_handler(json.loads(sys.argv[1]), Context())), flush=True)
"""


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    options = ("--cold", "--faults", FAULTS, "--fault-seed", "5")
    with running_account(tmp_path_factory.mktemp("faulty"), *options) as account:
        yield account


def elsewhere(world: World, **settings: Any) -> subprocess.Popen[str]:
    """The function in a process of its own, at work when this returns."""
    command = [sys.executable, "-c", _INVOKE, json.dumps(world.event(**settings))]
    environment = world.environment()
    environment["PYTHONPATH"] += os.pathsep + str(Path(__file__).resolve().parents[2])
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begun\n"
    return process


def counts(world: World) -> Counter[tuple[str, str]]:
    """How often each review, with its event time, is on the stream."""
    return Counter((one["review_id"], one["event_time"]) for one in world.sent())


def wait_for_state(world: World, at_least: int) -> None:
    """Until an unfinished run's cursor has passed so many reviews."""
    s3 = world.client("s3")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        listed = s3.list_objects_v2(Bucket=world.bucket, Prefix=f"state/{world.stream}/clock.json")
        if listed["KeyCount"] and (world.state()["unfinished"] or {"sent": -1})["sent"] >= at_least:
            return
        time.sleep(0.02)
    raise AssertionError("the run did not get that far")


@pytest.mark.slow  # about 7 s
def test_failing_records_hang_ups_and_500s(
    faulty: EmbeddedAccount, make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_world(shards=1)
    world = World(faulty.endpoint, made.bucket, made.stream, monkeypatch)
    world.client("s3").create_bucket(Bucket=world.bucket)
    world.create_stream(2)
    world.upload(as_array(reviews(3_000)))
    answer = world.invoke(strict_order=True)
    assert (answer["read"], answer["sent"], answer["done"]) == (3_000, 3_000, True)
    assert answer["retries"] > 900  # 30 % at least fail once
    found = counts(world)
    # One event time a review: what was written before its answer got lost is there again, but counts once.
    assert len(found) == len({review_id for review_id, _ in found}) == 3_000
    assert answer["disorder_ms"] < 5_000  # the watermark delay: nothing comes too late for its window


@pytest.mark.slow  # about 15 s
@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_instant_and_run_again(seed: int, make_world: MakeWorld) -> None:
    world = make_world(as_array(reviews(4_000)), shards=2)
    process = elsewhere(world, pace=2_000)
    time.sleep(random.Random(seed).uniform(0.0, 1.8))  # the instant: anywhere in the two seconds the run takes
    process.kill()
    process.communicate()
    answer = world.invoke()
    assert (answer["read"], answer["sent"], answer["done"]) == (4_000, 4_000, True)
    found = counts(world)
    assert len(found) == len({review_id for review_id, _ in found}) == 4_000
    assert max(found.values()) <= 2  # only what lay between the cursor and the kill was sent twice


@pytest.mark.slow  # about 10 s
def test_only_what_lies_behind_the_cursor_is_sent_twice(make_world: MakeWorld) -> None:
    world = make_world(as_array(reviews(6_000)))
    process = elsewhere(world, pace=1_200)
    wait_for_state(world, 1_000)
    process.kill()
    process.communicate()
    passed = world.state()["unfinished"]["sent"]
    answer = world.invoke()
    assert (answer["sent"], answer["invocation"]["number"]) == (6_000, 2)
    assert answer["invocation"]["sent"] == 6_000 - passed
    twice = sorted(int(review_id[2:]) for (review_id, _), times in counts(world).items() if times == 2)
    assert all(number >= passed for number in twice)
    assert len(counts(world)) == 6_000


@pytest.mark.slow  # about 5 s
def test_a_second_invocation_at_the_same_time_is_refused(make_world: MakeWorld) -> None:
    world = make_world(as_array(reviews(400)))
    process = elsewhere(world, pace=100)
    wait_for_state(world, 0)
    with pytest.raises(AlreadyRunning, match=r"is filling the stream 'reviews-\d+' at the moment: wait for its end"):
        world.invoke()
    answer = json.loads(process.communicate(timeout=30)[0].splitlines()[-1])
    assert (answer["sent"], answer["done"], answer["retries"]) == (400, True, 0)
    assert set(counts(world).values()) == {1}
    assert len(counts(world)) == 400


def test_the_log_is_json_lines_with_counts_and_no_review(make_world: MakeWorld) -> None:
    given = [*reviews(60), {"review_id": "rw9", "reviewer": "Nobody But Me"}]
    world = make_world(as_array(given))
    answer = world.invoke(pace=40)
    lines = [json.loads(line) for line in world.logs]
    metrics = [line for line in lines if "_aws" in line]
    assert [line["event"] for line in lines if "event" in line][:2] == ["start", "batch"]
    batch = next(line for line in lines if line.get("event") == "batch")
    assert {"stream", "run", "invocation", "sent", "requests", "retries", "throttled", "rate"} <= set(batch)
    end = next(line for line in lines if line.get("event") == "end")
    assert (end["read"], end["sent"], end["rejected"]) == (61, 60, 1)
    assert sum(written for _, written, _ in end["series"]) == 60 + answer["markers"]
    assert (metrics[0]["ReviewsSent"], metrics[0]["ReviewsRejected"], metrics[0]["Retries"]) == (60, 1, 0)
    whole = "\n".join(world.logs)
    secrets = [os.environ["AWS_SECRET_ACCESS_KEY"], os.environ["AWS_ACCESS_KEY_ID"]]
    texts = [str(one[key]) for one in given for key in ("reviewer", "review_detail", "movie") if key in one]
    assert not [text for text in [*secrets, *texts] if text in whole]
