"""Describe the driver's task: an unpacked application with its runtime properties and its job's Flink options."""

import json
from pathlib import Path

from localaws.flink_cluster.driver import Task
from localaws.job_description import JobDescription


def make_task(
    job: JobDescription,
    folder: Path,
    restore_from: str | None,
    environment: dict[str, str],
    cluster_options: dict[str, str],
) -> Task:
    """Write application_properties.json into the application's ``folder`` and return what the driver is to run.

    The code is in ``folder``/code. ``restore_from`` is the path of a savepoint or checkpoint; ``environment`` is added
    to the main file's, ``cluster_options`` to the job's options.
    """
    code, options = folder / "code", job.run_options
    properties = folder / "application_properties.json"
    groups = [{"PropertyGroupId": group, "PropertyMap": pairs} for group, pairs in job.property_groups.items()]
    properties.write_text(json.dumps(groups))
    configuration = job_options(job, folder) | cluster_options
    if restore_from:
        configuration["execution.state-recovery.path"] = restore_from
        allowed = str(job.allow_non_restored_state).lower()
        configuration["execution.state-recovery.ignore-unclaimed-state"] = allowed
    python_files = [str(code / path) for path in options.python_files]
    if python_files:
        configuration["python.files"] = ",".join(python_files)
    if options.python_archives:
        configuration["python.archives"] = ",".join(str(code / path) for path in options.python_archives)
    jars = [str(code / options.jarfile)] if options.jarfile else []
    if jars:
        configuration["pipeline.jars"] = ";".join(Path(jar).as_uri() for jar in jars)
    return Task(
        main=str(code / options.python),
        properties_file=str(properties),
        folder=str(code),
        jars=jars,
        python_files=python_files,
        configuration=configuration,
        environment=environment,
    )


def job_options(job: JobDescription, folder: Path) -> dict[str, str]:
    """Return Flink's options for parallelism and checkpoints; the state goes below ``folder``."""
    options = {
        "execution.target": "remote",
        "execution.attached": "false",
        "parallelism.default": str(job.parallelism),
        "execution.checkpointing.dir": f"file://{folder}/checkpoints",
        "execution.checkpointing.savepoint-dir": f"file://{folder}/savepoints",
        "execution.checkpointing.num-retained": "2",
    }
    if job.checkpointing:
        options |= {
            "execution.checkpointing.interval": f"{job.checkpoint_interval_ms} ms",
            "execution.checkpointing.min-pause": f"{job.min_pause_ms} ms",
            "execution.checkpointing.mode": "EXACTLY_ONCE",
            "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        }
    return options
