"""S3 as a file system: JSON files read over s3://, part files written over s3a://.

In the shape of aws-samples/amazon-managed-service-for-apache-flink-examples, python/S3Sink.
"""

import json

from pyflink.table import EnvironmentSettings, TableEnvironment

with open("/etc/flink/application_properties.json") as file:
    groups = {group["PropertyGroupId"]: group["PropertyMap"] for group in json.load(file)}
source = groups["InputStream0"]
bucket = f"code-of-{source['stream'].removesuffix('-in')}"
environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
environment.execute_sql(f"""
    CREATE TABLE numbers (n BIGINT) WITH (
      'connector' = 'kinesis', 'stream' = '{source["stream"]}', 'aws.region' = '{source["aws.region"]}',
      'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json')""")
environment.execute_sql(f"""
    CREATE TABLE known (n BIGINT) WITH (
      'connector' = 'filesystem', 'path' = 's3://{bucket}/known', 'format' = 'json')""")
environment.execute_sql(f"""
    CREATE TABLE files (n BIGINT) WITH (
      'connector' = 'filesystem', 'path' = 's3a://{bucket}/out', 'format' = 'json',
      'sink.rolling-policy.rollover-interval' = '1 s', 'sink.rolling-policy.check-interval' = '1 s')""")
environment.execute_sql("INSERT INTO files SELECT n FROM numbers UNION ALL SELECT n FROM known")
