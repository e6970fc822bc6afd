"""Which exercises of the application are still blank, seen in the account: in its zip and in its parallelism."""

import ast
import io
import zipfile

import boto3

from lab.checks.check import Finding, Lab
from lab.core.aws_errors import plain_words
from lab.core.errors import StepMissing
from lab.core.session import restarted_hint
from lab.exercises.catalog import EXERCISES, Exercise

ZIP = "SlidingWindows.zip"
SCRIPT = "SlidingWindows/sliding-windows.py"


def blank_functions(source: str) -> set[str]:
    """The functions of a Python file whose body raises NotImplementedError; none where it is no Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    return {
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Raise) and node.exc is not None and "NotImplementedError" in ast.unparse(node.exc)
    }


def uploaded_zip(lab: Lab) -> bytes:
    """The application's zip as it is in the bucket; raises StepMissing where it is not."""
    if "zip" not in lab.seen:
        bucket = lab.session.flink_bucket
        looked = f"s3://{bucket}/{ZIP}"
        missing = StepMissing(f"There is no {looked}{restarted_hint(lab.session)}", "03_flink_job")
        with plain_words(f"reading {looked}", lab.session.endpoint, gone=missing):
            lab.seen["zip"] = boto3.client("s3").get_object(Bucket=bucket, Key=ZIP)["Body"].read()
    return lab.seen["zip"]


def parallelism(lab: Lab) -> tuple[int, int]:
    """The application's parallelism and the open shards of its input stream."""
    if "parallelism" not in lab.seen:
        missing = StepMissing(f"The application student does not exist{restarted_hint(lab.session)}", "03_flink_job")
        with plain_words("describing student", lab.session.endpoint, gone=missing):
            detail = boto3.client("kinesisanalyticsv2").describe_application(ApplicationName="student")
        configuration = detail["ApplicationDetail"]["ApplicationConfigurationDescription"]
        found = configuration["FlinkApplicationConfigurationDescription"]["ParallelismConfigurationDescription"]
        missing = StepMissing(f"The stream reviews does not exist{restarted_hint(lab.session)}", "01_streams")
        with plain_words("describing reviews", lab.session.endpoint, gone=missing):
            summary = boto3.client("kinesis").describe_stream_summary(StreamName="reviews")
        lab.seen["parallelism"] = found["Parallelism"], summary["StreamDescriptionSummary"]["OpenShardCount"]
    return lab.seen["parallelism"]


def blank_exercises(lab: Lab) -> list[Exercise]:
    """The exercises of 03_flink_job that are not attempted yet."""
    package = zipfile.ZipFile(io.BytesIO(uploaded_zip(lab)))
    source = package.read(SCRIPT).decode("utf-8", "replace") if SCRIPT in package.namelist() else ""
    blank = [EXERCISES[name] for name in ("window", "watermark") if name in blank_functions(source)]
    subtasks, shards = parallelism(lab)
    return [*blank, EXERCISES["parallelism"]] if subtasks == 1 < shards else blank


def waits_for_exercise(lab: Lab) -> Finding | None:
    """A finding for a check that can only pass when the application is whole; None when it is."""
    blank = blank_exercises(lab)
    if not blank:
        return None
    looked = f"s3://{lab.session.flink_bucket}/{ZIP} and the application's parallelism"
    return Finding(False, looked, blank[0].not_attempted, attempted=False)
