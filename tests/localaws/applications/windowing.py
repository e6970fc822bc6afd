"""Four windows of one generated source to four streams: tumbling and sliding, in processing time and in event time.

In the shape of aws-samples/amazon-managed-service-for-apache-flink-examples, python/Windowing.
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
    environment.execute_sql("""
        CREATE TABLE readings (
          reading BIGINT,
          arrived AS PROCTIME(),
          measured AS TO_TIMESTAMP_LTZ(reading * 100, 3),
          WATERMARK FOR measured AS measured - INTERVAL '1' SECOND
        ) WITH (
          'connector' = 'datagen', 'rows-per-second' = '50',
          'fields.reading.kind' = 'sequence', 'fields.reading.start' = '0', 'fields.reading.end' = '19999')""")
    properties, statements = application_properties(), environment.create_statement_set()
    windows = (
        ("OutputStream0", "tumbling_processing", "TUMBLE(arrived, INTERVAL '1' SECOND)"),
        ("OutputStream1", "tumbling_event", "TUMBLE(measured, INTERVAL '1' SECOND)"),
        ("OutputStream2", "sliding_processing", "HOP(arrived, INTERVAL '1' SECOND, INTERVAL '2' SECOND)"),
        ("OutputStream3", "sliding_event", "HOP(measured, INTERVAL '1' SECOND, INTERVAL '2' SECOND)"),
    )
    for group, table, window in windows:
        sink = property_map(properties, group)
        environment.execute_sql(f"""
            CREATE TABLE {table} (
              lowest BIGINT, highest BIGINT, readings BIGINT, total BIGINT
            ) WITH (
              'connector' = 'kinesis', 'stream' = '{sink["stream.name"]}', 'aws.region' = '{sink["aws.region"]}',
              'format' = 'json')""")
        statements.add_insert_sql(f"""
            INSERT INTO {table}
            SELECT MIN(reading), MAX(reading), COUNT(*), SUM(reading) FROM readings GROUP BY {window}""")
    statements.execute()


if __name__ == "__main__":
    main()
