"""From one stream to another, as the tutorial of the developer guide of Managed Flink has it.

In the shape of aws-samples/amazon-managed-service-for-apache-flink-examples, python/GettingStarted.
"""

import json
import os

from pyflink.table import EnvironmentSettings, TableEnvironment

PROPERTIES = "/etc/flink/application_properties.json"
environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())


def application_properties():
    if os.path.isfile(PROPERTIES):
        with open(PROPERTIES) as file:
            return json.loads(file.read())
    raise RuntimeError(f"There is no file {PROPERTIES}.")


def property_map(properties, group):
    return next(each["PropertyMap"] for each in properties if each["PropertyGroupId"] == group)


def main():
    properties = application_properties()
    source, sink = property_map(properties, "InputStream0"), property_map(properties, "OutputStream0")
    environment.execute_sql(f"""
        CREATE TABLE prices (
          ticker VARCHAR(6), price DOUBLE, event_time TIMESTAMP(3),
          WATERMARK FOR event_time AS event_time - INTERVAL '5' SECOND
        ) PARTITIONED BY (ticker) WITH (
          'connector' = 'kinesis', 'stream' = '{source["stream.name"]}', 'aws.region' = '{source["aws.region"]}',
          'scan.stream.initpos' = '{source["flink.stream.initpos"]}',
          'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601')""")
    environment.execute_sql(f"""
        CREATE TABLE output (ticker VARCHAR(6), price DOUBLE, event_time TIMESTAMP(3)) PARTITIONED BY (ticker) WITH (
          'connector' = 'kinesis', 'stream' = '{sink["stream.name"]}', 'aws.region' = '{sink["aws.region"]}',
          'sink.partitioner-field-delimiter' = ';', 'sink.batch.max-size' = '100',
          'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601')""")
    environment.execute_sql("INSERT INTO output SELECT ticker, price, event_time FROM prices")


if __name__ == "__main__":
    main()
