"""What exists of the pipeline is asked of a real account; its picture says it with lines and with words."""

import boto3

from lab.charts.pipeline import ABSENT, THERE, WORKING, Part, pipeline_parts, pipeline_picture
from lab.core.session import Session
from tests.lab.charts.pictures import assert_readable, warnings_are_errors

PARTS = [
    Part("S3", "landing zone", THERE, ("sample.json, 6.6 MB",)),
    Part("Lambda", "reviewProducer", THERE, ("Active", "python3.12, 512 MB, 300 s")),
    Part("Kinesis", "reviews", WORKING, ("ACTIVE", "4 open shards", "5,104 records")),
    Part("Managed Flink", "student", ABSENT, ("run 03_flink_job",)),
    Part("Kinesis", "suspicious_activity", THERE, ("ACTIVE", "1 open shard", "0 records")),
]


def test_every_part_with_its_state():
    with warnings_are_errors():
        picture = pipeline_picture(PARTS)
        assert_readable(picture)
    assert picture.table["state"].tolist() == [THERE, THERE, WORKING, ABSENT, THERE]
    assert "Kinesis: reviews is at work (ACTIVE; 4 open shards; 5,104 records)" in picture.alt
    assert "Managed Flink: student is not there yet (run 03_flink_job)" in picture.alt


def test_a_part_that_is_not_there_is_dashed_and_one_at_work_thick():
    (axes,) = pipeline_picture(PARTS).figure.axes
    looks = [(box.get_linestyle(), box.get_linewidth()) for box in axes.patches[:5]]
    assert looks == [("-", 1.2), ("-", 1.2), ("-", 3.2), ("--", 1.2), ("-", 1.2)]


def test_every_text_is_inside_its_box():
    running = ("RUNNING", "FLINK-1_20, version 12", "parallelism 4")
    written = Part("Kinesis", "suspicious_activity", WORKING, ("ACTIVE", "4 open shards", "over 200,000 records"))
    parts = [*PARTS[:3], Part("Managed Flink", "student", WORKING, running), written]
    figure = pipeline_picture(parts).figure
    figure.draw_without_rendering()
    (axes,) = figure.axes
    for box in axes.patches[:5]:
        edges = box.get_window_extent()
        inside = [text.get_window_extent() for text in axes.texts if edges.x0 < text.get_window_extent().x0 + 1e-9
                  and text.get_va() == "top" and text.get_window_extent().x0 < edges.x1]  # fmt: skip
        assert len(inside) == 2
        assert all(edges.x1 > text.x1 and edges.y0 < text.y0 and edges.y1 > text.y1 for text in inside)


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
        assert states(session)["landing zone"] == (ABSENT, "run 01_streams")  # a bucket alone is not enough
        assert states(session)["reviews"] == (THERE, "ACTIVE", "2 open shards", "0 records")
        s3.put_object(Bucket=session.landing_zone, Key="sample.json", Body=b"x" * 1_500_000)
        put("reviews", [{"review_id": f"rw{number}"} for number in range(1100)])
        found = states(session)
        assert found["landing zone"] == (THERE, "sample.json, 1.5 MB")
        assert found["reviews"] == (WORKING, "ACTIVE", "2 open shards", "1,100 records")
        assert found["reviewProducer"] == (ABSENT, "run 02_producer")
        assert found["student"] == (ABSENT, "run 03_flink_job")
        assert found["suspicious_activity"] == (ABSENT, "run 01_streams")
    finally:
        kinesis.delete_stream(StreamName="reviews")
        s3.delete_object(Bucket=session.landing_zone, Key="sample.json")
        s3.delete_bucket(Bucket=session.landing_zone)
