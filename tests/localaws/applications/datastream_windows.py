"""Event-time windows of the DataStream API between the source and the sink for Kinesis.

In the shape of apache/flink, flink-python/pyflink/examples/datastream/windowing/tumbling_time_window.py, with the
connectors of apache/flink-connector-aws around it.
"""

import json

from pyflink.common import Duration, SimpleStringSchema, Types, WatermarkStrategy
from pyflink.common.time import Time
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessWindowFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.kinesis import FlinkKinesisConsumer, KinesisStreamsSink, PartitionKeyGenerator
from pyflink.datastream.window import TumblingEventTimeWindows


class Moment(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Total(ProcessWindowFunction):
    def process(self, key, context, elements):
        numbers = [element[1] // 1000 for element in elements]
        yield json.dumps({"key": key, "end": context.window().end, "n": sorted(numbers)})


with open("/etc/flink/application_properties.json") as file:
    groups = {group["PropertyGroupId"]: group["PropertyMap"] for group in json.load(file)}
source, sink = groups["InputStream0"], groups["OutputStream0"]
environment = StreamExecutionEnvironment.get_execution_environment()
consumer = FlinkKinesisConsumer(
    source["stream"],
    SimpleStringSchema(),
    {"aws.region": source["aws.region"], "flink.stream.initpos": "TRIM_HORIZON"},
)
written = (
    KinesisStreamsSink.builder()
    .set_kinesis_client_properties({"aws.region": sink["aws.region"]})
    .set_serialization_schema(SimpleStringSchema())
    .set_partition_key_generator(PartitionKeyGenerator.random())
    .set_stream_name(sink["stream"])
    .build()
)
watermarks = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(1)).with_timestamp_assigner(Moment())
numbers = environment.add_source(consumer).map(json.loads, Types.PICKLED_BYTE_ARRAY())
pairs = numbers.map(
    lambda record: ("even" if record["n"] % 2 == 0 else "odd", record["n"] * 1000),
    Types.TUPLE([Types.STRING(), Types.LONG()]),
)
windows = (
    pairs.assign_timestamps_and_watermarks(watermarks)
    .key_by(lambda pair: pair[0], Types.STRING())
    .window(TumblingEventTimeWindows.of(Time.seconds(10)))
    .process(Total(), Types.STRING())
)
windows.sink_to(written)
environment.execute("windows")
