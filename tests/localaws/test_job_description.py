from pathlib import Path
from typing import Any

import pytest

from localaws.job_description import RUN_OPTIONS, JobDescription
from localaws.managed_flink.submission import job_options, make_task
from tests.localaws.flink_double import Api, group


def described(tmp_path: Path, parallelism: int = 4, per_kpu: int = 4, **run_options: str) -> JobDescription:
    """What the data plane is handed for an application as CreateApplication takes it."""
    api = Api(tmp_path)
    sections: dict[str, Any] = {
        "EnvironmentProperties": {
            "PropertyGroups": [group(RUN_OPTIONS, **run_options), group("consumer.config.0", **{"aws.region": "r"})]
        },
        "FlinkApplicationConfiguration": {
            "ParallelismConfiguration": {
                "ConfigurationType": "CUSTOM",
                "Parallelism": parallelism,
                "ParallelismPerKPU": per_kpu,
            },
            "CheckpointConfiguration": {"ConfigurationType": "CUSTOM", "CheckpointInterval": 10_000},
        },
    }
    api.create(**sections)
    arn = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/g:log-stream:s"
    option = {"LogStreamARN": arn}
    api(
        "AddApplicationCloudWatchLoggingOption",
        ApplicationName="student",
        CurrentApplicationVersionId=1,
        CloudWatchLoggingOption=option,
    )
    api.start()
    return api.dataplane.jobs[-1]


def test_the_data_plane_is_handed_everything_the_application_says(tmp_path: Path) -> None:
    job = described(tmp_path, python="a/main.py", jarfile="a/lib/c.jar")
    assert (str(job.key), job.version) == ("000000000000-us-east-1-student", 2)
    assert (job.bucket, job.object_key, job.object_version) == ("b", "app.zip", None)
    assert (job.log_group, job.log_stream) == ("/aws/g", "s")
    assert (job.run_options.python, job.run_options.jarfile) == ("a/main.py", "a/lib/c.jar")
    assert (job.checkpointing, job.checkpoint_interval_ms, job.min_pause_ms) == (True, 10_000, 5_000)
    assert job.property_groups["consumer.config.0"] == {"aws.region": "r"}


@pytest.mark.parametrize(("parallelism", "per_kpu", "slots"), [(4, 4, 4), (4, 1, 4), (5, 4, 8), (1, 8, 8), (8, 8, 8)])
def test_slots_are_whole_kpus(tmp_path: Path, parallelism: int, per_kpu: int, slots: int) -> None:
    assert described(tmp_path, parallelism, per_kpu, python="m.py").slots == slots


def test_the_options_of_a_job_carry_parallelism_and_checkpoints(tmp_path: Path) -> None:
    options = job_options(described(tmp_path, python="m.py"), Path("/somewhere/app"))
    assert options["parallelism.default"] == "4"
    assert options["execution.checkpointing.interval"] == "10000 ms"
    assert options["execution.checkpointing.dir"] == "file:///somewhere/app/checkpoints"


def test_the_driver_is_told_files_archives_and_what_to_restore(tmp_path: Path) -> None:
    job = described(tmp_path, python="m.py", pyFiles="a.py, pkg ,", pyArchives="venv.zip#venv", jarfile="c.jar")
    task = make_task(job, tmp_path, "file:///savepoint", {"A": "1"}, {"extra": "2"})
    code = tmp_path / "code"
    assert (task.main, task.python_files, task.jars) == (
        f"{code}/m.py", [f"{code}/a.py", f"{code}/pkg"], [f"{code}/c.jar"],
    )  # fmt: skip
    assert task.configuration["python.archives"] == f"{code}/venv.zip#venv"
    assert task.configuration["execution.state-recovery.path"] == "file:///savepoint"
    assert (task.environment, task.configuration["extra"]) == ({"A": "1"}, "2")
    assert '"PropertyGroupId": "consumer.config.0"' in Path(task.properties_file).read_text()


def test_without_run_options_python_is_empty(tmp_path: Path) -> None:
    assert described(tmp_path, jarfile="c.jar").run_options.python == ""
