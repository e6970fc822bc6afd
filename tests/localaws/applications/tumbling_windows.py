"""Kinesis to Kinesis with the property groups of Flink 1.15: windows of the Table API, a UDF as temporary function.

In the shape of aws-samples/amazon-managed-service-for-apache-flink-examples, python/TumblingWindows, as it was for
Flink 1.15, and of aws-samples/pyflink-getting-started.
"""

import json
import os

from pyflink.table import DataTypes, EnvironmentSettings, TableEnvironment
from pyflink.table.expressions import col, lit
from pyflink.table.udf import udf
from pyflink.table.window import Tumble

PROPERTIES = "/etc/flink/application_properties.json"
environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())


def application_properties():
    if os.path.isfile(PROPERTIES):
        with open(PROPERTIES) as file:
            return json.loads(file.read())
    raise RuntimeError(f"There is no file {PROPERTIES}.")


def property_map(properties, group):
    return next(each["PropertyMap"] for each in properties if each["PropertyGroupId"] == group)


@udf(input_types=[DataTypes.TIMESTAMP(3)], result_type=DataTypes.STRING())
def as_text(moment):
    return str(moment)


environment.create_temporary_system_function("as_text", as_text)


def main():
    properties = application_properties()
    consumer = property_map(properties, "consumer.config.0")
    producer = property_map(properties, "producer.config.0")
    environment.execute_sql(f"""
        CREATE TABLE trades (
          ticker VARCHAR(6), price DOUBLE, event_time TIMESTAMP(3),
          WATERMARK FOR event_time AS event_time - INTERVAL '5' SECOND
        ) PARTITIONED BY (ticker) WITH (
          'connector' = 'kinesis', 'stream' = '{consumer["input.stream.name"]}',
          'aws.region' = '{consumer["aws.region"]}', 'scan.stream.initpos' = '{consumer["flink.stream.initpos"]}',
          'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601')""")
    environment.execute_sql(f"""
        CREATE TABLE lowest (ticker VARCHAR(6), price DOUBLE, event_time VARCHAR(64)) PARTITIONED BY (ticker) WITH (
          'connector' = 'kinesis', 'stream' = '{producer["output.stream.name"]}',
          'aws.region' = '{producer["aws.region"]}', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601')
        """)
    windows = environment.from_path("trades").window(Tumble.over(lit(10).seconds).on(col("event_time")).alias("w"))
    result = windows.group_by(col("ticker"), col("w")).select(
        col("ticker"), col("price").min.alias("price"), as_text(col("w").end).alias("event_time")
    )
    environment.create_temporary_view("windows", result)
    environment.execute_sql("INSERT INTO lowest SELECT * FROM windows")


if __name__ == "__main__":
    main()
