"""A Python UDF as a temporary function in a view over a generated source, written to a partitioned stream.

In the shape of aws-samples/amazon-managed-service-for-apache-flink-examples, python/UDF.
"""

import json

from pyflink.table import DataTypes, EnvironmentSettings, TableEnvironment
from pyflink.table.udf import udf

environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())


@udf(input_types=[DataTypes.BIGINT()], result_type=DataTypes.DOUBLE())
def fahrenheit(celsius):
    return celsius * 9 / 5 + 32


environment.create_temporary_system_function("fahrenheit", fahrenheit)


def main():
    with open("/etc/flink/application_properties.json") as file:
        groups = {group["PropertyGroupId"]: group["PropertyMap"] for group in json.loads(file.read())}
    sink = groups["OutputStream0"]
    environment.execute_sql("""
        CREATE TABLE readings (sensor INT, temperature BIGINT) PARTITIONED BY (sensor) WITH (
          'connector' = 'datagen', 'rows-per-second' = '20', 'fields.sensor.min' = '7', 'fields.sensor.max' = '7',
          'fields.temperature.kind' = 'sequence', 'fields.temperature.start' = '-40',
          'fields.temperature.end' = '9999')""")
    environment.execute_sql("""
        CREATE TEMPORARY VIEW in_fahrenheit AS SELECT sensor, fahrenheit(temperature) AS temperature FROM readings""")
    environment.execute_sql(f"""
        CREATE TABLE output (sensor INT, temperature DOUBLE) PARTITIONED BY (sensor) WITH (
          'connector' = 'kinesis', 'stream' = '{sink["stream"]}', 'aws.region' = '{sink["aws.region"]}',
          'sink.partitioner-field-delimiter' = ';', 'sink.batch.max-size' = '100', 'format' = 'json')""")
    environment.execute_sql("INSERT INTO output SELECT sensor, temperature FROM in_fahrenheit")


if __name__ == "__main__":
    main()
