"""A package in dep/ that pyFiles names, used by the main file and by a UDF.

In the shape of aws-samples/amazon-managed-service-for-apache-flink-examples, python/PackagedPythonDependencies, with
a small package in the place of SciPy.
"""

import json

from pyflink.table import DataTypes, EnvironmentSettings, TableEnvironment
from pyflink.table.udf import udf

environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())


@udf(input_types=[DataTypes.BIGINT()] * 4, result_type=DataTypes.DOUBLE())
def determinant(a, b, c, d):
    from matrices import linear

    return linear.determinant([[a, b], [c, d]])


environment.create_temporary_system_function("determinant", determinant)


def main():
    from matrices import linear

    print(f"The main file has the package: {linear.determinant([[42, 43], [44, 43]])}")
    with open("/etc/flink/application_properties.json") as file:
        groups = {group["PropertyGroupId"]: group["PropertyMap"] for group in json.loads(file.read())}
    sink = groups["OutputStream0"]
    fields = ", ".join(
        f"'fields.{name}.kind' = 'sequence', 'fields.{name}.start' = '{start}', 'fields.{name}.end' = '9999'"
        for name, start in (("a", 1), ("b", 2), ("c", 7), ("d", 101))
    )
    environment.execute_sql(f"""
        CREATE TABLE numbers (a BIGINT, b BIGINT, c BIGINT, d BIGINT) WITH (
          'connector' = 'datagen', 'rows-per-second' = '20', {fields})""")
    environment.execute_sql("""
        CREATE TEMPORARY VIEW determinants AS SELECT a, determinant(a, b, c, d) AS determinant FROM numbers""")
    environment.execute_sql(f"""
        CREATE TABLE output (a BIGINT, determinant DOUBLE) WITH (
          'connector' = 'kinesis', 'stream' = '{sink["stream"]}', 'aws.region' = '{sink["aws.region"]}',
          'sink.batch.max-size' = '5', 'format' = 'json')""")
    environment.execute_sql("INSERT INTO output SELECT a, determinant FROM determinants")


if __name__ == "__main__":
    main()
