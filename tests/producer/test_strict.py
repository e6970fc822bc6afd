"""On an account as strict as AWS every review arrives once, at the rate that the shards allow; about 25 s."""

from collections.abc import Callable

import pytest

from tests.producer.conftest import World
from tests.support.account import EmbeddedAccount
from tests.support.reviews import as_array, reviews

COUNT, SHARDS = 16_000, 2


@pytest.mark.slow  # about 15 s, the shards' limit
def test_all_reviews_arrive_none_twice_counted(
    make_account: Callable[..., EmbeddedAccount], make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account("home", "--cold", "--strict")
    made = make_world(shards=1)
    monkeypatch.delenv("PRODUCER_LEASE_SECONDS")  # nobody is killed here, so the lease may be as long as it is
    world = World(account.endpoint, made.bucket, made.stream, monkeypatch)
    world.client("s3").create_bucket(Bucket=world.bucket)
    world.create_stream(SHARDS)
    world.upload(as_array(reviews(COUNT)))
    answer = world.invoke()
    assert (answer["done"], answer["sent"], answer["rejected"]) == (True, COUNT, 0)
    assert answer["throttled"] > 0  # the limit was met, not only neared
    rate = COUNT / answer["seconds"]
    again = f"{answer['requests']:,} requests, {answer['retries']:,} records sent again"
    print(f"{COUNT:,} reviews in {answer['seconds']:.1f} s, {again}: {rate:,.0f} a second on {SHARDS} shards")
    # each shard takes a second's worth at once, then 1,000 a second
    assert rate < SHARDS * 1000 * 1.2
    # A record that was written although its request broke is there twice, with one id and one event time: it counts
    # once, because windows count distinct ids.
    sent = world.sent()
    assert len({one["review_id"] for one in sent}) == COUNT
    assert len({(one["review_id"], one["event_time"]) for one in sent}) == COUNT
