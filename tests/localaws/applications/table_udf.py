"""Table API with a Python UDF that runs in a Python worker beside the task; main guard as the documentation has it.

In the shape of apache/flink, flink-python/pyflink/examples/table/process_json_data_with_udf.py.
"""

import json
import os

from pyflink.table import DataTypes, EnvironmentSettings, TableEnvironment
from pyflink.table.expressions import col
from pyflink.table.udf import udf


@udf(result_type=DataTypes.BIGINT())
def squared(number: int) -> int:
    return number * number


def main() -> None:
    assert os.path.isfile("/etc/flink/application_properties.json")
    with open("/etc/flink/application_properties.json") as file:
        groups = {group["PropertyGroupId"]: group["PropertyMap"] for group in json.load(file)}
    environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    for name, group, extra in (
        ("numbers", "InputStream0", ", 'scan.stream.initpos' = 'TRIM_HORIZON'"),
        ("squares", "OutputStream0", ""),
    ):
        options = groups[group]
        environment.execute_sql(f"""
            CREATE TABLE {name} (n BIGINT) WITH (
              'connector' = 'kinesis', 'stream' = '{options["stream"]}', 'aws.region' = '{options["aws.region"]}',
              'format' = 'json'{extra})""")
    environment.from_path("numbers").select(squared(col("n")).alias("n")).execute_insert("squares")


if __name__ == "__main__":
    main()
