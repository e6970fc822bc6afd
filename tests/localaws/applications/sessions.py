"""Session windows of event time in SQL; the main file waits for its job.

In the shape of apache/flink, flink-python/pyflink/examples/table/windowing/session_window.py.
"""

import json

from pyflink.table import EnvironmentSettings, TableEnvironment

with open("/etc/flink/application_properties.json") as file:
    groups = {group["PropertyGroupId"]: group["PropertyMap"] for group in json.load(file)}
source, sink = groups["InputStream0"], groups["OutputStream0"]
environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
environment.execute_sql(f"""
    CREATE TABLE numbers (n BIGINT, t AS TO_TIMESTAMP_LTZ(n, 0), WATERMARK FOR t AS t) WITH (
      'connector' = 'kinesis', 'stream' = '{source["stream"]}', 'aws.region' = '{source["aws.region"]}',
      'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json')""")
environment.execute_sql(f"""
    CREATE TABLE sessions (total BIGINT, numbers BIGINT) PARTITIONED BY (numbers) WITH (
      'connector' = 'kinesis', 'stream' = '{sink["stream"]}', 'aws.region' = '{sink["aws.region"]}',
      'format' = 'json')""")
statements = environment.create_statement_set()
statements.add_insert_sql("""
    INSERT INTO sessions
    SELECT SUM(n), COUNT(*) FROM TABLE(SESSION(TABLE numbers, DESCRIPTOR(t), INTERVAL '5' SECOND))
    GROUP BY window_start, window_end""")
statements.execute().wait()
