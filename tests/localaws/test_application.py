from typing import Any

import pytest

from localaws.managed_flink.application import read_application, read_run_options


def view(parallelism: int = 4, per_kpu: int = 4, **run_options: str) -> dict[str, Any]:
    groups = [
        {"PropertyGroupId": "kinesis.analytics.flink.run.options", "PropertyMap": run_options},
        {"PropertyGroupId": "consumer.config.0", "PropertyMap": {"input.stream.name": "reviews"}},
    ]
    return {
        "AccountId": "000000000000",
        "Region": "us-east-1",
        "ApplicationName": "student",
        "ApplicationARN": "arn:aws:kinesisanalytics:us-east-1:000000000000:application/student",
        "ApplicationVersionId": 3,
        "CloudWatchLoggingOptionDescriptions": [
            {"LogStreamARN": "arn:aws:logs:us-east-1:000000000000:log-group:/aws/g:log-stream:s"}
        ],
        "ApplicationConfigurationDescription": {
            "ApplicationCodeConfigurationDescription": {
                "CodeContentDescription": {
                    "S3ApplicationCodeLocationDescription": {"BucketARN": "arn:aws:s3:::b", "FileKey": "k.zip"}
                }
            },
            "FlinkApplicationConfigurationDescription": {
                "ParallelismConfigurationDescription": {"Parallelism": parallelism, "ParallelismPerKPU": per_kpu},
                "CheckpointConfigurationDescription": {"CheckpointingEnabled": True, "CheckpointInterval": 10_000},
            },
            "EnvironmentPropertyDescriptions": {"PropertyGroupDescriptions": groups},
        },
    }


def test_everything_the_view_says() -> None:
    application = read_application(view(python="a/main.py", jarfile="a/lib/c.jar"))
    assert str(application.key) == "000000000000-us-east-1-student"
    assert (application.bucket, application.object_key, application.version) == ("b", "k.zip", 3)
    assert (application.log_group, application.log_stream) == ("/aws/g", "s")
    assert application.run_options.python == "a/main.py"
    assert application.run_options.jarfile == "a/lib/c.jar"


@pytest.mark.parametrize(("parallelism", "per_kpu", "slots"), [(4, 4, 4), (4, 1, 4), (5, 4, 8), (1, 8, 8), (8, 8, 8)])
def test_slots_are_whole_kpus(parallelism: int, per_kpu: int, slots: int) -> None:
    assert read_application(view(parallelism, per_kpu, python="m.py")).slots == slots


def test_job_configuration_carries_parallelism_and_checkpointing() -> None:
    configuration = read_application(view(python="m.py")).job_configuration("/somewhere/app")
    assert configuration["parallelism.default"] == "4"
    assert configuration["execution.checkpointing.interval"] == "10000 ms"
    assert configuration["execution.checkpointing.dir"] == "file:///somewhere/app/checkpoints"


def test_run_options_split_lists() -> None:
    groups = view(python="m.py", pyFiles="a.py, pkg ,", pyArchives="venv.zip#venv")[
        "ApplicationConfigurationDescription"
    ]
    options = read_run_options(groups["EnvironmentPropertyDescriptions"]["PropertyGroupDescriptions"])
    assert options.python_files == ("a.py", "pkg")
    assert options.python_archives == ("venv.zip#venv",)
    assert options.jarfile is None


def test_without_the_group_python_is_empty() -> None:
    assert read_run_options([]).python == ""
