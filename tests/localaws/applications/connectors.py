"""DataStream connectors as AWS's examples build them: consumer, sink, and boto3 in the main file and in the tasks.

In the shape of the example in the documentation of apache/flink-connector-aws, and of voothukotaprem/pyspark,
python_flink_kinesis.py.
"""

import json

import boto3
from pyflink.common import SimpleStringSchema, Types
from pyflink.datastream import ProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.connectors.kinesis import FlinkKinesisConsumer, KinesisStreamsSink, PartitionKeyGenerator

with open("/etc/flink/application_properties.json") as file:
    groups = {group["PropertyGroupId"]: group["PropertyMap"] for group in json.load(file)}
source, sink = groups["InputStream0"], groups["OutputStream0"]
BUCKET = f"code-of-{source['stream'].removesuffix('-in')}"


class Scaled(ProcessFunction):
    """Multiplies each number by the factor that the main file has put into the bucket."""

    def open(self, runtime_context: RuntimeContext) -> None:
        answer = boto3.client("s3", region_name=source["aws.region"]).get_object(Bucket=BUCKET, Key="factor")
        self.factor = int(answer["Body"].read())

    def process_element(self, value, ctx):
        yield json.dumps({"n": json.loads(value)["n"] * self.factor})


boto3.client("s3", region_name=source["aws.region"]).put_object(Bucket=BUCKET, Key="factor", Body=b"7")
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
    .set_partition_key_generator(PartitionKeyGenerator.fixed())
    .set_stream_name(sink["stream"])
    .build()
)
numbers = environment.add_source(consumer)
numbers.process(Scaled(), Types.STRING()).sink_to(written)
environment.execute("scaled")
