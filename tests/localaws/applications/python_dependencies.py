"""A requirements.txt whose packages the runtime installs beside the tasks, used by a UDF.

In the shape of aws-samples/amazon-managed-service-for-apache-flink-examples, python/PythonDependencies, with a small
package in the place of boto3 and numbers of a stream in the place of generated ones.
"""

import json
import pathlib

from pyflink.table import DataTypes, EnvironmentSettings, TableEnvironment
from pyflink.table.udf import udf

environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
here = str(pathlib.Path(__file__).parent)
environment.set_python_requirements(requirements_file_path="file:///" + here + "/requirements.txt")


@udf(input_types=[DataTypes.BIGINT()], result_type=DataTypes.STRING())
def roman(number):
    import roman_numerals_of_ours

    return roman_numerals_of_ours.write(number)


environment.create_temporary_system_function("roman", roman)


def main():
    with open("/etc/flink/application_properties.json") as file:
        groups = {group["PropertyGroupId"]: group["PropertyMap"] for group in json.loads(file.read())}
    source, sink = groups["InputStream0"], groups["OutputStream0"]
    environment.execute_sql(f"""
        CREATE TABLE numbers (n BIGINT) WITH (
          'connector' = 'kinesis', 'stream' = '{source["stream"]}', 'aws.region' = '{source["aws.region"]}',
          'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json')""")
    environment.execute_sql(f"""
        CREATE TABLE output (n STRING) WITH (
          'connector' = 'kinesis', 'stream' = '{sink["stream"]}', 'aws.region' = '{sink["aws.region"]}',
          'format' = 'json')""")
    environment.execute_sql("INSERT INTO output SELECT roman(n) FROM numbers")


if __name__ == "__main__":
    main()
