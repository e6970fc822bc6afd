"""DataStream API with keyed state and timers: the sum of each remainder of three, told by a timer when it grew.

In the shape of apache/flink, flink-python/pyflink/examples/table/mixing_use_of_datastream_and_table.py and
examples/datastream/state_access.py.
"""

import json

from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.state import ValueStateDescriptor
from pyflink.table import StreamTableEnvironment


class Sums(KeyedProcessFunction):
    """Adds up numbers in state; a processing-time timer writes the sum a moment after the last one came."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.sum = runtime_context.get_state(ValueStateDescriptor("sum", Types.LONG()))

    def process_element(self, value, ctx):
        self.sum.update((self.sum.value() or 0) + value[0])
        ctx.timer_service().register_processing_time_timer(ctx.timer_service().current_processing_time() + 500)

    def on_timer(self, timestamp, ctx):
        yield Row(ctx.get_current_key(), self.sum.value())


with open("/etc/flink/application_properties.json") as file:
    groups = {group["PropertyGroupId"]: group["PropertyMap"] for group in json.load(file)}
environment = StreamExecutionEnvironment.get_execution_environment()
tables = StreamTableEnvironment.create(environment)
for name, columns, group, extra in (
    ("numbers", "n BIGINT", "InputStream0", ", 'scan.stream.initpos' = 'TRIM_HORIZON'"),
    ("sums", "remainder BIGINT, n BIGINT", "OutputStream0", ""),
):
    options = groups[group]
    tables.execute_sql(f"""
        CREATE TABLE {name} ({columns}) WITH (
          'connector' = 'kinesis', 'stream' = '{options["stream"]}', 'aws.region' = '{options["aws.region"]}',
          'format' = 'json'{extra})""")
numbers = tables.to_data_stream(tables.from_path("numbers"))
sums = numbers.key_by(lambda row: row[0] % 3, key_type=Types.LONG()).process(
    Sums(), output_type=Types.ROW_NAMED(["remainder", "n"], [Types.LONG(), Types.LONG()])
)
tables.from_data_stream(sums).execute_insert("sums")
