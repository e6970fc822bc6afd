"""Check 03_flink_job and 04_validate: the application, its job, and whether every window is right."""

from lab.checks.blanks import require_attempted
from lab.checks.pipeline import Pipeline
from lab.checks.probe import Finding, Place, probe
from lab.core.names import (
    APPLICATION,
    APPLICATION_FOLDER,
    APPLICATION_SCRIPT,
    APPLICATION_ZIP,
    CONSUMER_GROUP,
    GROUP_STREAM,
    GROUPS_GROUP,
    INPUT_STREAM,
    OUTPUT_STREAM,
    PRODUCER_GROUP,
    ROLE,
    RUN_OPTIONS_GROUP,
)
from lab.deploy.flink_zip import JAR_IN_ZIP
from lab.validation.comparison import compare_windows

RUN_OPTIONS = {"python": APPLICATION_SCRIPT, "jarfile": JAR_IN_ZIP}


@probe(f"The zip is in the bucket, its paths start with {APPLICATION_FOLDER}/", "03_flink_job", 5)
def zip_uploaded(lab: Pipeline) -> Finding:
    place = Place(f"s3://{lab.session.flink_bucket}/{APPLICATION_ZIP}")
    names = set(lab.package.namelist())
    outside = sorted(name for name in names if not name.startswith(f"{APPLICATION_FOLDER}/"))
    if outside:
        return place.failed(f"{outside[0]} is not below {APPLICATION_FOLDER}/: zip the folder, not its content.")
    absent = [path for path in RUN_OPTIONS.values() if path not in names]
    if absent:
        return place.failed(f"{absent[0]} is not in the zip: build and upload it again.")
    return place.passed(
        f"{len(names)} files, {sum(member.compress_size for member in lab.package.infolist()) / 1e6:.0f} MB."
    )


@probe("The application is configured as the lab says", "03_flink_job", 10)
def configured(lab: Pipeline) -> Finding:
    detail, region = lab.application(), {"aws.region": lab.session.region}
    wanted = {
        RUN_OPTIONS_GROUP: RUN_OPTIONS,
        CONSUMER_GROUP: {**region, "input.stream.name": INPUT_STREAM, "scan.stream.initpos": "LATEST"},
        PRODUCER_GROUP: {**region, "output.stream.name": OUTPUT_STREAM, "shard.count": "1"},
        GROUPS_GROUP: {**region, "output.stream.name": GROUP_STREAM},
    }
    wrong = [
        f"{group} / {key} is {lab.properties.get(group, {}).get(key)!r}, not {value!r}"
        for group, pairs in wanted.items()
        for key, value in pairs.items()
        if lab.properties.get(group, {}).get(key) != value
    ]
    if detail["ServiceExecutionRole"] != lab.session.role_arn:
        wrong.append(f"the role is {detail['ServiceExecutionRole']}, not {ROLE}")
    place = Place(f"the runtime properties of {APPLICATION}, version {detail['ApplicationVersionId']}")
    if wrong:
        return place.failed(f"{'; '.join(wrong)}: update the application.")
    return place.passed("Code, role and all property groups as in the lab.")


@probe("The application is RUNNING, and so is its job", "03_flink_job", 10)
def running(lab: Pipeline) -> Finding:
    status, place = lab.application()["ApplicationStatus"], Place(f"the status of {APPLICATION}")
    if status != "RUNNING":
        return place.failed(f"It is {status}: start it and wait for RUNNING.")
    if lab.dashboard is None:
        # On AWS the page behind the URL wants a browser; the API's status is all a program gets.
        return place.passed("RUNNING; look at the job in the dashboard.")
    job = lab.dashboard.running_job()
    if job is None:
        return Place("the Flink dashboard").failed("No job is RUNNING with all its tasks: look at the log stream.")
    tasks = job["tasks"]["running"]
    return Place("the API and the Flink dashboard").passed(f"Job {job['name']}: {tasks} tasks RUNNING.")


@probe(f"Events are visible in {OUTPUT_STREAM}", "03_flink_job", 10)
def output_visible(lab: Pipeline) -> Finding:
    require_attempted(lab)
    place = Place(f"{OUTPUT_STREAM} since the application started")
    if not len(lab.events.table):
        return place.failed("No review was sent since the application started: invoke the function again.")
    found, expected = len(lab.output.table), len(lab.reference.windows)
    if expected and not found:
        return place.failed(f"It holds no row, and {expected:,} must be there: look at the dashboard.")
    return place.passed(f"{found:,} rows are there, each a reviewer in a window.")


@probe("Every window equals the reference", "04_validate", 25)
def windows_equal(lab: Pipeline) -> Finding:
    require_attempted(lab)
    comparison = compare_windows(lab.reference, lab.output)
    place = Place(f"{len(lab.events.table):,} reviews and {len(lab.output.table):,} windows")
    if not len(lab.events.table):
        return place.failed("No review was sent since the application started: run 03_flink_job again.")
    if not comparison.equal:
        return place.failed(f"{comparison.sentence} Look at the rows that differ, above.")
    return place.passed(comparison.sentence)


@probe("Nothing was lost on the way", "04_validate", 5)
def nothing_lost(lab: Pipeline) -> Finding:
    require_attempted(lab)
    late, bad, conflicts = len(lab.reference.late_pairs), len(lab.events.unreadable), len(lab.output.conflicts)
    place = Place("late reviews, unreadable records, windows written twice, shards that hold the watermark")
    if late or bad or conflicts or len(lab.output.unreadable):
        return place.failed(
            f"{late:,} (review, window) pairs were late, {bad:,} records of {INPUT_STREAM} could not be read, "
            f"{conflicts:,} windows were written with two counts: look at the tables above."
        )
    if still_open := len(lab.reference.open_windows):
        return place.failed(
            f"{still_open:,} windows are still open (held by {', '.join(lab.reference.holding) or 'the watermark'}): "
            "send the end markers with the function."
        )
    return place.passed(f"None; {lab.output.duplicates:,} copies of at-least-once writing were removed.")
