"""What exists of the pipeline, asked of a real account, from nothing on."""

import boto3

from lab.charts.pipeline_parts import ABSENT, THERE, WORKING, pipeline_parts
from lab.core.session import Session


def states(session):
    return {part.title: (part.state, *part.facts) for part in pipeline_parts(session)}


def test_parts_come_into_being_one_by_one(aws, kinesis, put):
    session = Session("local", "us-east-1", "000000000000", aws)
    assert {found[0] for found in states(session).values()} == {ABSENT}
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=session.landing_zone)
    kinesis.create_stream(StreamName="reviews", ShardCount=2)
    kinesis.get_waiter("stream_exists").wait(StreamName="reviews", WaiterConfig={"Delay": 1})
    try:
        assert states(session)["landing zone"] == (ABSENT,)  # a bucket without the object is not enough
        assert states(session)["reviews"] == (THERE, "ACTIVE", "2 open shards", "0 records")
        s3.put_object(Bucket=session.landing_zone, Key="sample.json", Body=b"x" * 1_500_000)
        put("reviews", [{"review_id": f"rw{number}"} for number in range(1100)])
        found = states(session)
        assert found["landing zone"] == (THERE, "sample.json, 1.5 MB")
        assert found["reviews"] == (WORKING, "ACTIVE", "2 open shards", "1,100 records")
        assert found["student"] == found["reviewProducer"] == found["suspicious_activity"] == (ABSENT,)
    finally:
        kinesis.delete_stream(StreamName="reviews")
        s3.delete_object(Bucket=session.landing_zone, Key="sample.json")
        s3.delete_bucket(Bucket=session.landing_zone)
