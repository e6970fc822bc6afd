"""The pipeline's picture says what is there, with lines and with words."""

from lab.charts.pipeline import pipeline_picture
from lab.charts.pipeline_parts import ABSENT, THERE, WORKING, Part
from tests.lab.charts.pictures import assert_readable, warnings_are_errors

PARTS = [
    Part("S3", "landing zone", THERE, ("sample.json, 6.6 MB",), "01_streams"),
    Part("Lambda", "reviewProducer", THERE, ("Active", "python3.12, 512 MB, 300 s"), "02_producer"),
    Part("Kinesis", "reviews", WORKING, ("ACTIVE", "4 open shards", "5,104 records"), "01_streams"),
    Part("Managed Flink", "student", ABSENT, (), "03_flink_job"),
    Part("Kinesis", "suspicious_activity", THERE, ("ACTIVE", "1 open shard", "0 records"), "01_streams"),
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
