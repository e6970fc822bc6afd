"""SQL only, main file in a folder: keeps the even numbers.

In the shape of aws-samples/pyflink-getting-started, pyflink-examples/GettingStarted.
"""

import json

from pyflink.table import EnvironmentSettings, TableEnvironment

with open("/etc/flink/application_properties.json") as file:
    groups = {group["PropertyGroupId"]: group["PropertyMap"] for group in json.load(file)}
source, sink = groups["InputStream0"], groups["OutputStream0"]
environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
for name, options in (("numbers", source), ("even", sink)):
    extra = ", 'scan.stream.initpos' = 'TRIM_HORIZON'" if name == "numbers" else ""
    environment.execute_sql(f"""
        CREATE TABLE {name} (n BIGINT) WITH (
          'connector' = 'kinesis', 'stream' = '{options["stream"]}', 'aws.region' = '{options["aws.region"]}',
          'format' = 'json'{extra})""")
environment.execute_sql("INSERT INTO even SELECT n FROM numbers WHERE MOD(n, 2) = 0")
